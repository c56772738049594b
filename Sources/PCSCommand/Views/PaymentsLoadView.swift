package import PaymentsContract

/// Outcomes of uploads to payments as people see them.
package enum PaymentsLoadView {
    private static func outcome(_ dryRun: Bool, _ alreadyLoaded: Bool) -> (String, TextStyle) {
        if dryRun { return ("valid; nothing changed (dry run)", .good) }
        return alreadyLoaded ? ("loaded before; nothing changed", .plain) : ("loaded", .good)
    }

    package static func sheet(_ load: Pcs_Payments_V1_ContractLoad) -> Sheet {
        var sheet = Sheet()
        let (text, style) = outcome(load.dryRun, load.alreadyLoaded)
        sheet.add("outcome", text, style: style)
        sheet.addUnlessEmpty("load", load.loadID)
        sheet.add("file", "\(load.fileName), \(Wording.plural(load.rows, "row"))")
        sheet.add(
            "practices",
            "\(Wording.count(load.practices)): \(Wording.count(load.added)) new, "
                + "\(Wording.count(load.changed)) changed, \(Wording.count(load.unchanged)) unchanged")
        if load.pendingReferences > 0 {
            sheet.add(
                "not in the register", Wording.plural(load.pendingReferences, "practice"), style: .warning)
        }
        sheet.add("sha-256", load.sha256)
        return sheet
    }

    package static func sheet(_ load: Pcs_Payments_V1_CapitationLoad) -> Sheet {
        var sheet = Sheet()
        let (text, style) = outcome(load.dryRun, load.alreadyLoaded)
        sheet.add("outcome", text, style: style)
        sheet.addUnlessEmpty("load", load.loadID)
        sheet.add("file", load.fileName)
        sheet.add("quarter", Wording.day(load.quarterDay))
        sheet.add(
            "practices",
            "\(Wording.count(load.practices)): \(Wording.count(load.added)) new, \(Wording.count(load.changed)) changed"
        )
        sheet.add("registered patients", Wording.count(load.registeredPatients))
        sheet.add("weighted patients", Wording.hundredths(load.weightedPatientsHundredths))
        sheet.add("sha-256", load.sha256)
        return sheet
    }

    package static func sheet(_ load: Pcs_Payments_V1_PublishedYearLoad) -> Sheet {
        var sheet = Sheet()
        let (text, style) = outcome(load.dryRun, load.alreadyLoaded)
        sheet.add("outcome", text, style: style)
        sheet.addUnlessEmpty("load", load.loadID)
        sheet.add("file", "\(load.fileName), \(Wording.plural(load.rows, "row")), year \(load.financialYear)")
        sheet.add(
            "contracts",
            "\(Wording.count(load.gms)) GMS, \(Wording.count(load.pms)) PMS, \(Wording.count(load.apms)) APMS"
        )
        sheet.add(
            "rows left out",
            "\(Wording.count(load.skippedUnknownContract)) without a contract in force, "
                + "\(Wording.count(load.skippedNoList)) without a list, "
                + "\(Wording.count(load.skippedNoCoreMoney)) without core money")
        sheet.add("registered patients", Wording.count(load.registeredPatients))
        sheet.add("weighted patients", Wording.hundredths(load.weightedPatientsHundredths))
        sheet.add("published global sum", Wording.pounds(load.publishedGlobalSumPence))
        sheet.add("sha-256", load.sha256)
        return sheet
    }
}
