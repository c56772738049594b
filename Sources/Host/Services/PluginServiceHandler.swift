import CommonContract
import Foundation
import HostContract
import PluginAPI
import SwiftProtobuf

/// Serves `pcs.host.v1.PluginService`: lists, describes, enables and disables plugins.
struct PluginServiceHandler: Pcs_Host_V1_PluginService {
    let registry: PluginRegistry
    let pump: EventPump
    let dispatcher: DispatcherReference

    func listPlugins(
        _ request: Pcs_Host_V1_ListPluginsRequest, _ call: CallContext
    ) async throws -> Pcs_Host_V1_ListPluginsResponse {
        var response = Pcs_Host_V1_ListPluginsResponse()
        response.plugins = registry.members.map { plugin($0) }
        return response
    }

    func describePlugin(
        _ request: Pcs_Host_V1_DescribePluginRequest, _ call: CallContext
    ) async throws -> Pcs_Host_V1_PluginDescription {
        let member = try registry.member(request.name)
        let entries = try dispatcher.current().table.entries(of: member.slot)
        var description = Pcs_Host_V1_PluginDescription()
        description.plugin = plugin(member)
        description.summary = member.manifest.summary
        description.owners = member.manifest.owners
        description.services = member.services
        description.methods = entries.map(method)
        description.publishes = member.manifest.publishes
        description.subscribes = member.subscriptions.map(\.eventType)
        description.dependsOn = member.needs
        description.dependedOnBy = registry.dependants(of: member.name)
        description.schemaVersion = Int32(clamping: member.slot.current.schemaVersion)
        description.storageBytes = member.slot.store.opened?.statistics.bytes ?? 0
        description.jobs = member.jobs.map { "\($0.name), \($0.schedule.text)" }
        return description
    }

    func enablePlugin(
        _ request: Pcs_Host_V1_EnablePluginRequest, _ call: CallContext
    ) async throws -> Pcs_Host_V1_PluginChange {
        let member = try registry.member(request.name)
        if !request.dryRun { try await registry.enable(request.name) }
        var change = Pcs_Host_V1_PluginChange()
        change.plugin = plugin(member)
        change.dryRun = request.dryRun
        change.eventsWaiting = change.plugin.eventsWaiting
        change.dependants = registry.dependants(of: member.name)
        guard !request.dryRun else { return change }
        return try await keep(
            PluginSwitch(enabled: true, because: reason(request.reason)), of: member, change, call)
    }

    func disablePlugin(
        _ request: Pcs_Host_V1_DisablePluginRequest, _ call: CallContext
    ) async throws -> Pcs_Host_V1_PluginChange {
        let member = try registry.member(request.name)
        let drain = request.drainMilliseconds == 0 ? 10_000 : Int(request.drainMilliseconds)
        guard (100...60_000).contains(drain) else {
            throw Failure(
                HostReasons.fieldInvalid,
                violations: [
                    Violation(
                        field: "drain_milliseconds", rule: "RANGE", message: "must be 0, or 100 to 60,000")
                ])
        }
        var impact = try registry.impact(of: request.name)
        if !request.dryRun {
            let because = reason(request.reason)
            impact = try await registry.disable(request.name, because: because, drainMilliseconds: drain)
        }
        var change = Pcs_Host_V1_PluginChange()
        change.plugin = plugin(member)
        change.dryRun = request.dryRun
        change.callsInFlight = Int64(impact.callsInFlight)
        change.callsCancelled = Int64(impact.callsCancelled)
        change.eventsWaiting = change.plugin.eventsWaiting
        change.dependants = impact.dependants
        change.jobsPaused = impact.jobs
        change.drainedInMilliseconds = impact.drainedInMilliseconds
        guard !request.dryRun else { return change }
        return try await keep(
            PluginSwitch(enabled: false, because: reason(request.reason)), of: member, change, call)
    }

    private func reason(_ given: String) -> String {
        given.isEmpty ? "no reason given" : String(given.prefix(500))
    }

    /// Makes the switch hold over restarts, with who turned it and why in the audit chain.
    private func keep(
        _ turned: PluginSwitch, of member: PluginMember, _ change: Pcs_Host_V1_PluginChange,
        _ call: CallContext
    ) async throws -> Pcs_Host_V1_PluginChange {
        let actor = call.caller.responsible
        return try await call.commit { transaction in
            try turned.keep(member.name, by: actor, in: transaction)
            let detail =
                turned.enabled
                ? "enabled: \(turned.because)"
                : "disabled: \(turned.because); \(change.callsCancelled) of \(change.callsInFlight) calls cancelled"
            transaction.audit(AuditNote(object: "plugin/\(member.name)", detail: detail))
            return change
        }
    }

    // MARK: Views

    func plugin(_ member: PluginMember) -> Pcs_Host_V1_Plugin {
        let condition = member.slot.current
        let events = (try? pump.waiting(for: member.name)) ?? (waiting: 0, parked: 0)
        var plugin = Pcs_Host_V1_Plugin()
        plugin.name = member.name
        plugin.version = member.manifest.version
        plugin.state = Pcs_Host_V1_PluginState(condition.lifecycle.phase)
        plugin.because = condition.lifecycle.because
        plugin.since = Google_Protobuf_Timestamp(condition.since)
        plugin.callsInFlight = Int64(member.slot.callsInFlight)
        plugin.callsTotal = Int64(member.slot.callsTotal)
        plugin.eventsWaiting = events.waiting
        plugin.eventsParked = events.parked
        return plugin
    }

    private func method(_ entry: MethodEntry) -> Pcs_Host_V1_MethodDescription {
        var method = Pcs_Host_V1_MethodDescription()
        method.path = entry.descriptor.path
        method.kind =
            switch entry.descriptor.kind {
            case .unary: "unary"
            case .serverStreaming: "server streaming"
            case .clientStreaming: "client streaming"
            }
        method.access = entry.access.words
        method.changesState = entry.access.changesState
        method.calls = Int64(entry.counters.callsTotal)
        method.failures = Int64(entry.counters.failuresTotal)
        method.p50Microseconds = entry.counters.microseconds(percentile: 0.5)
        method.p99Microseconds = entry.counters.microseconds(percentile: 0.99)
        return method
    }
}

extension AccessRule {
    /// Who may, in words.
    var words: String {
        if isAnonymous { return "anyone" }
        var ways = allow.map { way in
            switch way.relation {
            case .national: "\(way.role) nationally"
            case .own: "\(way.role) at \(way.organisationField)"
            case .commissioner: "\(way.role) at the commissioner of \(way.organisationField)"
            case .icb: "\(way.role) at the ICB of \(way.organisationField)"
            case .region: "\(way.role) at the region of \(way.organisationField)"
            case .pcnMember: "\(way.role) at a member of \(way.organisationField)"
            case .pcnOf: "\(way.role) at the PCN of \(way.organisationField)"
            case .pcnPeer: "\(way.role) at a practice in the PCN of \(way.organisationField)"
            case .acting: "\(way.role) at the organisation acted for"
            }
        }
        if anyCaller { ways.append("any authenticated caller") }
        return ways.joined(separator: "; ")
    }
}

extension Pcs_Host_V1_PluginState {
    init(_ phase: PluginLifecycle.Phase) {
        switch phase {
        case .registered: self = .registered
        case .disabled: self = .disabled
        case .migrating: self = .migrating
        case .starting: self = .starting
        case .ready: self = .ready
        case .degraded: self = .degraded
        case .draining: self = .draining
        case .stopped: self = .stopped
        case .failed: self = .failed
        }
    }
}
