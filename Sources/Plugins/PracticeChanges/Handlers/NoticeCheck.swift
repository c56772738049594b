import ChangesContract
import CommonContract
import HostContract
import PluginAPI

/// What a notice needs: to be a draft, and to be submitted (all mandatory fields of sections 1, 2 and 4).
enum NoticeCheck {
    static func draft(_ notice: Pcs_Changes_V1_Notice, practice: String) throws {
        var violations = RequestFields()
        if notice.kind != .merger && notice.kind != .closure {
            violations.refuse("notice.kind", "15.1", "The notice is of a merger or a closure.")
        }
        if notice.effectiveOn.calendarDate == nil {
            violations.refuse("notice.effective_on", "15.1", "The effective date is needed.")
        }
        if !(1...5).contains(notice.closing.count) {
            violations.refuse("notice.closing", "15.1", "1 to 5 practices close.")
        }
        for (index, closing) in notice.closing.enumerated() {
            violations.practice(closing.practiceCode, "notice.closing[\(index)].practice_code", "15.1 1A")
        }
        if notice.kind == .merger {
            violations.practice(
                notice.merger.survivingPracticeCode, "notice.merger.surviving_practice_code", "15.1 2")
        }
        let codes =
            notice.closing.map(\.practiceCode)
            + (notice.kind == .merger ? [notice.merger.survivingPracticeCode] : [])
        if Set(codes).count != codes.count {
            violations.refuse("notice.closing", "15.1", "Each practice is named once.")
        }
        if !practice.isEmpty, !codes.contains(practice) {
            violations.refuse("practice_code", "15.1", "\(practice) is not in the notice.")
        }
        try violations.finish()
    }

    static func complete(_ notice: Pcs_Changes_V1_Notice, today: CalendarDate) throws {
        var violations = RequestFields()
        if let day = notice.effectiveOn.calendarDate, day <= today {
            violations.refuse("notice.effective_on", "15.1", "The effective date lies ahead.")
        }
        for (index, closing) in notice.closing.enumerated() {
            check(closing, "notice.closing[\(index)].", notice, &violations)
        }
        if notice.kind == .merger { check(notice.merger, notice, &violations) }
        check(notice.common, notice, &violations)
        try violations.finish(ChangesReasons.noticeIncomplete)
    }

    private static func check(
        _ closing: Pcs_Changes_V1_ClosingPractice, _ place: String, _ notice: Pcs_Changes_V1_Notice,
        _ violations: inout RequestFields
    ) {
        let rule = "15.1 section 1A"
        violations.text(closing.practiceName, place + "practice_name", rule)
        violations.text(closing.address, place + "address", rule, 5...500)
        violations.text(closing.phone, place + "phone", rule, 6...30)
        violations.text(closing.contactName, place + "contact_name", rule)
        if !closing.contactEmail.contains("@") || closing.contactEmail.count > 254 {
            violations.refuse(place + "contact_email", rule, "An e-mail address is needed.")
        }
        if closing.performers.isEmpty {
            violations.refuse(place + "performers", "15.1 section 1B", "Every GP is named.")
        }
        for (index, performer) in closing.performers.enumerated() {
            let at = place + "performers[\(index)]."
            violations.text(performer.name, at + "name", "15.1 section 1B")
            let isNumber =
                performer.gmcNumber.utf8.count == 7
                && performer.gmcNumber.utf8.allSatisfy { (0x30...0x39).contains($0) }
            if !isNumber {
                violations.refuse(at + "gmc_number", "15.1 section 1B", "A GMC number has 7 digits.")
            }
            if Pcs_Changes_V1_PerformerRole.allCases.firstIndex(of: performer.role) == nil
                || performer.role == .unspecified
            {
                violations.refuse(at + "role", "15.1 section 1B", "The role is needed.")
            }
            violations.text(
                performer.changeFormDocumentID, at + "change_form_document_id", "15.1 section 1B", 1...100)
        }
    }

    private static func check(
        _ merger: Pcs_Changes_V1_Merger, _ notice: Pcs_Changes_V1_Notice, _ violations: inout RequestFields
    ) {
        let rule = "15.1 section 2"
        let codes = notice.closing.map(\.practiceCode)
        for (index, branch) in merger.branches.enumerated() {
            let at = "notice.merger.branches[\(index)]."
            if !(codes + [merger.survivingPracticeCode]).contains(branch.practiceCode) {
                violations.refuse(at + "practice_code", rule, "The site is of no practice of the notice.")
            }
            violations.text(branch.branchCode, at + "branch_code", rule, 3...12)
            violations.text(branch.address, at + "address", rule, 5...500)
        }
        if !(codes + [merger.survivingPracticeCode]).contains(merger.bankAccountOfPracticeCode) {
            violations.refuse(
                "notice.merger.bank_account_of_practice_code", rule, "The notice says whose account is used.")
        }
        if merger.bankAccountOfPracticeCode != merger.survivingPracticeCode {
            violations.text(
                notice.common.bankDeclarationDocumentID, "notice.common.bank_declaration_document_id",
                "15.1 section 4", 1...100)
        }
    }

    private static func check(
        _ common: Pcs_Changes_V1_CommonSection, _ notice: Pcs_Changes_V1_Notice,
        _ violations: inout RequestFields
    ) {
        let rule = "15.1 section 4"
        violations.text(common.responsibleName, "notice.common.responsible_name", rule)
        if !common.responsibleEmail.contains("@") || common.responsibleEmail.count > 254 {
            violations.refuse("notice.common.responsible_email", rule, "An e-mail address is needed.")
        }
        switch (notice.kind, common.patientPlan) {
        case (.merger, .bulkTransfer), (.closure, .dispersal): break
        case (.closure, .allocation):
            if common.receivingPracticeCodes.isEmpty {
                violations.refuse(
                    "notice.common.receiving_practice_codes", rule,
                    "An allocated list has practices that take it.")
            }
        default:
            violations.refuse(
                "notice.common.patient_plan", rule,
                "In a merger patients are transferred in bulk; in a closure allocated or dispersed.")
        }
        for (index, code) in common.receivingPracticeCodes.enumerated() {
            violations.practice(code, "notice.common.receiving_practice_codes[\(index)]", rule)
        }
        if common.recordsCollected {
            violations.text(
                common.recordsInventoryDocumentID, "notice.common.records_inventory_document_id", rule,
                1...100)
        }
        violations.text(
            common.pensionEstimateDocumentID, "notice.common.pension_estimate_document_id", rule, 1...100)
    }
}
