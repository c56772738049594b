import PluginAPI

/// One band of a scale of payments.md 9.4.
struct DispensingBand: Hashable, Sendable {
    /// Names are those of the file.
    enum Scale: String, CaseIterable, Sendable {
        /// Percent of the basic price that is taken off, by the price for each practitioner in pounds.
        case discount = "DISCOUNT"
        /// Pence a prescription of a dispensing practice, by prescriptions for each practitioner.
        case dispensingFee = "DISPENSING_FEE"
        /// Pence a prescription of a practice that only administers drugs itself.
        case prescribingFee = "PRESCRIBING_FEE"
    }

    var scale: Scale
    var from: CalendarDate
    /// Exclusive; `nil` = open.
    var to: CalendarDate?
    var lower: Int64
    /// Inclusive; `nil` = no upper bound.
    var upper: Int64?
    /// `nil` = parameter: not known, and what needs it is refused.
    var value: ExactDecimal?
    var grade: String
    var source: String
    var note: String
    /// Recorded version of the set; 0 while it is not approved.
    var version: Int64 = 0

    func contains(_ day: CalendarDate) -> Bool { day >= from && to.map { day < $0 } != false }

    /// For people: `DISPENSING_FEE 1064 to 1478: 212.8`.
    var text: String {
        let bounds = upper.map { " to \($0)" } ?? " and above"
        return "\(scale.rawValue) \(lower)\(bounds): \(value?.description ?? "not set")"
    }
}

/// All bands as known at one moment. The bands of a scale that begin on one day and were recorded together are an
/// edition; where several speak about a day, the one recorded last holds.
struct DispensingBands: Sendable {
    private let editions: [DispensingBand.Scale: [[DispensingBand]]]

    /// - Parameter rows: in order of recording, each edition in order of its bounds.
    init(_ rows: [DispensingBand]) {
        var found: [DispensingBand.Scale: [[DispensingBand]]] = [:]
        for row in rows {
            var held = found[row.scale] ?? []
            if let last = held.last?.last, last.version == row.version, last.from == row.from {
                held[held.count - 1].append(row)
            } else {
                held.append([row])
            }
            found[row.scale] = held
        }
        editions = found
    }

    func edition(_ scale: DispensingBand.Scale, at day: CalendarDate) throws(PaymentsError)
        -> [DispensingBand]
    {
        guard let edition = editions[scale]?.last(where: { $0.first?.contains(day) == true }) else {
            throw .figureMissing("dispensing bands " + scale.rawValue, day)
        }
        return edition
    }
}
