import PaymentsContract
import PluginAPI

/// Everything that keeps an ended contract from being closed (payments.md 2.2): what nobody has decided, what is decided
/// and not paid, what is still to come, and what the next run would pay by what is known now.
struct OpenMatters: Sendable {
    struct Matter: Hashable, Sendable {
        var kind: String
        var reference: String
        var words: String
        var pence: Int64 = 0
    }

    private(set) var found: [Matter] = []

    init(
        of timeline: ContractTimeline, _ organisations: any OrganisationDirectory, today: CalendarDate,
        _ reader: any Reader
    ) throws {
        let practice = timeline.practice
        guard let lastDay = timeline.lastDay, lastDay < today else {
            found = [
                Matter(
                    kind: "contract", reference: practice.value,
                    words: timeline.lastDay.map { "the contract holds until \($0)" } ?? "the contract has no end")
            ]
            return
        }
        try addClaims(of: practice, reader)
        try addProposals(of: practice, reader)
        try addAmounts(of: practice, reader)
        try addWithholdings(of: practice, reader)
        try addExpected(of: practice, until: lastDay, reader)
        let last = try RunStore.runs(reader).last { $0.state.isPublished }
        guard let last, last.month.firstDay > lastDay else {
            found.append(
                Matter(
                    kind: "run", reference: YearMonth(containing: lastDay).adding(months: 1).description,
                    words: "no run of a month after \(lastDay) is published"))
            return
        }
        try addLines(of: practice, next: last.month.adding(months: 1), organisations, reader)
        if try StatementStore.last(of: practice, before: StatementStore.afterAll, reader) == nil {
            found.append(
                Matter(kind: "statement", reference: practice.value, words: "no statement was ever published"))
        }
    }

    private mutating func add(_ kind: String, _ reference: String, _ words: String, _ pence: Int64 = 0) {
        found.append(Matter(kind: kind, reference: reference, words: words, pence: pence))
    }

    private mutating func addClaims(of practice: ODSCode, _ reader: any Reader) throws {
        for claim in try OpenClaims.claims(of: practice, reader) {
            let pence = claim.stage == .submitted ? claim.claimedPence : claim.approvedPence
            add("claim", claim.id, "the claim is \(claim.stage.name) and not paid", pence)
        }
    }

    /// What a second person has not decided yet.
    private mutating func addProposals(of practice: ODSCode, _ reader: any Reader) throws {
        for revision in try RevisionStore.revisions(of: practice, in: .proposed, reader) {
            add("revision", revision.id, "a revision of the contract from \(revision.from) is proposed")
        }
        for change in try ContractChangeStore.changes(of: practice, reader) where change.stage == .submitted {
            add("contract change", change.id, "a contract change is submitted")
        }
        for upload in try VariationStore.submitted(naming: practice, reader) {
            add("variations", upload, "an upload with variations of the practice is submitted")
        }
        for load in try DispensingStore.waiting(naming: practice, reader) {
            add("dispensing", load.id, "dispensing of \(load.month) waits to be authorised")
        }
        for placement in try TrainingStore.waitingPlacements(reader) where placement.practice == practice {
            add("training", placement.id, "the placement of trainee \(placement.traineeRef) is proposed")
        }
        for membership in try TrainingStore.waitingMemberships(reader) where membership.practice == practice {
            add("training", membership.id, "the membership of doctor \(membership.doctorRef) is proposed")
        }
    }

    private mutating func addAmounts(of practice: ODSCode, _ reader: any Reader) throws {
        let claims = Set(found.filter { $0.kind == "claim" }.map { "claim/" + $0.reference })
        for item in try PayableItemStore.unpaid(of: practice, reader)
        where !claims.contains(where: { item.line.origin.hasPrefix($0) }) {
            add(
                "amount", item.line.origin.isEmpty ? item.itemID : item.line.origin,
                "\(item.line.paycode.code) is approved and not paid", item.line.pence)
        }
    }

    private mutating func addWithholdings(of practice: ODSCode, _ reader: any Reader) throws {
        for withholding in try WithholdingStore.withholdings(of: practice, reader)
        where [.proposed, .inForce, .releaseProposed].contains(withholding.state) {
            add("withholding", withholding.id, "the withholding is \(withholding.state.name)")
        }
        for setOff in try SetOffStore.setOffs(of: practice, reader) where setOff.state == .proposed {
            add("set-off", setOff.id, "the set-off is proposed")
        }
    }

    /// Months of dispensing for which a practice that dispensed has no data yet; achievements without instruction.
    private mutating func addExpected(
        of practice: ODSCode, until lastDay: CalendarDate, _ reader: any Reader
    ) throws {
        let lastMonth = YearMonth(containing: lastDay)
        let data = try DispensingStore.data(
            from: lastMonth.adding(months: -Arrears.mostMonths), to: lastMonth, knownAt: .max, reader)
        if let known = data.lazy.filter({ $0.practice == practice }).map(\.month).max(), known < lastMonth {
            for index in 1...lastMonth.months(since: known) {
                let month = known.adding(months: index)
                add("dispensing", month.description, "dispensing of \(month) has not come")
            }
        }
        let missing = try QualityFigureStore.notInstructed(
            from: SupportedDays.first, to: SupportedDays.last,
            receivedBy: Instant(microsecondsSince1970: .max), reader)
        for achievement in missing where achievement.provider == practice {
            add(
                "achievement", achievement.declaration,
                "\(achievement.service) is approved and no instruction to pay it came", achievement.pence)
        }
    }

    /// What the next run would pay by what is known now: differences, arrears, the balance carried, releases; and the
    /// arrears of later runs.
    private mutating func addLines(
        of practice: ODSCode, next: YearMonth, _ organisations: any OrganisationDirectory, _ reader: any Reader
    ) throws {
        let run = RunRecord(
            id: "\(next)-0", month: next, number: 0, state: .open, paymentDate: next.lastDay,
            cutOffOn: next.lastDay, openedBy: "")
        try refusing {
            let read = try RunInputs(run, snapshot: try InputLog.latest(reader), organisations, reader)
            let calculator = RunCalculator(
                run: RunFacts(runID: run.id, month: next, paymentDate: run.paymentDate), inputs: read.inputs,
                history: read.history, affectedMonths: read.affectedMonths, standing: { _ in .open })
            let due = Set(read.inputs.items[practice]?.map(\.line.origin) ?? [])
            for line in try calculator.lines(of: practice)
            // Amounts are named already.
            where line.source != .item || !due.contains(line.origin) {
                add("lines", line.paycode.code, "the run of \(next) would pay it for \(line.month)", line.pence)
            }
            for index in 1...Arrears.mostMonths {
                let month = next.adding(months: index)
                for source in read.inputs.recurring {
                    for line in try source.lines(for: practice, in: month) {
                        add(
                            "arrears", line.paycode.code,
                            "\(line.origin.isEmpty ? "it" : line.origin) is to be paid in \(month)", line.pence)
                    }
                }
            }
        }
    }
}
