package import HostContract

/// The state of a host as people see it.
package enum HealthView {
    package static func text(_ status: Pcs_Host_V1_HostStatus, serving: Bool, for terminal: Terminal)
        -> String
    {
        var sheet = Sheet()
        sheet.add(
            "host", (serving ? "serving" : "not serving") + ", version \(status.version)",
            style: serving ? .good : .bad)
        sheet.add(
            "started",
            Wording.moment(status.startedAt, isSet: status.hasStartedAt)
                + " in \(Wording.duration(milliseconds: status.startMilliseconds))")
        sheet.add("memory", Wording.bytes(status.residentBytes))
        sheet.add("connections", Wording.count(status.connections))
        sheet.add(
            "calls",
            "\(Wording.count(status.callsInFlight)) in flight, \(Wording.count(status.callsTotal)) in all, "
                + "\(Wording.count(status.refusalsTotal)) refused")
        sheet.add(
            "loop stalls over 10 ms",
            "\(Wording.count(status.loopStalls)), longest "
                + Wording.duration(microseconds: status.loopStallLongestMicroseconds))
        var stores = Table([
            .left("store"), .right("size"), .right("writes"), .right("commits"), .right("queue"),
        ])
        for store in status.stores {
            stores.add(
                Table.Cell(store.name), Table.Cell(Wording.bytes(store.bytes)),
                Table.Cell(Wording.count(store.writesTotal)),
                Table.Cell(Wording.count(store.commitsTotal)), Table.Cell(Wording.count(store.queueLength)))
        }
        var parts = [sheet.rendered(for: terminal), PluginView.table(status.plugins).rendered(for: terminal)]
        if !stores.isEmpty { parts.append(stores.rendered(for: terminal)) }
        if !status.warnings.isEmpty {
            parts.append(
                status.warnings.map { terminal.styled("warning: ", .warning) + TextSafety.clean($0) }.joined(
                    separator: "\n"))
        }
        return parts.joined(separator: "\n\n")
    }
}
