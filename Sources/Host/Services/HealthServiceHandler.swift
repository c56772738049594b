import CommonContract
import Foundation
import HostContract
import PluginAPI
import SwiftProtobuf
import Synchronization

/// When and how fast this host came up, and whether it serves.
final class HostFacts: Sendable {
    static let version = "0.1.0"

    struct Values: Sendable {
        var isServing = false
        var startedAt = Instant(microsecondsSince1970: 0)
        var startMilliseconds: Int64 = 0
    }

    private let values = Mutex(Values())
    var current: Values { values.withLock { $0 } }
    func change(_ body: (inout Values) -> Void) { values.withLock { body(&$0) } }

    /// Memory of this process that is resident, in bytes; 0 where the kernel does not tell.
    static var residentBytes: Int64 {
        guard let text = try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8) else { return 0 }
        let pages = text.split(separator: " ").dropFirst().first.flatMap { Int64($0) } ?? 0
        return pages * Int64(sysconf(Int32(_SC_PAGESIZE)))
    }
}

/// Serves `pcs.host.v1.HealthService`.
struct HealthServiceHandler: Pcs_Host_V1_HealthService {
    let facts: HostFacts
    let registry: PluginRegistry
    let plugins: PluginServiceHandler
    let dispatcher: DispatcherReference
    let hostStore: HostStore

    func check(_ request: Pcs_Host_V1_CheckRequest, _ call: CallContext) async throws
        -> Pcs_Host_V1_CheckResponse
    {
        var response = Pcs_Host_V1_CheckResponse()
        response.serving = facts.current.isServing
        return response
    }

    func getStatus(_ request: Pcs_Host_V1_GetStatusRequest, _ call: CallContext) async throws
        -> Pcs_Host_V1_HostStatus
    {
        let meters = try dispatcher.current().meters
        let facts = facts.current
        var status = Pcs_Host_V1_HostStatus()
        status.version = HostFacts.version
        status.startedAt = Google_Protobuf_Timestamp(facts.startedAt)
        status.startMilliseconds = facts.startMilliseconds
        status.residentBytes = HostFacts.residentBytes
        status.connections = Int64(meters.openConnections)
        status.callsInFlight = Int64(meters.callsInFlight)
        status.callsTotal = Int64(meters.callsTotal)
        status.refusalsTotal = Int64(meters.refusalsTotal)
        status.loopStallLongestMicroseconds = meters.longestHoldMicroseconds
        status.loopStalls = Int64(meters.stallsTotal)
        status.plugins = registry.members.map { plugins.plugin($0) }
        status.stores = ([hostStore] + registry.members.compactMap(\.slot.store.opened)).map(store)
        status.warnings = warnings(status)
        return status
    }

    private func store(_ store: HostStore) -> Pcs_Host_V1_StoreStatus {
        let statistics = store.statistics
        var status = Pcs_Host_V1_StoreStatus()
        status.name = store.name
        status.bytes = statistics.bytes
        status.writesTotal = statistics.writes
        status.commitsTotal = statistics.commits
        status.queueLength = Int64(statistics.queueLength)
        return status
    }

    private func warnings(_ status: Pcs_Host_V1_HostStatus) -> [String] {
        var warnings: [String] = []
        for plugin in status.plugins {
            switch plugin.state {
            case .degraded, .failed:
                warnings.append(
                    "plugin \(plugin.name) is \(plugin.state == .failed ? "failed" : "degraded"): \(plugin.because)"
                )
            default: break
            }
            if plugin.eventsParked > 0 {
                warnings.append("plugin \(plugin.name) has \(plugin.eventsParked) parked events")
            }
            if plugin.eventsWaiting > 10_000 {
                warnings.append("plugin \(plugin.name) is \(plugin.eventsWaiting) events behind")
            }
        }
        if status.loopStalls > 0 {
            warnings.append("inline handlers held an event loop over 10 ms \(status.loopStalls) times")
        }
        return warnings
    }
}
