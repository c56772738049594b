import PluginAPI

/// What an accepted claim is paid, before the rate is known: the amount is the rate of the day, at most `ceiling`, less
/// `less`. Claims alike are counted together, so that a month of a contractor is a handful of numbers and a fee that is
/// confirmed later changes the amounts by itself.
struct GOSEntitlement: Hashable, Sendable {
    var form: GOSForm
    var fee: GOSFee
    var day: CalendarDate
    /// Pence; `nil` = none.
    var ceiling: Int64?
    /// Pence.
    var less: Int64 = 0
    /// Taken back after it was paid.
    var isRecovery = false

    var isWhole: Bool { ceiling == nil && less == 0 }

    /// Pence for one claim.
    func amount(ratePence: Int64) -> Int64 { max(0, min(ratePence, ceiling ?? .max) - less) }

    /// - Parameter place: number of the patient on the notified visit, from 1; the first two are paid more.
    static func of(_ claim: GOSClaim, place: Int64) -> [GOSEntitlement] {
        guard let form = claim.form, let day = claim.performedOn else { return [] }
        func whole(_ fee: GOSFee) -> GOSEntitlement { GOSEntitlement(form: form, fee: fee, day: day) }
        switch form {
        case .sightTest: return [whole(.sightTest)]
        case .domiciliary:
            return [whole(.sightTest), whole(place <= 2 ? .domiciliaryFirst : .domiciliaryFurther)]
        case .privateTestHelp:
            return [
                GOSEntitlement(
                    form: form, fee: .sightTest, day: day, ceiling: claim.price, less: claim.contribution)
            ]
        case .professionalDevelopment: return [whole(.professionalDevelopment)]
        case .preRegistration: return [whole(.preRegistration)]
        case .voucher, .repair: break
        }
        guard let type = claim.voucher else { return [] }
        let main: GOSFee =
            claim.eligibility == .complexLens
            ? (claim.isBifocal ? .complexBifocal : .complexSingle) : type.fee
        var parts = [
            GOSEntitlement(
                form: form, fee: main, day: day, ceiling: claim.price, less: claim.contribution)
        ]
        if claim.isSmall { parts.append(whole(.smallGlasses)) }
        parts += (0..<claim.tints).map { _ in whole(.tint) }
        parts += (0..<claim.prisms).map { _ in whole(.prism) }
        return parts
    }
}

/// Claims counted by what they are paid.
struct GOSTotals: Sendable {
    private(set) var counts: [GOSEntitlement: Int64] = [:]

    mutating func add(_ parts: [GOSEntitlement], count: Int64 = 1) {
        for part in parts { counts[part, default: 0] += count }
    }

    mutating func add(_ other: GOSTotals) { counts.merge(other.counts, uniquingKeysWith: +) }

    var sorted: [(key: GOSEntitlement, value: Int64)] {
        counts.sorted { left, right in left.key.order.lexicographicallyPrecedes(right.key.order) }
    }

    func encoded() -> [UInt8] {
        var writer = CompactWriter()
        let sorted = sorted
        writer.count(sorted.count)
        for (part, count) in sorted {
            writer.byte(part.form.rawValue)
            writer.byte(part.fee.rawValue)
            writer.date(part.day)
            writer.signed(part.ceiling ?? -1)
            writer.signed(part.less)
            writer.byte(part.isRecovery ? 1 : 0)
            writer.signed(count)
        }
        return writer.bytes
    }

    init() {}

    init(_ bytes: [UInt8]) throws(PaymentsError) {
        do throws(CompactCodingError) {
            var reader = CompactReader(bytes)
            for _ in 0..<(try reader.count()) {
                guard let form = GOSForm(rawValue: try reader.byte()),
                    let fee = GOSFee(rawValue: try reader.byte())
                else { throw .malformed }
                let day = try reader.date()
                let ceiling = try reader.signed()
                let part = GOSEntitlement(
                    form: form, fee: fee, day: day, ceiling: ceiling < 0 ? nil : ceiling,
                    less: try reader.signed(),
                    isRecovery: try reader.byte() == 1)
                counts[part, default: 0] += try reader.signed()
            }
        } catch {
            throw .damaged("totals of ophthalmic claims")
        }
    }
}

extension GOSEntitlement {
    fileprivate var order: [Int64] {
        [
            Int64(form.rawValue), Int64(fee.rawValue), isRecovery ? 1 : 0, Int64(day.daysSince1970),
            ceiling ?? -1, less,
        ]
    }
}
