import Accounting
import CommonContract
import Foundation
import HostContract

/// The open data of the demonstration, and what is paid with it.
struct DemoData: Sendable {
    struct Snapshot: Sendable {
        let fileName: String
        let kind: Pcs_Host_V1_SnapshotKind
        /// From opendata/ods/README.md.
        let publishedOn: Pcs_Common_V1_Date
    }

    static let year = "2019/20"
    static let month = Pcs_Common_V1_Month(year: 2019, month: 4)
    static let monthText = "2019-04"
    /// Whose statement is shown: a GMS practice outside London, also the example of the domain reference.
    static let practice = "A81001"

    /// In the order in which they stand on each other.
    static let snapshots: [Snapshot] = [
        snapshot("hierarchy.csv", .hierarchy, 2026, 1, 2),
        snapshot("commissioners.csv", .commissioners, 2026, 1, 2),
        snapshot("epraccur-gp-england.csv", .practices, 2026, 3, 2),
        snapshot("pcn.csv", .pcns, 2026, 1, 2),
        snapshot("epcncorepartnerdetails.csv", .pcnMembers, 2026, 3, 2),
        snapshot("edispensary-open-and-proposed.csv", .pharmacies, 2025, 5, 1),
    ]

    private static func snapshot(
        _ name: String, _ kind: Pcs_Host_V1_SnapshotKind, _ year: Int32, _ month: Int32, _ day: Int32
    ) -> Snapshot {
        var date = Pcs_Common_V1_Date()
        (date.year, date.month, date.day) = (year, month, day)
        return Snapshot(fileName: name, kind: kind, publishedOn: date)
    }

    let folder: String

    /// The folder named, or `opendata` here, or beside the sources that the executable was built from.
    init(folder: String?) throws {
        let program = URL(fileURLWithPath: CommandLine.arguments.first ?? "pcs").resolvingSymlinksInPath()
        let root = program.deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let candidates =
            folder.map { [$0] } ?? [
                "opendata", root.path + "/opendata", root.deletingLastPathComponent().path + "/opendata",
            ]
        guard let found = candidates.first(where: { FileManager.default.fileExists(atPath: $0 + "/ods") })
        else {
            throw CommandError(
                .noInput, "the open data is not in \(candidates.joined(separator: " or "))",
                nextStep: "Run it in the folder of the project, or name the folder with --open-data.")
        }
        self.folder = found
    }

    func path(of snapshot: Snapshot) throws -> String { try existing("ods/\(snapshot.fileName)") }

    func publishedYear() throws -> String {
        try existing("nhs-payments-gp/nhs_payments_gp_practice_2019-20.csv")
    }

    private func existing(_ name: String) throws -> String {
        for path in ["\(folder)/\(name).gz", "\(folder)/\(name)"]
        where FileManager.default.fileExists(atPath: path) {
            return path
        }
        throw CommandError(.noInput, "\(folder)/\(name).gz is missing")
    }
}
