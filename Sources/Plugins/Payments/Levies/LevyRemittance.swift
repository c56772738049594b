import CommonContract
import Digests
import PaymentsContract
import PluginAPI

/// What a run pays over to a committee, practice by practice, read from the statements that it deducts on (payments.md
/// 9.6: practice, list, rate, amount).
struct LevyRemittance {
    let run: RunRecord
    let document: StatementDocument
    let sha256: String
    private(set) var rows: [Row] = []

    struct Row {
        /// `nil` for what moved between committees for months already paid.
        var practice: ODSCode?
        var practiceName = ""
        var kind: LevyKind?
        var month: YearMonth
        var isRetro: Bool
        var patients: Int64 = 0
        var pence: ExactDecimal?
        var period: LevyRatePeriod?
        /// Of the optical levy.
        var fees: Int64 = 0
        var percent: ExactDecimal?
        var amount: Int64
    }

    /// - Parameter stored: the committee's statement in the run.
    init(_ run: RunRecord, _ stored: StatementStore.Stored, _ reader: any Reader) throws {
        self.run = run
        document = stored.document
        sha256 = Digest.hex(stored.sha256)
        let committee = document.practice
        let book = try LevyStore.book(knownAt: run.snapshot, reader)
        for practice in Set(book.memberships.keys).union(book.contractors.keys).sorted() {
            let held = (book.memberships[practice] ?? []) + (book.contractors[practice] ?? [])
            let isMember = held.contains { $0.committee == committee }
            guard isMember, let statement = try StatementStore.statement(of: practice, in: run.id, reader)
            else {
                continue
            }
            for line in statement.document.lines {
                guard let kind = LevyKind.allCases.first(where: { $0.paycode == line.paycode }) else { continue }
                let quarter = Quarter(containing: line.month)
                let own =
                    kind == .optical
                    ? book.opticalCommittee(of: practice, in: quarter) : book.committee(of: practice, in: quarter)
                guard own == committee else { continue }
                rows.append(Self.row(line, kind, statement.document))
            }
        }
        try addMoved()
    }

    private static func row(_ line: PaymentLine, _ kind: LevyKind, _ document: StatementDocument) -> Row {
        let inputs = line.explanation.inputs
        let rate = inputs.first { $0.name == LevyDeduction.rateName }
        let list = inputs.first { $0.name == LevyDeduction.patientsName }
        if kind == .optical {
            return Row(
                practice: document.practice, practiceName: document.practiceName, kind: kind, month: line.month,
                isRetro: line.source == .retro, period: .sightTestFees,
                fees: inputs.first { $0.name == OpticalLevy.feesName }?.value.scaled(to: 2) ?? 0,
                percent: inputs.first { $0.name == OpticalLevy.percentName }?.value, amount: -line.pence)
        }
        return Row(
            practice: document.practice, practiceName: document.practiceName, kind: kind, month: line.month,
            isRetro: line.source == .retro, patients: list?.value.scaled(to: 0) ?? 0,
            // Pounds to six decimals are pence to four.
            pence: rate?.value.scaled(to: 6).map { ExactDecimal(mantissa: $0, scale: 4).trimmed() },
            period: rate.map { $0.source.note == LevyRatePeriod.quarter.name ? .quarter : .year },
            amount: -line.pence)
    }

    /// A practice that changed its committee for months already paid has no difference itself: what it paid moves from
    /// one committee to the other.
    private mutating func addMoved() throws {
        var left: [YearMonth: Int64] = [:]
        for line in document.lines where line.paycode == .levyPayover {
            left[line.month, default: 0] += line.pence
        }
        for row in rows { left[row.month, default: 0] -= row.amount }
        for (month, amount) in left.sorted(by: { $0.key < $1.key }) where amount != 0 {
            rows.append(Row(month: month, isRetro: month != run.month, amount: amount))
        }
    }

    var message: Pcs_Payments_V1_LevyRemittance {
        .with {
            $0.committeeCode = document.practice.value
            $0.committeeName = document.practiceName
            $0.runID = run.id
            $0.paymentDate = Pcs_Common_V1_Date(document.paymentDate)
            $0.published = run.state.isPublished
            $0.rows = rows.map { row in
                .with {
                    $0.practiceCode = row.practice?.value ?? ""
                    $0.practiceName = row.practiceName
                    $0.kind = row.kind?.contractKind ?? .unspecified
                    $0.month = Pcs_Common_V1_Month(row.month)
                    $0.isRetro = row.isRetro
                    $0.registeredPatients = row.patients
                    $0.pencePerPatient = row.pence?.description ?? ""
                    $0.ratePeriod = row.period?.contractPeriod ?? .unspecified
                    $0.amountPence = row.amount
                    ($0.feesPence, $0.percentOfFees) = (row.fees, row.percent?.description ?? "")
                }
            }
            $0.deductedPence = rows.reduce(0) { $0 + $1.amount }
            $0.paidOverPence = document.lines.filter { $0.paycode == .levyPayover }.reduce(0) {
                $0 + $1.pence
            }
            $0.sha256 = sha256
        }
    }
}
