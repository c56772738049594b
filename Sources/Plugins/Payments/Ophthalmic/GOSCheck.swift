import PluginAPI

/// Everything about a claim that can be judged from the claim, the rates and the day on which it comes. Pure.
struct GOSCheck: Sendable {
    let today: CalendarDate
    let deadline: ClaimDeadline

    func rejections(_ claim: GOSClaim) throws(PaymentsError) -> [GOSRejection] {
        guard let form = claim.form else { return [.formUnknown] }
        var found: [GOSRejection] = []
        if !(1...40).contains(claim.reference.utf8.count) { found.append(.referenceTaken) }
        signatures(claim, form, &found)
        if let day = claim.performedOn, day <= today, SupportedDays.contains(day) {
            if let late = try deadline.rejection(
                form, performedOn: day, isOnPaper: claim.isOnPaper, today: today)
            {
                found.append(late)
            }
            if form == .preRegistration, claim.supervisedFrom.map({ $0 > day }) ?? true {
                found.append(.dayWrong)
            }
        } else {
            found.append(.dayWrong)
        }
        if form.isGrant {
            if form == .preRegistration, claim.surname.isEmpty { found.append(.patientIncomplete) }
            return found
        }
        patient(claim, &found)
        switch form {
        case .sightTest, .domiciliary:
            let known = claim.lastTestOn.map { last in claim.performedOn.map { last < $0 } ?? true } ?? false
            if !known, !claim.neverTested { found.append(.lastTestMissing) }
        case .privateTestHelp:
            if claim.eligibility != .partialHelp || claim.price <= 0 || claim.contribution < 0 {
                found.append(.partialHelpMissing)
            }
        default: voucher(claim, form, &found)
        }
        return found
    }

    private func signatures(_ claim: GOSClaim, _ form: GOSForm, _ found: inout [GOSRejection]) {
        func isSigned(_ day: CalendarDate?) -> Bool { day.map { $0 <= today } ?? false }
        if !isSigned(claim.performerSignedOn) { found.append(.performerUnsigned) }
        if !isSigned(claim.contractorSignedOn) { found.append(.contractorUnsigned) }
        if !form.isGrant, !isSigned(claim.patientSignedOn) { found.append(.patientUnsigned) }
        if !GOSCheck.isPerformerNumber(claim.performer) { found.append(.performerNumber) }
    }

    /// GOC: two digits or a letter D, a hyphen, four to six digits. GMC: seven digits.
    static func isPerformerNumber(_ text: String) -> Bool {
        func areDigits(_ part: some StringProtocol) -> Bool {
            part.utf8.allSatisfy { (0x30...0x39).contains($0) }
        }
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        if parts.count == 1 { return text.utf8.count == 7 && areDigits(text) }
        guard parts.count == 2, (4...6).contains(parts[1].utf8.count), areDigits(parts[1]) else {
            return false
        }
        return parts[0] == "D" || parts[0].utf8.count == 2 && areDigits(parts[0])
    }

    private func patient(_ claim: GOSClaim, _ found: inout [GOSRejection]) {
        let isNamed = !claim.surname.isEmpty && !claim.forenames.isEmpty
        let isSound = claim.nhsNumber.isEmpty || GOSCheck.isNHSNumber(claim.nhsNumber)
        guard isNamed, isSound, let born = claim.born, born <= claim.performedOn ?? today else {
            found.append(.patientIncomplete)
            return
        }
        if claim.eligibility == nil { found.append(.eligibilityMissing) }
        let day = claim.performedOn ?? today
        let isChild = ClaimDeadline.adding(months: 16 * 12, to: born) > day
        if claim.eligibility == .under16, !isChild { found.append(.eligibilityMissing) }
        if isChild, claim.guardian.isEmpty { found.append(.guardianMissing) }
    }

    /// Ten digits, the last of them the check digit by modulus 11.
    static func isNHSNumber(_ text: String) -> Bool {
        let digits = text.utf8.map { Int($0) - 0x30 }
        guard digits.count == 10, digits.allSatisfy({ (0...9).contains($0) }) else { return false }
        let sum = digits.prefix(9).enumerated().reduce(0) { $0 + $1.element * (10 - $1.offset) }
        return (11 - sum % 11) % 11 == digits[9]
    }

    private func voucher(_ claim: GOSClaim, _ form: GOSForm, _ found: inout [GOSRejection]) {
        if form == .repair, claim.repairReason.isEmpty { found.append(.repairReasonMissing) }
        if form == .voucher {
            let isDated = claim.prescribedOn.map { $0 <= claim.performedOn ?? today } ?? false
            if !isDated { found.append(.prescriptionDateMissing) }
        }
        let areCounts = (0...2).contains(claim.tints) && (0...2).contains(claim.prisms)
        let help = claim.contribution == 0 || claim.eligibility == .partialHelp
        if claim.price <= 0 || claim.price > 1_000_000 || claim.contribution < 0 || !areCounts || !help
            || claim.voucher == nil
        {
            found.append(.valuesMissing)
        }
        let lenses = [claim.right, claim.left].compactMap { $0 }
        guard !lenses.isEmpty, lenses.allSatisfy(\.isSound) else {
            found.append(.powerWrong)
            return
        }
        if let type = claim.voucher, type != claim.voucherByPower { found.append(.voucherTypeWrong) }
        if claim.eligibility == .complexLens, !claim.isComplex { found.append(.notComplex) }
    }
}
