import CommonContract
import Foundation
package import HostContract
package import PluginAPI

extension TestHost {
    /// The ODS files of `opendata/ods`, in the order in which hardly any reference waits, with the days on
    /// which their snapshots were taken.
    private static let organisationFiles:
        [(name: String, kind: Pcs_Host_V1_SnapshotKind, published: CalendarDate)] = [
            ("commissioners", .commissioners, day(2026, 1, 2)),
            ("hierarchy", .hierarchy, day(2026, 3, 2)),
            ("pcn", .pcns, day(2026, 1, 2)),
            ("epraccur-gp-england", .practices, day(2026, 3, 2)),
            ("epcncorepartnerdetails", .pcnMembers, day(2026, 3, 2)),
            ("edispensary-open-and-proposed", .pharmacies, day(2025, 5, 1)),
        ]

    private static func day(_ year: Int, _ month: Int, _ day: Int) -> CalendarDate {
        CalendarDate(year: year, month: month, day: day) ?? CalendarDate(daysSince1970: 0)
    }

    /// Loads the real register of organisations. Takes a second or two.
    /// - Parameter pharmacies: whether the 10,500 pharmacies are wanted too.
    public func loadOrganisations(pharmacies: Bool = false) async throws {
        for file in Self.organisationFiles where pharmacies || file.kind != .pharmacies {
            try await loadOrganisations(
                try OpenData.read("ods/\(file.name).csv.gz"), kind: file.kind, fileName: file.name + ".csv",
                publishedOn: file.published)
        }
    }

    package func loadOrganisations(
        _ bytes: [UInt8], kind: Pcs_Host_V1_SnapshotKind, fileName: String, publishedOn: CalendarDate
    ) async throws {
        let organisations = Pcs_Host_V1_OrganisationServiceClient(try await transport(.inProcess))
        var messages: [Pcs_Host_V1_LoadSnapshotRequest] = []
        for start in stride(from: 0, to: bytes.count, by: 512 << 10) {
            var message = Pcs_Host_V1_LoadSnapshotRequest()
            if start == 0 {
                message.kind = kind
                message.fileName = fileName
                message.publishedOn = Pcs_Common_V1_Date(publishedOn)
            }
            message.data = Data(bytes[start..<min(start + (512 << 10), bytes.count)])
            messages.append(message)
        }
        let load = try await organisations.loadSnapshot(messages)
        guard load.state == .applied else { throw NotApplied(fileName: fileName, because: load.heldBecause) }
    }

    /// A file of the register was held instead of applied.
    public struct NotApplied: Error {
        public let fileName: String
        public let because: String
    }
}

/// The open data that is committed with the project.
public enum OpenData {
    /// `opendata/` of this work tree.
    public static let folder =
        String(#filePath.prefix(upTo: #filePath.range(of: "/Sources/")?.lowerBound ?? #filePath.endIndex))
        + "/opendata"

    public struct Unreadable: Error {
        public let path: String
    }

    /// The bytes of a file below `opendata/`; those of `.gz` files uncompressed.
    public static func read(_ path: String) throws -> [UInt8] {
        let full = folder + "/" + path
        guard FileManager.default.isReadableFile(atPath: full) else { throw Unreadable(path: full) }
        guard path.hasSuffix(".gz") else { return Array(try Data(contentsOf: URL(fileURLWithPath: full))) }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["gzip", "-dc", full]
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let bytes = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw Unreadable(path: full) }
        return Array(bytes)
    }
}
