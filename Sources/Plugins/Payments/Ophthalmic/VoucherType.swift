/// Power of one lens in hundredths of a dioptre.
struct LensPower: Hashable, Sendable {
    var sphere: Int32
    var cylinder: Int32

    /// Steps of a quarter, sphere to 30 and cylinder to 15 dioptres either way.
    var isSound: Bool {
        sphere % 25 == 0 && cylinder % 25 == 0 && (-3_000...3_000).contains(sphere)
            && (-1_500...1_500).contains(cylinder)
    }

    /// Ten dioptres or more in one meridian.
    var isComplex: Bool { max(sphere.magnitude, (sphere + cylinder).magnitude) >= 1_000 }
}

/// Type of an optical voucher: A to D single vision, E to H bifocal, I and J prescribed by a hospital (payments.md 10.2).
enum VoucherType: UInt8, CaseIterable, Sendable {
    case a = 10
    case b, c, d, e, f, g, h, i, j

    private static let letters = Array("ABCDEFGHIJ")

    var letter: String { String(VoucherType.letters[Int(rawValue) - 10]) }

    var fee: GOSFee {
        switch self {
        case .a: .voucherA
        case .b: .voucherB
        case .c: .voucherC
        case .d: .voucherD
        case .e: .voucherE
        case .f: .voucherF
        case .g: .voucherG
        case .h: .voucherH
        case .i: .voucherI
        case .j: .voucherJ
        }
    }

    init?(letter: String) {
        guard let found = VoucherType.allCases.first(where: { $0.letter == letter }) else { return nil }
        self = found
    }

    /// 0 to 3 by the power of a lens: the highest rule that it meets.
    private static func band(_ lens: LensPower) -> UInt8 {
        let (sphere, cylinder) = (lens.sphere.magnitude, lens.cylinder.magnitude)
        if sphere > 1_400 || cylinder > 600 { return 3 }
        if sphere >= 1_000 { return 2 }
        if sphere > 600 || cylinder > 200 { return 1 }
        return 0
    }

    /// The type of a pair follows from its stronger lens.
    init(_ lenses: [LensPower], isBifocal: Bool) {
        let band = lenses.map(VoucherType.band).max() ?? 0
        self = VoucherType(rawValue: 10 + band + (isBifocal ? 4 : 0)) ?? .a
    }
}
