import PluginAPI

/// A claim as the rules see it.
struct GOSClaim: Sendable {
    enum Eligibility: UInt8, Sendable {
        case under16 = 1, student, aged60, benefit, fullHelp, partialHelp, medical, complexLens, prisoner
    }

    enum Hospital: UInt8, Sendable { case none, glasses, contactLenses }

    var reference = ""
    var form: GOSForm?
    var nhsNumber = ""
    var surname = ""
    var forenames = ""
    var born: CalendarDate?
    var guardian = ""
    var eligibility: Eligibility?
    var performedOn: CalendarDate?
    var lastTestOn: CalendarDate?
    var neverTested = false
    var performer = ""
    var performerSignedOn: CalendarDate?
    var contractorSignedOn: CalendarDate?
    var patientSignedOn: CalendarDate?
    var right: LensPower?
    var left: LensPower?
    var isBifocal = false
    var isPrismControlled = false
    var hospital = Hospital.none
    var prescribedOn: CalendarDate?
    var voucher: VoucherType?
    var price: Int64 = 0
    var contribution: Int64 = 0
    var isSmall = false
    var tints: Int64 = 0
    var prisms: Int64 = 0
    var repairReason = ""
    var visit = ""
    var isOnPaper = false
    var supervisedFrom: CalendarDate?

    /// The voucher that the prescription comes to; `nil` without a lens.
    var voucherByPower: VoucherType? {
        switch hospital {
        case .glasses: return .i
        case .contactLenses: return .j
        case .none: break
        }
        let lenses = [right, left].compactMap { $0 }
        return lenses.isEmpty ? nil : VoucherType(lenses, isBifocal: isBifocal)
    }

    var isComplex: Bool { isPrismControlled || [right, left].contains { $0?.isComplex == true } }

    /// Whose claim it is: the patient, or for grants the performer. Alike for alike people.
    var person: String {
        if form?.isGrant == true { return performer + "|" + surname }
        let forename = forenames.prefix { $0 != " " }
        return (surname + "|" + forename).lowercased() + "|" + String(born?.daysSince1970 ?? 0)
    }

    var personKey: Int64 { GOSClaim.key(of: person) }

    /// To find claims of a person by; others may have the same, and are told apart by comparing.
    static func key(of person: String) -> Int64 {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in person.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        return Int64(bitPattern: hash)
    }
}
