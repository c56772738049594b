import Accounting
import CommonContract
import CqrsContract
import PaymentsContract
import PluginAPI

/// Amounts that the quality service has finally approved, paid once each (cqrs.md 11, payments.md 12.2).
///
/// The instruction's id is the natural key of its item: delivered twice, or after a restart, it is one item. A recall
/// takes back an item that no published run has paid; a paid one is countered by an item of its own. A recall that
/// arrives first leaves a withdrawn item of nothing, so that the instruction after it finds its key taken.
enum QualityEvents {
    static let publisher = "cqrs"
    private static let actor = "cqrs"
    /// In the source of a line that corrects another instruction.
    static let corrects = ", corrects "

    static var subscriptions: [Subscription] {
        [
            Subscription(to: Pcs_Cqrs_V1_PaymentInstructed.self, from: publisher) { event, _, transaction in
                try instruct(event, transaction)
            },
            Subscription(to: Pcs_Cqrs_V1_PaymentRecalled.self, from: publisher) { event, _, transaction in
                try recall(event, transaction)
            },
            Subscription(to: Pcs_Cqrs_V1_AchievementApproved.self, from: publisher) { event, _, transaction in
                try achieved(event, transaction)
            },
            Subscription(to: Pcs_Cqrs_V1_AspirationSet.self, from: publisher) { event, _, transaction in
                try aspire(event, transaction)
            },
        ]
    }

    private static let byKey = Statement(
        """
        SELECT item_id, payee_code, paycode, pence, month, withdrawn_seq FROM payable_item WHERE natural_key = ?1
        """)

    static func key(_ instructionID: String) -> String { "cqrs/" + instructionID }

    /// An event that cannot be read is not paid: it is parked for an operator with the reason.
    struct Unreadable: Error, CustomStringConvertible {
        let instruction: String
        let problem: String
        var description: String { "instruction \(instruction): \(problem)" }
    }

    static func instruct(_ event: Pcs_Cqrs_V1_PaymentInstructed, _ transaction: any Transaction) throws {
        func unreadable(_ problem: String) -> Unreadable { Unreadable(instruction: event.instructionID, problem: problem) }
        guard !event.instructionID.isEmpty else { throw unreadable("has no id") }
        guard let payee = ODSCode(event.payeeCode) else { throw unreadable("names no payee") }
        guard event.hasPeriod, let month = YearMonth(year: Int(event.period.year), month: Int(event.period.month)) else {
            throw unreadable("names no month")
        }
        // A publisher of an earlier version may leave the release out: then the month after the period.
        let release = event.hasReleaseDate ? event.releaseDate.calendarDate : nil
        let first = release.map { YearMonth(containing: $0) } ?? month.adding(months: 1)
        guard event.grossPence != 0, try !QualityFigureStore.known(event.instructionID, transaction) else { return }
        let year = FinancialYear(containing: month)
        let provider = ODSCode(event.providerCode) ?? payee
        let family = paycode(event.payCode, event.grossPence)
        if let obstacle = try NetworkInstructions.obstacle(family, for: month, transaction) {
            return try refuse(event, provider, because: obstacle, in: transaction)
        }
        // A network's money stands on its own statement, whoever receives it (8.3).
        let owner = NetworkInstructions.families.contains(family) ? provider : payee
        let ahead = try aspiration(of: event, family, provider, year, transaction)
        let origin = event.declarationID.isEmpty ? "claim " + event.claimID : "declaration " + event.declarationID
        let corrects = event.correctsInstructionID.isEmpty ? "" : corrects + event.correctsInstructionID
        let note = "\(event.serviceCode) \(origin), earned by \(event.providerCode)\(corrects)"
        var line = line(
            event.instructionID, payee: owner, paycode: family, units: units(event),
            basis: event.payCode.isEmpty ? "QUALITY" : event.payCode, pence: event.grossPence, month: month, note: note)
        if let ahead {
            line.explanation = try AspirationBalance.explanation(
                gross: Money(pence: event.grossPence), aspiration: Money(pence: ahead.pence), months: ahead.months,
                instruction: event.instructionID, note: note, year: year)
            line.pence = line.explanation.amount.pence
            line.rate = line.explanation.amount.pounds
            line.basis = "ACHIEVEMENT_LESS_ASPIRATION"
            if line.pence < 0 { line.paycode = .qofRecovery }
        }
        let item = PayableItem(
            naturalKey: key(event.instructionID), payee: owner, firstRun: first, line: line)
        if line.pence != 0 {
            try PayableItemStore.add([item], by: actor, detail: "instruction " + event.instructionID, in: transaction)
        }
        try QualityFigureStore.add(
            QualityFigureStore.Instruction(
                id: event.instructionID, seq: try InputLog.latest(transaction), declaration: event.declarationID,
                provider: provider, payee: owner, service: event.serviceCode, year: year, paycode: line.paycode,
                grossPence: event.grossPence, aspirationPence: ahead?.pence, pence: line.pence,
                releaseOn: release ?? first.firstDay), in: transaction)
        transaction.audit(
            AuditNote(
                object: "instruction/" + event.instructionID, organisation: owner.value,
                detail: "\(Money(pence: event.grossPence)) pounds, \(event.serviceCode) \(month), approved by \(event.commissionerCode)"))
    }

    /// Nothing is paid of it: the quality service hears why, and operators see it in the next run.
    private static func refuse(
        _ event: Pcs_Cqrs_V1_PaymentInstructed, _ provider: ODSCode, because reason: String,
        in transaction: any Transaction
    ) throws {
        guard try !InstructionRefusalStore.isKnown(event.instructionID, transaction) else { return }
        try InstructionRefusalStore.add(
            .init(
                instruction: event.instructionID, declaration: event.declarationID, provider: provider,
                service: event.serviceCode, pence: event.grossPence, reason: reason), in: transaction)
        try transaction.publish(
            Pcs_Payments_V1_PaymentInstructionRefused.with {
                ($0.instructionID, $0.code) = (event.instructionID, NetworkInstructions.calculatedHere)
                $0.message = reason
            }, key: event.instructionID)
        transaction.audit(
            AuditNote(
                object: "instruction/" + event.instructionID, organisation: provider.value,
                detail: "refused, \(Money(pence: event.grossPence)) pounds: \(reason)"))
    }

    /// What was paid ahead of an achievement of the framework. Deducted once a year: corrections, further parts and
    /// what comes after an instruction that stands are paid as they are.
    private static func aspiration(
        of event: Pcs_Cqrs_V1_PaymentInstructed, _ family: Paycode, _ provider: ODSCode, _ year: FinancialYear,
        _ reader: any Reader
    ) throws -> (pence: Int64, months: Int)? {
        guard family == .qofAchievement, event.correctsInstructionID.isEmpty else { return nil }
        let isSettled = try QualityFigureStore.instructions(of: provider, reader).contains {
            $0.year == year && $0.aspirationPence != nil
        }
        guard !isSettled else { return nil }
        let paid = try AspirationBalance.paid(to: provider, for: year, reader)
        return paid.months == 0 ? nil : paid
    }

    /// The read model of achievement: what is expected to be paid, and what it stands on.
    static func achieved(_ event: Pcs_Cqrs_V1_AchievementApproved, _ transaction: any Transaction) throws {
        func unreadable(_ problem: String) -> Unreadable {
            Unreadable(instruction: "of declaration " + event.declarationID, problem: problem)
        }
        guard !event.declarationID.isEmpty else { throw unreadable("has no id") }
        guard let provider = ODSCode(event.providerCode) else { throw unreadable("names no provider") }
        guard let achievedOn = event.achievementDate.calendarDate else { throw unreadable("names no day") }
        let year = FinancialYear(event.financialYear) ?? FinancialYear(containing: achievedOn)
        // From a publisher of an earlier version: annual ones by the end of June (7.2), others the month after.
        let following = YearMonth(containing: achievedOn).adding(months: achievedOn == year.lastDay ? 3 : 1)
        let release = event.hasReleaseDate ? event.releaseDate.calendarDate : nil
        try QualityFigureStore.add(
            QualityFigureStore.Achievement(
                declaration: event.declarationID, provider: provider, service: event.serviceCode, year: year,
                achievedOn: achievedOn, pointsHundredths: event.pointsHundredths, pence: event.amountPence,
                releaseOn: release ?? following.firstDay,
                result: event.hasQualityResult ? try event.qualityResult.serializedBytes() : [],
                receivedAt: transaction.now), in: transaction)
    }

    static func aspire(_ event: Pcs_Cqrs_V1_AspirationSet, _ transaction: any Transaction) throws {
        guard let practice = ODSCode(event.providerCode), let year = FinancialYear(event.financialYear) else {
            throw Unreadable(instruction: "aspiration of \(event.providerCode)", problem: "names no practice and year")
        }
        guard event.monthlyPence >= 0 else {
            throw Unreadable(instruction: "aspiration of \(practice)", problem: "is negative")
        }
        let last = try QualityFigureStore.aspirations(of: practice, transaction).last { $0.year == year }
        if last?.monthlyPence == event.monthlyPence, last?.priorPence == event.priorAchievementPence { return }
        let monthly = Money(pence: event.monthlyPence)
        let seq = try InputLog.record(
            .quality, from: year.firstDay, to: year.lastDay.adding(days: 1), by: actor,
            detail: "aspiration of \(practice) for \(year)", in: transaction)
        try QualityFigureStore.add(
            QualityFigureStore.Aspiration(
                practice: practice, year: year, seq: seq, priorPence: event.priorAchievementPence,
                monthlyPence: event.monthlyPence, setAt: transaction.now), in: transaction)
        transaction.audit(
            AuditNote(
                object: "aspiration/\(practice)/\(year)", organisation: practice.value,
                detail: "\(monthly) pounds a month"))
    }

    static func recall(_ event: Pcs_Cqrs_V1_PaymentRecalled, _ transaction: any Transaction) throws {
        let reason = event.reason.isEmpty ? "recalled" : "recalled: " + event.reason
        try QualityFigureStore.recall(event.instructionID, reason: reason, in: transaction)
        let found = try transaction.first(byKey, [.text(key(event.instructionID))]) { row in
            (id: row.text(0), payee: row.text(1), paycode: row.integer(2), pence: row.integer(3), month: row.text(4))
        }
        guard let found else {
            // Nothing was to be paid of it: the achievement was just what had been paid ahead.
            if try QualityFigureStore.known(event.instructionID, transaction) { return }
            return try refuseInAdvance(event.instructionID, reason, transaction)
        }
        // A run that was frozen with it pays it, whatever is recorded since: the counter item takes it back.
        if try PayableItemStore.runFrozenWith(found.id, transaction) == nil {
            _ = try PayableItemStore.withdraw(found.id, reason: reason, by: actor, in: transaction)
        } else if let payee = ODSCode(found.payee), let month = YearMonth(iso8601: found.month),
            let paycode = Paycode(rawValue: UInt8(clamping: found.paycode))
        {
            let counter = PayableItem(
                naturalKey: key(event.instructionID) + "/recalled", payee: payee, firstRun: month,
                line: line(
                    event.instructionID, payee: payee, paycode: paycode, basis: "RECALLED", pence: -found.pence,
                    month: month, note: reason))
            try PayableItemStore.add(
                [counter], by: actor, detail: "recall of instruction in a run " + event.instructionID, in: transaction)
        }
        transaction.audit(
            AuditNote(object: "instruction/" + event.instructionID, organisation: found.payee, detail: reason))
    }

    private static func refuseInAdvance(_ id: String, _ reason: String, _ transaction: any Transaction) throws {
        guard let nobody = ODSCode("CQRS") else { return }
        let month = YearMonth(containing: LondonTime.day(at: transaction.now))
        let nothing = PayableItem(
            naturalKey: key(id), payee: nobody, firstRun: month,
            line: line(id, payee: nobody, paycode: .adjustmentUp, basis: "RECALLED", pence: 0, month: month, note: reason))
        for item in try PayableItemStore.add([nothing], by: actor, detail: "recalled " + id, in: transaction) {
            _ = try PayableItemStore.withdraw(item, reason: reason, by: actor, in: transaction)
        }
    }

    private static func line(
        _ instructionID: String, payee: ODSCode, paycode: Paycode, units: Units? = nil, basis: String, pence: Int64,
        month: YearMonth, note: String
    ) -> PaymentLine {
        let amount = Money(pence: pence)
        let source = Explanation.Source("instruction " + instructionID, note: note)
        var inputs = [
            Explanation.Input("instructed", amount.pounds, .pounds, from: source, asOf: month.lastDay)
        ]
        var steps: [Explanation.Step] = [.init("amount", rounding: .input(0))]
        if let units {
            inputs = [
                .init("count", units.quantity, .count, from: source, asOf: month.lastDay),
                .init("price", units.rate, .pounds, from: source, asOf: month.lastDay),
            ]
            steps = [.init("units", .input(0), .multiply, .input(1)), .init("amount", rounding: .step(0))]
        }
        return PaymentLine(
            paycode: paycode, contractID: payee.value, contractVersion: 0, periodFrom: month.firstDay,
            periodTo: month.lastDay, quantity: units?.quantity ?? ExactDecimal(1), rate: units?.rate ?? amount.pounds,
            basis: basis, pence: pence, source: .item, month: month,
            explanation: Explanation(
                rule: "7 quality services", ruleVersion: 1, inputs: inputs, steps: steps, rounding: "GEN-4",
                amount: amount),
            origin: key(instructionID))
    }

    /// A count at a price, where the instruction carries both (C1).
    private struct Units {
        var quantity: ExactDecimal
        var rate: ExactDecimal
    }

    /// `nil` when the instruction names no count and price, or they do not come to its amount.
    private static func units(_ event: Pcs_Cqrs_V1_PaymentInstructed) -> Units? {
        guard let quantity = ExactDecimal(event.quantity), let rate = ExactDecimal(event.rate),
            let pounds = try? quantity.rational.multiplied(by: rate.rational),
            (try? Rounding.toPence(pounds).pence) == event.grossPence
        else { return nil }
        return Units(quantity: quantity, rate: rate)
    }

    /// The family of a quality service's pay code. A code that is new to this version is paid all the same, as an
    /// adjustment: the money is approved, and the line names its service.
    static func paycode(_ code: String, _ pence: Int64) -> Paycode {
        families[code] ?? (pence < 0 ? .adjustmentDown : .adjustmentUp)
    }

    private static let families: [String: Paycode] = [
        "QOFACH": .qofAchievement, "QOFASP": .qofAspiration, "LDHC": .learningDisability, "WMREF": .weightManagement,
        "PCNCORE": .networkCore, "PCNNPP": .networkParticipation, "PCNCD": .networkClinicalDirector,
        "PCNEHA": .networkExtendedHours, "PCNEA": .networkEnhancedAccess, "PCNCARE": .networkCareHomes,
        "PCNIIF": .networkInvestment, "PCNCIP": .networkCapacityImprovement, "PCNCSP": .networkCapacitySupport,
        "VANDI": .childhoodVaccination, "V6IN1": .childhoodVaccination,
        "VMMR": .childhoodVaccination, "VPCV": .childhoodVaccination, "VROTA": .shinglesVaccination,
        "VHIBME": .childhoodVaccination, "VMENB": .meningitisVaccination, "VMENAC": .meningitisVaccination,
        "VPERT": .pertussisVaccination, "VSHIN": .shinglesVaccination, "VPPV": .pneumococcalVaccination,
        "VFLU": .influenzaVaccination, "VCHFLU": .influenzaVaccination, "LIS": .localIncentive,
        // No heading of their own in the official report: with the routine programme.
        "VHPV": .childhoodVaccination, "VRSV": .childhoodVaccination,
        "GPRS": .reimbursementScheme,
    ]
}
