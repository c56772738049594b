package import HostContract

/// Organisations and the loads of their register as people see them.
package enum OrganisationView {
    package static func sheet(_ organisation: Pcs_Host_V1_Organisation) -> Sheet {
        var sheet = Sheet()
        sheet.add("code", organisation.code, style: .bold)
        sheet.add("name", organisation.name)
        sheet.add("kind", EnumWords.words(organisation.kind))
        sheet.add(
            "status", EnumWords.words(organisation.status),
            style: organisation.status == .active ? .good : .warning)
        sheet.addUnlessEmpty("opened on", Wording.day(organisation.openedOn))
        sheet.addUnlessEmpty("closed on", Wording.day(organisation.closedOn))
        sheet.addUnlessEmpty("town", organisation.town)
        sheet.addUnlessEmpty("postcode", organisation.postcode)
        sheet.addUnlessEmpty("PCN", organisation.pcnCode)
        sheet.addUnlessEmpty("commissioner", organisation.commissionerCode)
        sheet.addUnlessEmpty("ICB", organisation.icbCode)
        sheet.addUnlessEmpty("region", organisation.regionCode)
        sheet.addUnlessEmpty("successors", organisation.successorCodes.joined(separator: ", "))
        sheet.addUnlessEmpty("predecessors", organisation.predecessorCodes.joined(separator: ", "))
        return sheet
    }

    package static let emptyTable = Table([
        .left("code"), .left("name", mayShorten: true), .left("kind"), .left("status"), .left("pcn"),
        .left("commissioner"), .left("icb"), .left("region"), .left("postcode"),
    ])

    package static func cells(_ organisation: Pcs_Host_V1_Organisation) -> [Table.Cell] {
        [
            Table.Cell(organisation.code, style: .bold), Table.Cell(organisation.name),
            Table.Cell(EnumWords.words(organisation.kind)), Table.Cell(EnumWords.words(organisation.status)),
            Table.Cell(organisation.pcnCode), Table.Cell(organisation.commissionerCode),
            Table.Cell(organisation.icbCode), Table.Cell(organisation.regionCode),
            Table.Cell(organisation.postcode),
        ]
    }

    package static func table(_ loads: [Pcs_Host_V1_SnapshotLoad]) -> Table {
        var table = Table([
            .left("load"), .left("kind"), .left("file", mayShorten: true), .left("published on"),
            .left("state"), .right("rows"),
            .right("opened"), .right("closed"), .right("changed"), .right("missing"), .right("pending"),
        ])
        for load in loads {
            let state: Table.Cell =
                switch load.state {
                case .applied where load.alreadyLoaded: "loaded before"
                case .applied: Table.Cell("applied", style: .good)
                case .held: Table.Cell("held", style: .warning)
                default: Table.Cell(EnumWords.words(load.state))
                }
            table.add(
                Table.Cell(load.loadID), Table.Cell(EnumWords.words(load.kind)), Table.Cell(load.fileName),
                Table.Cell(Wording.day(load.publishedOn)), state, Table.Cell(Wording.count(load.rows)),
                Table.Cell(Wording.count(load.opened + load.reopened)),
                Table.Cell(Wording.count(load.closed)),
                Table.Cell(Wording.count(load.changed)), Table.Cell(Wording.count(load.missing)),
                Table.Cell(Wording.count(load.pendingReferences)))
        }
        return table
    }
}
