import PluginAPI
import Tabular
import Workbook

/// One local payment to a pharmacy.
struct LocalPayment: Hashable, Sendable {
    var contractor: ODSCode
    var lpaCode: String
    var pence: Int64
    var narrative: String
    var levies: PharmacyLevies
}

/// Whether a pharmacy pays the statutory and the voluntary levy of its Local Pharmaceutical Committee.
struct PharmacyLevies: Hashable, Sendable {
    var statutory: Bool
    var voluntary: Bool
}

/// The monthly file of local payments (payments.md 10.1): CSV, or the first sheet of a workbook with the same columns.
/// Rules PHL01 to PHL08.
struct LocalPaymentFile {
    static let columns = [
        "contractorCode", "lpaCode", "amount", "narrative", "paymentMonth", "levyStat", "levyVol",
    ]
    static let mostPence: Int64 = 100_000_000

    let month: YearMonth
    /// What the register says of a code.
    let standing: (ODSCode) -> Standing

    enum Standing: Sendable {
        case ours, unknown, ofAnotherCommissioner
        /// Last day, where the register says it.
        case closed(CalendarDate?)
    }

    func read(_ bytes: [UInt8]) -> (rows: [LocalPayment], violations: ViolationList) {
        var faults = ViolationList()
        let table = Table.read(
            upload: bytes, layout: .upload(.exact(LocalPaymentFile.columns)), into: &faults)
        var reader = RowReader(table, columns: LocalPaymentFile.columns, violations: faults)
        var rows: [LocalPayment] = []
        var levies: [ODSCode: PharmacyLevies] = [:]
        while reader.next() {
            let contractor = contractor(&reader)
            let lpa = reader.cell("lpaCode")
            let isCode = (3...12).contains(lpa.utf8.count) && ODSCode(lpa) != nil
            if !isCode {
                reader.refuse(
                    "lpaCode", "PHL02", "\(reader.shown("lpaCode")) is no agreement: 3 to 12 of A-Z and 0-9")
            }
            if contractor != nil, isCode {
                reader.requireUnique(reader.cell("contractorCode") + "/" + lpa, "lpaCode", "PHL07")
            }
            let pence = reader.decimal(
                "amount", "PHL03", scale: 2, in: -LocalPaymentFile.mostPence...LocalPaymentFile.mostPence,
                mayBeEmpty: false)
            let narrative = reader.cell("narrative")
            if !(1...100).contains(narrative.count) {
                reader.refuse("narrative", "PHL04", "a narrative of 1 to 100 characters is needed")
            }
            if reader.cell("paymentMonth") != month.description {
                reader.refuse("paymentMonth", "PHL05", "the file is for \(month); write it \(month)")
            }
            let (statutory, voluntary) = (flag("levyStat", &reader), flag("levyVol", &reader))
            guard let contractor, isCode, let pence, let statutory, let voluntary else { continue }
            let stated = PharmacyLevies(statutory: statutory, voluntary: voluntary)
            if let before = levies[contractor], before != stated {
                reader.refuse("levyStat", "PHL06", "rows of \(contractor) differ in their levies")
            }
            levies[contractor] = stated
            rows.append(
                LocalPayment(
                    contractor: contractor, lpaCode: lpa, pence: pence, narrative: narrative, levies: stated))
        }
        rows.sort { ($0.contractor, $0.lpaCode) < ($1.contractor, $1.lpaCode) }
        return (rows, reader.violations)
    }

    private func contractor(_ reader: inout RowReader) -> ODSCode? {
        guard let code = ODSCode(reader.cell("contractorCode")), code.value.hasPrefix("F") else {
            reader.refuse(
                "contractorCode", "PHL01", "\(reader.shown("contractorCode")) is no pharmacy: F and its code")
            return nil
        }
        switch standing(code) {
        case .ours: return code
        case .unknown:
            reader.refuse("contractorCode", "PHL01", "the register knows no pharmacy \(code)")
        case .closed(let day):
            reader.refuse(
                "contractorCode", "PHL01", "pharmacy \(code) is closed" + (day.map { ", since \($0)" } ?? ""))
        case .ofAnotherCommissioner:
            reader.refuse("contractorCode", "PHL08", "\(code) belongs to another commissioner")
        }
        return nil
    }

    private func flag(_ name: String, _ reader: inout RowReader) -> Bool? {
        switch reader.cell(name) {
        case "Y": return true
        case "N": return false
        default:
            reader.refuse(name, "PHL06", "write Y or N")
            return nil
        }
    }

    /// One part of the output: of an agreement, or without a code of the accounts that are paid nothing.
    struct Part: Sendable {
        var lpaCode: String
        var bytes: [UInt8]
    }

    /// For the pricing authority: a part for each agreement, by code, then every other account with its levies.
    static func output(
        _ payments: [LocalPayment], _ levies: [ODSCode: PharmacyLevies], month: YearMonth
    ) -> [Part] {
        let byCode = Dictionary(grouping: payments, by: \.lpaCode).sorted { $0.key < $1.key }
        var parts = byCode.map { Part(lpaCode: $0.key, bytes: part($0.value, levies, month: month)) }
        let paid = Set(payments.map(\.contractor))
        let others = levies.filter { !paid.contains($0.key) }
        if !others.isEmpty { parts.append(Part(lpaCode: "", bytes: part([], others, month: month))) }
        return parts
    }

    /// Rows of the payments; without payments a row for each account.
    private static func part(
        _ payments: [LocalPayment], _ levies: [ODSCode: PharmacyLevies], month: YearMonth
    ) -> [UInt8] {
        var writer = CSVWriter()
        writer.append(columns.map { .plain($0) })
        func cells(_ levies: PharmacyLevies) -> [CSVWriter.Cell] {
            [.plain(levies.statutory ? "Y" : "N"), .plain(levies.voluntary ? "Y" : "N")]
        }
        for payment in payments {
            writer.append(
                [
                    .plain(payment.contractor.value), .plain(payment.lpaCode),
                    .plain(Money(pence: payment.pence).description), .text(payment.narrative),
                    .plain(month.description),
                ] + cells(levies[payment.contractor] ?? payment.levies))
        }
        guard payments.isEmpty else { return writer.take() }
        for (contractor, stated) in levies.sorted(by: { $0.key < $1.key }) {
            writer.append(
                [.plain(contractor.value), .plain(""), .plain(""), .plain(""), .plain(month.description)]
                    + cells(stated))
        }
        return writer.take()
    }

    /// The statement line of a payment that the monthly run pays.
    static func item(_ payment: LocalPayment, number: Int, month: YearMonth, fileID: String) -> PayableItem {
        let amount = Money(pence: payment.pence)
        let line = PaymentLine(
            paycode: .pharmacyLocalPayment, contractID: payment.contractor.value, contractVersion: 1,
            periodFrom: month.firstDay, periodTo: month.lastDay, quantity: ExactDecimal(1),
            rate: amount.pounds,
            basis: payment.lpaCode, pence: payment.pence, source: .item, month: month,
            explanation: Explanation(
                rule: "10.1 local payment", ruleVersion: 1,
                inputs: [
                    .init(
                        "authorised", amount.pounds, .pounds,
                        from: .init(
                            "local payments " + fileID, note: payment.lpaCode + " " + payment.narrative),
                        asOf: month.firstDay)
                ], steps: [.init("amount", rounding: .input(0))], rounding: "RND-2", amount: amount),
            origin: "pharmacy/\(payment.lpaCode)/\(fileID)")
        return PayableItem(
            naturalKey: "pharmacy/\(fileID)/\(number)", payee: payment.contractor, firstRun: month, line: line
        )
    }
}
