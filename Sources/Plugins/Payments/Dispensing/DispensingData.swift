import PluginAPI
import Tabular

/// What the pricing authority says of one practice and month.
struct DispensingData: Hashable, Sendable {
    /// Numbers are stored and follow `pcs.payments.v1.DispensingKind`.
    enum Kind: Int64, CaseIterable, Sendable {
        case dispensing = 1
        case prescribing = 2

        var name: String {
            switch self {
            case .dispensing: "DISPENSING"
            case .prescribing: "PRESCRIBING"
            }
        }

        var feeScale: DispensingBand.Scale {
            switch self {
            case .dispensing: .dispensingFee
            case .prescribing: .prescribingFee
            }
        }

        var feePaycode: Paycode {
            switch self {
            case .dispensing: .dispensingFee
            case .prescribing: .personallyAdministeredFee
            }
        }
    }

    var practice: ODSCode
    /// Month of dispensing.
    var month: YearMonth
    var kind: Kind
    var prescriptions: Int64
    /// Over how many the totals are divided before a band is found.
    var practitioners: Int64
    var basicPricePence: Int64
    /// Amount on which the VAT allowance of personally administered items is calculated.
    var vatBasePence: Int64
    var chargesPence: Int64
    var loadID = ""
    var version: Int64 = 0
}

/// The monthly file of the pricing authority. Rules DSP01 to DSP08.
struct DispensingFile {
    static let columns = [
        "practice_code", "dispensing_month", "kind", "prescriptions", "practitioners", "basic_price",
        "vat_base",
        "charges_collected",
    ]
    private static let mostPence: Int64 = 1_000_000_000

    let month: YearMonth
    /// Whether the practice has a contract in the month.
    let hasContract: (ODSCode) -> Bool

    func read(_ bytes: [UInt8]) -> (rows: [DispensingData], violations: ViolationList) {
        var reader = RowReader(upload: bytes, columns: DispensingFile.columns)
        var rows: [DispensingData] = []
        while reader.next() {
            let practice = reader.practice("practice_code", "DSP01")
            if let practice, !hasContract(practice) {
                reader.refuse("practice_code", "DSP01", "\(practice) has no contract in \(month)")
            }
            if reader.cell("dispensing_month") != month.description {
                reader.refuse("dispensing_month", "DSP02", "the file is for \(month); write it \(month)")
            }
            let kind = DispensingData.Kind.allCases.first { $0.name == reader.cell("kind") }
            if kind == nil { reader.refuse("kind", "DSP03", "the kind is DISPENSING or PRESCRIBING") }
            if let practice, let kind {
                reader.requireUnique(practice.value + " " + kind.name, "practice_code", "DSP01")
            }
            let prescriptions = reader.decimal(
                "prescriptions", "DSP04", scale: 0, in: 0...10_000_000, mayBeEmpty: false)
            let practitioners = reader.decimal(
                "practitioners", "DSP05", scale: 0, in: 1...500, mayBeEmpty: false)
            let basic = pence("basic_price", "DSP06", &reader)
            let vat = pence("vat_base", "DSP07", &reader)
            let charges = pence("charges_collected", "DSP08", &reader)
            if let basic, let vat, vat > basic {
                reader.refuse(
                    "vat_base", "DSP07", "the VAT allowance is on part of the basic price, not on more")
            }
            guard let practice, let kind, let prescriptions, let practitioners, let basic, let vat,
                let charges
            else { continue }
            rows.append(
                DispensingData(
                    practice: practice, month: month, kind: kind, prescriptions: prescriptions,
                    practitioners: practitioners, basicPricePence: basic, vatBasePence: vat,
                    chargesPence: charges))
        }
        rows.sort { ($0.practice, $0.kind.rawValue) < ($1.practice, $1.kind.rawValue) }
        return (rows, reader.violations)
    }

    private func pence(_ name: String, _ rule: String, _ reader: inout RowReader) -> Int64? {
        reader.decimal(name, rule, scale: 2, in: 0...DispensingFile.mostPence, mayBeEmpty: false)
    }
}
