import Accounting
import CommonContract
import Foundation
import PaymentsContract
import PluginAPI
import PluginTestKit
import Testing

/// Reads every statement of a run as a payee would and holds each line against its explanation, against what it shows,
/// and against everything paid before.
struct SandboxAudit {
    private(set) var lines = 0
    private(set) var retroLines = 0
    private(set) var statements = 0
    private(set) var paycodes: Set<String> = []
    /// Pence by practice and paycode in the financial year.
    private(set) var yearToDate: [String: Int64] = [:]
    /// Pence by practice, paycode and the month paid for.
    private(set) var paidByMonth: [String: Int64] = [:]
    /// Pence by paycode and commissioner: what the journal must say.
    private(set) var booked: [String: Int64] = [:]

    /// - Parameter replaying: whether every line is explained through the public door, or only looked at.
    mutating func check(
        _ run: Pcs_Payments_V1_Run, _ month: YearMonth, _ area: SandboxArea, replaying: Bool = true
    )
        async throws
    {
        let rows = try await area.export(run).dropFirst().map {
            $0.split(separator: ",", omittingEmptySubsequences: false)
        }
        let ids = rows.map { String($0[0]) }
        var practices: [String] = []
        for id in ids where practices.last != id { practices.append(id) }
        #expect(Set(practices).count == practices.count, "a statement's lines lie together")
        #expect(Int64(practices.count) == run.statements && Int64(rows.count) == run.lines)
        let service = try await area.office.statements()
        var net: Int64 = 0
        for id in practices {
            let code = String(id.split(separator: "/").last ?? "")
            let statement = try await service.getStatement(
                .with { ($0.practiceCode, $0.month) = (code, area.month(month)) })
            check(statement, exported: rows.filter { $0[0] == id }.count)
            net += statement.netPence
            guard replaying else { continue }
            for line in statement.lines {
                let explained = try await service.explainLine(
                    .with { ($0.practiceCode, $0.runID, $0.lineNumber) = (code, run.runID, line.lineNumber) })
                #expect(
                    explained.replayedPence == line.amountPence,
                    "\(id) line \(line.lineNumber) \(line.paycode)")
                #expect(!explained.rule.isEmpty && !explained.inputs.isEmpty)
            }
        }
        #expect(net == run.netPence, "\(month)")
        statements += practices.count
        lines += rows.count
    }

    private mutating func check(_ statement: Pcs_Payments_V1_Statement, exported: Int) {
        let id = statement.statementID
        #expect(statement.lines.count == exported, "\(id)")
        #expect(statement.netPence >= 0, "\(id) never nets below zero")
        let sum = statement.lines.reduce(0) { $0 + $1.amountPence }
        #expect(
            sum == statement.netPence && sum == statement.grossPence + statement.deductionsPence,
            "\(id) foots")
        for line in statement.lines {
            yearToDate["\(statement.practiceCode) \(line.paycode)", default: 0] += line.amountPence
            #expect(
                line.yearToDatePence == yearToDate["\(statement.practiceCode) \(line.paycode)"],
                "\(id) \(line.paycode) year to date")
            if let shown = Self.shown(line) {
                #expect(
                    abs(shown - line.amountPence) <= 1,
                    "\(id) \(line.paycode) \(line.quantity) x \(line.rate) \(line.basis)")
            } else {
                Issue.record("\(id): what is shown of \(line.paycode) \(line.basis) gives no amount")
            }
            let month = line.isRetro ? line.originalMonth : statement.month
            paidByMonth[
                "\(statement.practiceCode) \(line.paycode) \(month.year)-\(month.month < 10 ? "0" : "")\(month.month)",
                default: 0] += line.amountPence
            paycodes.insert(line.paycode)
            if line.isRetro { retroLines += 1 }
            booked["\(line.paycode) \(statement.commissionerCode)", default: 0] += line.amountPence
        }
    }

    /// C1: the amount from quantity, rate and basis alone.
    static func shown(_ line: Pcs_Payments_V1_StatementLine) -> Int64? {
        guard let quantity = ExactDecimal(line.quantity), let rate = ExactDecimal(line.rate),
            var value = try? quantity.rational.multiplied(by: rate.rational)
        else { return nil }
        let parts = line.basis.split(separator: " ")
        do {
            if let divisor = parts.first?.split(separator: "/").dropFirst().first.flatMap({ Int64($0) }) {
                value = try value.divided(by: Rational(divisor))
            }
            if line.basis.hasPrefix("PERCENT_OF_") { value = try value.divided(by: Rational(100)) }
            // Further factors: weeks of a year, days of a month.
            for factor in line.basis.components(separatedBy: " x ").dropFirst() {
                let share = factor.split(separator: "/").compactMap { Int128($0) }
                guard share.count == 2 else { return nil }
                value = try value.multiplied(by: try Rational(share[0], over: share[1]))
            }
            return try Rounding.toPence(value).pence
        } catch {
            return nil
        }
    }
}
