import CommonContract
import CqrsContract
import PluginAPI

/// Approved claims go to PCSE: sent on working days at 15:00, sent again under the same key where nobody answers, and
/// after the last try an operator is told (10.6, R15).
struct LocalHandOver {
    /// Instructions of one transaction; the rest is for the next one.
    static let batch = 5_000

    let desk: LocalDesk
    private var transaction: any Transaction { desk.transaction }

    /// What is approved and was enrolled when it was (10.6).
    func send(_ report: inout Pcs_Cqrs_V1_LocalHandOverReport, limit: Int = batch) throws {
        let figures = try LocalGate.figures(transaction)
        var moved: Set<String> = []
        for instruction in try InstructionStore.dueOfClaims(on: desk.today, transaction) {
            guard let record = try LocalClaimStore.record(instruction.claim, transaction),
                let approved = record.approvedOn,
                isEnrolled(record.commissioner, on: approved, figures)
            else {
                report.notEnrolled += 1
                continue
            }
            guard report.sent < Int64(limit) else {
                report.left += 1
                continue
            }
            var sent = instruction
            sent.state = .sent
            try InstructionStore.save(sent, in: transaction)
            try transaction.publish(DeclarationRelease.event(sent), key: sent.id)
            try LocalPaymentStore.send(sent.id, attempt: 1, in: transaction)
            report.sent += 1
            report.sentPence += sent.pence
            if record.state == .approved, moved.insert(record.id).inserted {
                let after = try desk.move(record, .send, reason: "instruction \(sent.id)")
                try LocalNotices.tell(
                    after, "A local claim was sent to PCSE", "\(Money(pence: record.pence)) pounds.",
                    in: transaction)
            }
        }
    }

    /// The day itself counts: approved on or after it.
    private func isEnrolled(_ commissioner: String, on day: CalendarDate, _ figures: NationalFigures) -> Bool
    {
        figures.optionalFigure("local_pcse_enrolment", commissioner, on: day)?.value.mantissa ?? 0 > 0
    }

    /// R15: the silence may be a lost reply, so the same instruction goes out under the same key.
    func resend(_ report: inout Pcs_Cqrs_V1_LocalHandOverReport) throws {
        let figures = try LocalGate.figures(transaction)
        let (hours, most) = try refusingCQRS {
            (
                try figures.figure("local_resend_after_hours", "", on: desk.today).value.scaled(to: 0) ?? 0,
                try figures.figure("local_sends_at_most", "", on: desk.today).value.scaled(to: 0) ?? 0
            )
        }
        let patience = hours * 3_600_000_000
        for instruction in try InstructionStore.sentOfClaims(transaction) {
            let sending = try LocalPaymentStore.sendings(of: instruction.id, transaction)
            let silence = transaction.now.microsecondsSince1970 - sending.lastAt.microsecondsSince1970
            guard !sending.isEscalated, silence >= patience else { continue }
            if Int64(sending.attempts) < most {
                try transaction.publish(DeclarationRelease.event(instruction), key: instruction.id)
                try LocalPaymentStore.send(instruction.id, attempt: sending.attempts + 1, in: transaction)
                report.resent += 1
            } else {
                try LocalPaymentStore.send(
                    instruction.id, attempt: sending.attempts + 1, escalated: true, in: transaction)
                try LocalNotices.silent(instruction, sends: sending.attempts, in: transaction)
                report.escalated += 1
            }
        }
        if report.resent + report.escalated > 0 {
            transaction.audit(
                AuditNote(
                    object: "local-hand-over",
                    detail: "\(report.resent) sent again, \(report.escalated) left to an operator"))
        }
    }

    /// Bank holidays are figures with their day; a year of which none is loaded is refused by name.
    static func isWorkingDay(_ day: CalendarDate, _ figures: NationalFigures) throws -> Bool {
        let days = WorkingDays(bankHolidays: figures.rows(named: "bank_holiday").map(\.from))
        do {
            return try days.isWorkingDay(day)
        } catch {
            throw CQRSError.constantMissing("bank_holiday", "", day).failure
        }
    }

    // MARK: By the clock

    static func sendJob(_ context: PluginContext) async throws -> String {
        let today = context.clock.today
        guard try context.store.read({ try isWorkingDay(today, LocalGate.figures($0)) }) else {
            return "no working day"
        }
        var sent: Int64 = 0
        while true {
            let report = try await context.store.write(actor: "system") { transaction in
                var report = Pcs_Cqrs_V1_LocalHandOverReport()
                try LocalHandOver(desk: desk(context, transaction)).send(&report)
                return report
            }
            sent += report.sent
            if report.left == 0 || report.sent == 0 {
                return "\(sent) sent, \(report.notEnrolled) not enrolled"
            }
        }
    }

    static func resendJob(_ context: PluginContext) async throws -> String {
        try await context.store.write(actor: "system") { transaction in
            var report = Pcs_Cqrs_V1_LocalHandOverReport()
            try LocalHandOver(desk: desk(context, transaction)).resend(&report)
            return "\(report.resent) sent again, \(report.escalated) left to an operator"
        }
    }

    private static func desk(_ context: PluginContext, _ transaction: any Transaction) -> LocalDesk {
        LocalDesk(
            context: context, transaction: transaction, actor: "system", actingFor: "",
            today: context.clock.today)
    }
}
