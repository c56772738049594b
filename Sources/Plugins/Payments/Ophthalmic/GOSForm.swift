/// The forms of General Ophthalmic Services (payments.md 10.2), and the two grants that are claimed like them. Numbers
/// are stored and follow `pcs.payments.v1.OphthalmicForm`.
enum GOSForm: UInt8, CaseIterable, Sendable {
    case sightTest = 1
    case voucher = 3
    case repair = 4
    case privateTestHelp = 5
    case domiciliary = 6
    case professionalDevelopment = 7
    case preRegistration = 8

    var name: String {
        switch self {
        case .sightTest: "GOS1"
        case .voucher: "GOS3"
        case .repair: "GOS4"
        case .privateTestHelp: "GOS5"
        case .domiciliary: "GOS6"
        case .professionalDevelopment: "CPD"
        case .preRegistration: "PRE_REGISTRATION"
        }
    }

    var paycode: Paycode {
        switch self {
        case .sightTest: .sightTest
        case .voucher: .opticalVoucher
        case .repair: .voucherRepair
        case .privateTestHelp: .privateSightTestHelp
        case .domiciliary: .domiciliarySightTest
        case .professionalDevelopment: .opticalTrainingGrant
        case .preRegistration: .opticalPreRegistrationGrant
        }
    }

    /// A test of sight, whose time limit was six months until 2023.
    var isTest: Bool { self == .sightTest || self == .privateTestHelp || self == .domiciliary }
    var isVoucher: Bool { self == .voucher || self == .repair }
    var isGrant: Bool { self == .professionalDevelopment || self == .preRegistration }
}

/// What a claim may be paid: each has a rate of its own, at the day of the test or of supply. Numbers are stored.
enum GOSFee: UInt8, CaseIterable, Sendable {
    case sightTest = 1
    case domiciliaryFirst = 2
    case domiciliaryFurther = 3
    case voucherA = 10
    case voucherB = 11
    case voucherC = 12
    case voucherD = 13
    case voucherE = 14
    case voucherF = 15
    case voucherG = 16
    case voucherH = 17
    case voucherI = 18
    case voucherJ = 19
    case complexSingle = 20
    case complexBifocal = 21
    case smallGlasses = 22
    case tint = 23
    case prism = 24
    case professionalDevelopment = 30
    case preRegistration = 31

    var rate: RateName {
        switch self {
        case .sightTest: .gosSightTest
        case .domiciliaryFirst: .gosDomiciliaryFirst
        case .domiciliaryFurther: .gosDomiciliaryFurther
        case .voucherA: .gosVoucherA
        case .voucherB: .gosVoucherB
        case .voucherC: .gosVoucherC
        case .voucherD: .gosVoucherD
        case .voucherE: .gosVoucherE
        case .voucherF: .gosVoucherF
        case .voucherG: .gosVoucherG
        case .voucherH: .gosVoucherH
        case .voucherI: .gosVoucherI
        case .voucherJ: .gosVoucherJ
        case .complexSingle: .gosVoucherComplexSingle
        case .complexBifocal: .gosVoucherComplexBifocal
        case .smallGlasses: .gosVoucherSmallGlasses
        case .tint: .gosVoucherTint
        case .prism: .gosVoucherPrism
        case .professionalDevelopment: .gosProfessionalDevelopment
        case .preRegistration: .gosPreRegistration
        }
    }

    /// Fees for testing sight carry the levy of the Local Optical Committee (worked example E14).
    var carriesLevy: Bool { self == .sightTest }
}
