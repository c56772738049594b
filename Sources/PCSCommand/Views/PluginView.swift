package import HostContract

/// Plugins as people see them.
package enum PluginView {
    package static func table(_ plugins: [Pcs_Host_V1_Plugin]) -> Table {
        var table = Table([
            .left("plugin"), .left("version"), .left("state"), .left("since"), .right("in flight"),
            .right("calls"),
            .right("events waiting"), .right("parked"), .left("because", mayShorten: true),
        ])
        for plugin in plugins {
            table.add(
                Table.Cell(plugin.name, style: .bold), Table.Cell(plugin.version), state(plugin.state),
                Table.Cell(Wording.moment(plugin.since, isSet: plugin.hasSince)),
                Table.Cell(Wording.count(plugin.callsInFlight)), Table.Cell(Wording.count(plugin.callsTotal)),
                Table.Cell(Wording.count(plugin.eventsWaiting)),
                Table.Cell(
                    Wording.count(plugin.eventsParked), style: plugin.eventsParked > 0 ? .warning : .plain),
                Table.Cell(plugin.because))
        }
        return table
    }

    private static func state(_ state: Pcs_Host_V1_PluginState) -> Table.Cell {
        let style: TextStyle =
            switch state {
            case .ready: .good
            case .failed: .bad
            case .degraded, .draining, .disabled: .warning
            default: .plain
            }
        return Table.Cell(EnumWords.words(state), style: style)
    }

    package static func description(_ plugin: Pcs_Host_V1_PluginDescription, for terminal: Terminal) -> String
    {
        var sheet = Sheet()
        sheet.add("plugin", "\(plugin.plugin.name) \(plugin.plugin.version)", style: .bold)
        sheet.addUnlessEmpty("summary", plugin.summary)
        sheet.add(
            "state",
            EnumWords.words(plugin.plugin.state)
                + (plugin.plugin.because.isEmpty ? "" : ": " + plugin.plugin.because))
        sheet.add("owners", plugin.owners.joined(separator: ", "))
        sheet.addUnlessEmpty("services", plugin.services.joined(separator: ", "))
        sheet.addUnlessEmpty("publishes", plugin.publishes.joined(separator: ", "))
        sheet.addUnlessEmpty("subscribes", plugin.subscribes.joined(separator: ", "))
        sheet.addUnlessEmpty("depends on", plugin.dependsOn.joined(separator: ", "))
        sheet.addUnlessEmpty("needed by", plugin.dependedOnBy.joined(separator: ", "))
        sheet.addUnlessEmpty("jobs", plugin.jobs.joined(separator: ", "))
        sheet.add("storage", "\(Wording.bytes(plugin.storageBytes)), schema version \(plugin.schemaVersion)")
        var methods = Table([
            .left("method"), .left("kind"), .left("changes state"), .right("calls"), .right("failed"),
            .right("p50"),
            .right("p99"), .left("who may call", mayShorten: true),
        ])
        for method in plugin.methods {
            let name = method.path.split(separator: ".").last.map(String.init) ?? method.path
            methods.add(
                Table.Cell(name), Table.Cell(method.kind), Table.Cell(method.changesState ? "yes" : ""),
                Table.Cell(Wording.count(method.calls)), Table.Cell(Wording.count(method.failures)),
                Table.Cell(method.calls == 0 ? "" : Wording.duration(microseconds: method.p50Microseconds)),
                Table.Cell(method.calls == 0 ? "" : Wording.duration(microseconds: method.p99Microseconds)),
                Table.Cell(method.access))
        }
        return sheet.rendered(for: terminal) + "\n\n" + methods.rendered(for: terminal)
    }

    /// - Parameter verb: `enable` or `disable`.
    package static func change(_ change: Pcs_Host_V1_PluginChange, verb: String, for terminal: Terminal)
        -> String
    {
        var sheet = Sheet()
        let name = change.plugin.name
        sheet.add(
            "plugin",
            change.dryRun
                ? "\(name): nothing changed (dry run of \(verb))"
                : "\(name) is \(EnumWords.words(change.plugin.state))",
            style: .bold)
        sheet.add("calls in flight", Wording.count(change.callsInFlight))
        if !change.dryRun { sheet.add("calls cancelled", Wording.count(change.callsCancelled)) }
        sheet.add("events waiting", Wording.count(change.eventsWaiting))
        sheet.add(
            "dependants", change.dependants.isEmpty ? "none" : change.dependants.joined(separator: ", "))
        sheet.add(
            "jobs paused", change.jobsPaused.isEmpty ? "none" : change.jobsPaused.joined(separator: ", "))
        if !change.dryRun, verb == "disable" {
            sheet.add("drained in", Wording.duration(milliseconds: change.drainedInMilliseconds))
        }
        return sheet.rendered(for: terminal)
    }
}
