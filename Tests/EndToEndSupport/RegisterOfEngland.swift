import CommonContract
import Foundation
public import FrameClient
import HostContract

/// The committed register of organisations on a live host, and its next issue.
public enum RegisterOfEngland {
    public struct NotApplied: Error { public let file: String }

    private static let files:
        [(name: String, kind: Pcs_Host_V1_SnapshotKind, published: (Int32, Int32, Int32))] = [
            ("commissioners", .commissioners, (2026, 1, 2)), ("hierarchy", .hierarchy, (2026, 3, 2)),
            ("pcn", .pcns, (2026, 1, 2)), ("epraccur-gp-england", .practices, (2026, 3, 2)),
            (members, .pcnMembers, (2026, 3, 2)),
        ]
    private static let members = "epcncorepartnerdetails"

    /// Loads commissioners, networks, practices and memberships, as the local operator.
    public static func load(_ host: LiveHost) async throws {
        for file in files {
            try await load(
                try OpenData.text("ods/\(file.name).csv.gz"), file.name, file.kind, file.published, host)
        }
    }

    /// The next file of memberships says on which day (YYYYMMDD) a practice has left its network.
    public static func leave(_ practice: String, on day: String, _ host: LiveHost) async throws {
        var text = try OpenData.text("ods/\(members).csv.gz")
        guard let row = text.range(of: "\"\(practice)\","),
            let open = text.range(of: "\"20191001\",\"\"", range: row.upperBound..<text.endIndex)
        else { throw NotApplied(file: members) }
        text.replaceSubrange(open, with: "\"20191001\",\"\(day)\"")
        try await load(text, members, .pcnMembers, (2026, 3, 10), host)
    }

    private static func load(
        _ text: String, _ name: String, _ kind: Pcs_Host_V1_SnapshotKind, _ published: (Int32, Int32, Int32),
        _ host: LiveHost
    ) async throws {
        let bytes = Data(text.utf8)
        let messages = stride(from: 0, to: bytes.count, by: 512 << 10).map { start in
            Pcs_Host_V1_LoadSnapshotRequest.with {
                if start == 0 {
                    ($0.kind, $0.fileName) = (kind, name + ".csv")
                    ($0.publishedOn.year, $0.publishedOn.month, $0.publishedOn.day) = published
                }
                $0.data = bytes[start..<min(start + (512 << 10), bytes.count)]
            }
        }
        let state = try await host.locally { client in
            try await Pcs_Host_V1_OrganisationServiceClient(client).loadSnapshot(messages).state
        }
        guard state == .applied else { throw NotApplied(file: name) }
    }
}

extension LiveHost {
    /// Calls as the local operator, over the Unix socket.
    public func locally<Result: Sendable>(
        _ body: @Sendable (FrameClient) async throws -> Result
    ) async throws -> Result {
        let client = FrameClient(FrameClientConfiguration(address: .unixSocket(path: socketPath)))
        do {
            let result = try await body(client)
            await client.close()
            return result
        } catch {
            await client.close()
            throw error
        }
    }

    /// Waits until no plugin has an event waiting or parked.
    public func eventsDelivered(seconds: Double = 30) async throws {
        let end = Date().addingTimeInterval(seconds)
        while Date() < end {
            let plugins = try await locally { client in
                try await Pcs_Host_V1_PluginServiceClient(client).listPlugins(.init()).plugins
            }
            guard plugins.allSatisfy({ $0.eventsParked == 0 }) else { throw EventsWait(isParked: true) }
            if plugins.allSatisfy({ $0.eventsWaiting == 0 }) { return }
            try await Task.sleep(for: .milliseconds(20))
        }
        throw EventsWait(isParked: false)
    }

    public struct EventsWait: Error { public let isParked: Bool }
}
