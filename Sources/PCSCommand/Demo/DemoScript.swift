import Foundation
import HostContract
import PaymentsContract
import PluginAPI

/// The demonstration itself: England's practices are paid for one month, by three people, over the socket. Each step
/// looks first at what is there, so that a demonstration that was interrupted goes on where it stopped.
struct DemoScript: Sendable {
    let data: DemoData
    let settings: ClientSettings
    let journal: DemoJournal

    /// What the people of the demonstration act with.
    private struct Cast: Sendable {
        let host: Session
        let payer: Session
        let firstApprover: Session
        let secondApprover: Session

        func close() async {
            for session in [host, payer, firstApprover, secondApprover] { await session.close() }
        }
    }

    func run() async throws {
        let host = try await Session.open(settings)
        let cast: Cast
        let before: Pcs_Payments_V1_Run?
        do {
            (cast, before) = try await prepare(host)
        } catch {
            await host.close()
            throw error
        }
        do {
            if let before, isDone(before) {
                try await showState(before, cast)
            } else {
                try await pay(before, cast)
            }
            try await showResults(cast.payer)
        } catch {
            await cast.close()
            throw error
        }
        await cast.close()
    }

    private func isDone(_ run: Pcs_Payments_V1_Run) -> Bool {
        [.approved, .paid, .closed].contains(run.state)
    }

    // MARK: Before

    private func prepare(_ host: Session) async throws -> (Cast, Pcs_Payments_V1_Run?) {
        // When everybody is there already, nothing is worth a line.
        let known = try await host.identity.listSubjects(.init())
        if known.people.isEmpty {
            try await journal.step("three people, with keys and grants") {
                _ = try await DemoPeople.register(host)
                return ((), DemoPeople.all.map(\.id).joined(separator: ", "))
            }
        } else {
            _ = try await DemoPeople.register(host)
        }
        let cast = Cast(
            host: host, payer: try await session(DemoPeople.payer),
            firstApprover: try await session(DemoPeople.firstApprover),
            secondApprover: try await session(DemoPeople.secondApprover))
        let runs = try await cast.payer.runs.listRuns(.init()).runs
        return (cast, runs.last { $0.month == DemoData.month && $0.state != .aborted })
    }

    private func session(_ person: DemoPeople.Person) async throws -> Session {
        var settings = settings
        settings.subject = person.id
        return try await Session.open(settings)
    }

    // MARK: The month

    private func pay(_ before: Pcs_Payments_V1_Run?, _ cast: Cast) async throws {
        try await loadOrganisations(cast.host)
        try await loadYear(cast.payer)
        var run = try await journal.step("run of April 2019 opened") { [before] in
            if let before {
                return (before, "\(before.runID), as it was left: \(EnumWords.words(before.state))")
            }
            var request = Pcs_Payments_V1_OpenRunRequest()
            request.month = DemoData.month
            let run = try await cast.payer.runs.openRun(request, options: cast.payer.change())
            return (run, "\(run.runID), to be paid on \(Wording.day(run.paymentDate))")
        }
        if [.open, .cutOff].contains(run.state) { run = try await calculate(run, cast.payer) }
        if run.state == .calculated { run = try await review(run, cast.payer) }
        run = try await approve(run, cast)
        journal.text()
        journal.fact("all of it", "\(journal.elapsed), over \(settings.address)")
    }

    private func loadOrganisations(_ host: Session) async throws {
        let applied = try await host.organisations.listSnapshotLoads(.init()).loads.filter {
            $0.state == .applied
        }
        let missing = DemoData.snapshots.filter { snapshot in
            !applied.contains { $0.fileName == snapshot.fileName }
        }
        guard !missing.isEmpty else { return }
        try await journal.step("register of organisations, \(Wording.plural(missing.count, "real file"))") {
            var rows: Int64 = 0
            for snapshot in missing {
                let file = SnapshotFiles.File(path: try data.path(of: snapshot), kind: snapshot.kind)
                let load = try await SnapshotFiles.load(file, publishedOn: snapshot.publishedOn, host)
                if load.state == .held {
                    throw CommandError(
                        .failed, "\(snapshot.fileName) is held: \(load.heldBecause)",
                        nextStep: "See it with: pcs org diff \(load.loadID)")
                }
                rows += load.rows
            }
            return ((), "\(Wording.count(rows)) rows: practices, PCNs, commissioners, regions, pharmacies")
        }
    }

    private func loadYear(_ payer: Session) async throws {
        try await journal.step("contracts and lists of \(DemoData.year)") {
            let load = try await PublishedYearUpload.load(
                try data.publishedYear(), year: DemoData.year, payer)
            if load.alreadyLoaded { return ((), "loaded before") }
            let patients = Wording.decimals(UInt64(max(0, load.registeredPatients / 100_000)), 1)
            return (
                (),
                "\(Wording.count(load.gms)) GMS, \(Wording.count(load.pms)) PMS, \(Wording.count(load.apms)) APMS, "
                    + "\(patients) million patients"
            )
        }
    }

    private func calculate(_ run: Pcs_Payments_V1_Run, _ payer: Session) async throws -> Pcs_Payments_V1_Run {
        try await journal.step("calculated, durably, with explanations") {
            var request = Pcs_Payments_V1_CalculateRunRequest()
            request.runID = run.runID
            let run = try await payer.runs.calculateRun(request, options: payer.change())
            return (
                run,
                "\(Wording.count(run.statements)) statements, \(Wording.count(run.lines)) lines, "
                    + "net \(Wording.pounds(run.netPence))"
            )
        }
    }

    private func review(_ run: Pcs_Payments_V1_Run, _ payer: Session) async throws -> Pcs_Payments_V1_Run {
        try await journal.step("reviewed by \(DemoPeople.payer.id)") {
            let open = try await RunExceptions.open(of: run.runID, payer)
            var words = "nothing blocks, \(Wording.plural(run.warnings, "warning"))"
            if !open.isEmpty {
                let kinds = Dictionary(grouping: open) { EnumWords.words($0.kind) }
                    .sorted { ($1.value.count, $0.key) < ($0.value.count, $1.key) }
                    .map { "\(Wording.count($0.value.count)) \($0.key)" }
                _ = try await RunExceptions.accept(
                    open.map(\.number), of: run.runID,
                    reason: "Demonstration: published figures are taken as they are, nobody is really paid",
                    payer)
                words =
                    "accepted \(Wording.plural(open.count, "blocking exception")) (\(kinds.joined(separator: ", ")))"
            }
            var request = Pcs_Payments_V1_ReviewRunRequest()
            request.runID = run.runID
            request.calculation = run.calculation
            request.note = "Demonstration"
            return (try await payer.runs.reviewRun(request, options: payer.change()), words)
        }
    }

    /// The second approver types the net; here it is added up from the totals by region, not read off the run.
    private func approve(_ run: Pcs_Payments_V1_Run, _ cast: Cast) async throws -> Pcs_Payments_V1_Run {
        try await journal.step("approved by two others") {
            var latest = run
            for (approver, person) in [
                (cast.firstApprover, DemoPeople.firstApprover),
                (cast.secondApprover, DemoPeople.secondApprover),
            ]
            where latest.state == .reviewed
                && !latest.approvals.contains(where: { $0.approvedBy == person.id })
            {
                var request = Pcs_Payments_V1_ApproveRunRequest()
                request.runID = run.runID
                request.calculation = run.calculation
                if !latest.approvals.isEmpty {
                    let totals = try await Self.totals(of: run.runID, approver)
                    request.controlTotalPence = totals.totals.reduce(0) { $0 + $1.netPence }
                }
                latest = try await approver.runs.approveRun(request, options: approver.change())
            }
            let people = latest.approvals.map(\.approvedBy).joined(separator: " and ")
            return (latest, "\(people); statements are published")
        }
    }

    // MARK: After

    private func showState(_ run: Pcs_Payments_V1_Run, _ cast: Cast) async throws {
        journal.fact("data of an earlier start", "nothing is loaded again")
        let loads = try await cast.host.organisations.listSnapshotLoads(.init()).loads
        journal.fact(
            "register of organisations",
            "\(Wording.plural(loads.filter { $0.state == .applied }.count, "file")) applied")
        journal.fact(
            "run \(run.runID)",
            "\(EnumWords.words(run.state)), \(Wording.count(run.statements)) statements, "
                + "net \(Wording.pounds(run.netPence))")
    }

    private func showResults(_ payer: Session) async throws {
        let runID = try await RunReference.id(DemoData.monthText, payer)
        let totals = try await Self.totals(of: runID, payer)
        journal.heading("Paid for April 2019, by region")
        journal.text(RunView.totals(totals).rendered(for: journal.terminal, indentation: 2))

        var request = Pcs_Payments_V1_GetStatementRequest()
        request.practiceCode = DemoData.practice
        request.month = DemoData.month
        let statement = try await payer.statements.getStatement(request)
        journal.heading("One practice's statement")
        journal.text(StatementView.text(statement, for: journal.terminal, indentation: 2))

        var explain = Pcs_Payments_V1_ExplainLineRequest()
        explain.practiceCode = DemoData.practice
        explain.month = DemoData.month
        explain.lineNumber = statement.lines.first?.lineNumber ?? 1
        let explanation = try await payer.statements.explainLine(explain)
        journal.heading("Why its global sum is what it is")
        journal.text(ExplanationView.text(explanation, for: journal.terminal, indentation: 2))
    }

    private static func totals(of run: String, _ session: Session) async throws -> Pcs_Payments_V1_RunTotals {
        var request = Pcs_Payments_V1_GetRunTotalsRequest()
        request.runID = run
        request.dimension = .region
        return try await session.runs.getRunTotals(request)
    }
}
