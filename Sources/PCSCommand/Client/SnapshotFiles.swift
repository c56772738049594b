package import CommonContract
import Foundation
package import HostContract

/// ODS files to load: found by name, in the order in which they stand on each other.
package enum SnapshotFiles {
    package struct File: Sendable {
        package let path: String
        package let kind: Pcs_Host_V1_SnapshotKind
    }

    /// Names of the publisher's reports, and what they hold; those above come first.
    private static let names: [(prefix: String, kind: Pcs_Host_V1_SnapshotKind)] = [
        ("hierarchy", .hierarchy),
        ("commissioners", .commissioners),
        ("epraccur", .practices),
        ("epcncorepartnerdetails", .pcnMembers),
        ("epcn", .pcns),
        ("pcn", .pcns),
        ("edispensary", .pharmacies),
    ]

    private static let order: [Pcs_Host_V1_SnapshotKind] = [
        .hierarchy, .commissioners, .practices, .pcns, .pcnMembers, .pharmacies,
    ]

    package static func kind(ofFileNamed name: String) -> Pcs_Host_V1_SnapshotKind? {
        names.first { name.lowercased().hasPrefix($0.prefix) }?.kind
    }

    /// - Parameter paths: files are taken all; of a folder, the CSV files whose names are known. A file named "-sample"
    ///   in a folder is left alone: a part of a snapshot loaded as the whole would look like thousands of closures.
    package static func find(_ paths: [String], kind: Pcs_Host_V1_SnapshotKind?) throws -> [File] {
        var files: [File] = []
        for path in paths {
            var isFolder: ObjCBool = false
            guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
                throw CommandError(.noInput, "\(path) does not exist")
            }
            if isFolder.boolValue {
                let inside = try FileManager.default.contentsOfDirectory(atPath: path).sorted()
                let known = inside.filter {
                    ($0.hasSuffix(".csv") || $0.hasSuffix(".csv.gz")) && !$0.contains("-sample")
                }
                .compactMap { name in
                    Self.kind(ofFileNamed: name).map { File(path: "\(path)/\(name)", kind: $0) }
                }
                guard !known.isEmpty else {
                    throw CommandError(.noInput, "\(path) holds no file of a known name")
                }
                files += known
                continue
            }
            let name = String(path.split(separator: "/").last ?? "")
            guard let kind = kind ?? Self.kind(ofFileNamed: name) else {
                throw CommandError(
                    .usage, "what \(name) holds does not follow from its name",
                    nextStep: "Say it with --kind.")
            }
            files.append(File(path: path, kind: kind))
        }
        let rank = { (file: File) in order.firstIndex(of: file.kind) ?? order.count }
        return files.enumerated().sorted { (rank($0.element), $0.offset) < (rank($1.element), $1.offset) }
            .map(\.element)
    }

    /// Uploads one file and waits for the outcome.
    package static func load(
        _ file: File, publishedOn: Pcs_Common_V1_Date, dryRun: Bool = false, _ session: Session
    ) async throws -> Pcs_Host_V1_SnapshotLoad {
        let upload = try UploadFile(path: file.path)
        let progress = ProgressBar(upload.name)
        defer { progress.finish() }
        let messages = upload.messages(progress: progress) { [name = upload.name] piece in
            var first = Pcs_Host_V1_LoadSnapshotRequest()
            first.kind = file.kind
            first.fileName = name
            first.publishedOn = publishedOn
            first.dryRun = dryRun
            first.data = Data(piece)
            return first
        } rest: { piece in
            var next = Pcs_Host_V1_LoadSnapshotRequest()
            next.data = Data(piece)
            return next
        }
        return try await session.organisations.loadSnapshot(messages, options: session.change())
    }
}
