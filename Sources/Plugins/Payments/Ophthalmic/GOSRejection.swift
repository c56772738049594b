/// Why a claim is rejected. Codes are stored and shown; never reuse one.
enum GOSRejection: UInt8, CaseIterable, Sendable {
    case lastTestMissing = 1
    case performerUnsigned = 2
    case contractorUnsigned = 3
    case patientUnsigned = 4
    case prescriptionDateMissing = 5
    case valuesMissing = 6
    case guardianMissing = 7
    case performerNumber = 8
    case tooLate = 9
    case dayWrong = 10
    case patientIncomplete = 11
    case powerWrong = 12
    case voucherTypeWrong = 13
    case notComplex = 14
    case visitUnknown = 15
    case visitDayDiffers = 16
    case visitFull = 17
    case duplicate = 18
    case referenceTaken = 19
    case paperEnded = 20
    case partialHelpMissing = 21
    case eligibilityMissing = 22
    case repairReasonMissing = 23
    case outsideWindow = 24
    case formUnknown = 25
    case visitAwaitsApproval = 26

    var code: String { "GOS" + (rawValue < 10 ? "0" : "") + String(rawValue) }

    init?(code: String) {
        guard let found = GOSRejection.allCases.first(where: { $0.code == code }) else { return nil }
        self = found
    }

    /// For the practice, with the time limit that applied to the claim.
    func message(of claim: GOSClaim, _ deadline: ClaimDeadline) -> String {
        guard self == .tooLate, let form = claim.form, let day = claim.performedOn,
            let months = try? deadline.months(form, performedOn: day),
            let last = try? deadline.last(form, performedOn: day)
        else { return message }
        return "The claim came after \(last), the last day: \(months) months after the day of the test or of supply, "
            + "\(day)."
    }

    /// For the practice.
    var message: String {
        switch self {
        case .lastTestMissing: "Give the date of the last sight test, or say that there was none."
        case .performerUnsigned: "The performer has not signed the declaration, or after today."
        case .contractorUnsigned:
            "The contractor part is not signed; a performer who is the contractor signs both."
        case .patientUnsigned: "The patient's declaration is missing, or after today."
        case .prescriptionDateMissing: "Give the date of the prescription; it is not after the day of supply."
        case .valuesMissing: "Give the retail price and the voucher type."
        case .guardianMissing: "Give the name of the parent or guardian of a patient under 16."
        case .performerNumber:
            "The performer's number is a GOC number such as 01-12345, or a GMC number of seven digits."
        case .tooLate:
            "The claim came after the last day that counts from the day of the test or of supply."
        case .dayWrong: "The day of the test or of supply is missing or after today."
        case .patientIncomplete:
            "Give the patient's names and date of birth; an NHS number needs its right check digit."
        case .powerWrong:
            "Give the power of the lenses in quarters of a dioptre, sphere to 30, cylinder to 15."
        case .voucherTypeWrong: "The voucher type is not the one that the prescription comes to."
        case .notComplex:
            "A complex lens has ten dioptres or more in a meridian, or is a prism-controlled bifocal."
        case .visitUnknown: "No visit was notified under this reference."
        case .visitDayDiffers: "The visit was notified for another day."
        case .visitFull: "More patients are claimed for the visit than were notified."
        case .duplicate: "The same is claimed already for this person and day."
        case .referenceTaken: "Another claim has this reference; it is 1 to 40 characters and unique."
        case .paperEnded: "Paper forms are not taken for work of this day, or not any more."
        case .partialHelpMissing:
            "Help with a private test needs its price and the contribution of the HC3 certificate."
        case .eligibilityMissing: "Say why the patient is entitled."
        case .repairReasonMissing: "Say what was lost or damaged, and how."
        case .outsideWindow: "Grants are claimed in their window: July to early November of the year after."
        case .formUnknown: "The form is GOS 1, 3, 4, 5, 6 or a grant."
        case .visitAwaitsApproval: "The substitution on the day of the visit is not approved yet."
        }
    }
}
