import PluginAPI

/// A rent in force whose review is due.
struct RentReview: Hashable, Sendable {
    var determination: RentDetermination
    var dueOn: CalendarDate

    /// Those due by a day on which a contract is in force, longest due first.
    static func due(
        by day: CalendarDate, months: Int64, _ book: RentBook, timelines: [ODSCode: ContractTimeline]
    ) -> [RentReview] {
        var found: [RentReview] = []
        for (practice, timeline) in timelines where timeline.span(at: day) != nil {
            for kind in RentDetermination.Kind.allCases {
                guard let determination = book.determination(of: practice, kind, on: day),
                    let dueOn = determination.reviewDue(months: months), dueOn <= day
                else { continue }
                found.append(RentReview(determination: determination, dueOn: dueOn))
            }
        }
        return found.sorted { ($0.dueOn, $0.determination.id) < ($1.dueOn, $1.determination.id) }
    }
}

/// Rents that a run pays twice, by a determination and by a monthly variation, and reviews that are due.
struct RentChecks: RunCheck {
    private struct PaidTwice {
        var practice: ODSCode
        var message: String
    }

    private let twice: [PaidTwice]
    private let reviews: [RentReview]

    init(_ read: RunInputs, _ reader: any Reader) throws {
        let book = RentBook(try RentStore.determinations(knownAt: read.snapshot, reader))
        guard !book.isEmpty else {
            (twice, reviews) = ([], [])
            return
        }
        let lines = RentLines(book, rates: read.inputs.rates, timelines: read.inputs.timelines)
        var twice: [PaidTwice] = []
        for schedule in try VariationStore.schedules(knownAt: read.snapshot, reader)
        where schedule.row.paycode == .notionalRent {
            let practice = schedule.row.practice
            var months: [YearMonth] = []
            var rents: [String] = []
            for month in read.affectedMonths + [read.run.month] where schedule.isDue(in: month) {
                let paid = try lines.lines(for: practice, in: month)
                guard !paid.isEmpty else { continue }
                months.append(month)
                rents += paid.map(\.origin).filter { !rents.contains($0) }
            }
            guard !months.isEmpty else { continue }
            twice.append(
                PaidTwice(
                    practice: practice,
                    message: "\(rents.joined(separator: ", ")) and variation \(schedule.id) both pay notional rent for "
                        + months.map(\.description).joined(separator: ", ")))
        }
        self.twice = twice
        let day = read.run.month.lastDay
        let practices = book.practices
        let timelines = Dictionary(
            read.inputs.timelines.lazy.filter { practices.contains($0.practice) }.map { ($0.practice, $0) },
            uniquingKeysWith: { first, _ in first })
        let months = try? read.inputs.rates.whole(.premisesReviewMonths, at: day)
        reviews = months.map { RentReview.due(by: day, months: $0, book, timelines: timelines) } ?? []
    }

    func exceptions(_ built: BuiltRun, _ accounts: [RunLedger.Account]) -> [RunException] {
        guard !twice.isEmpty || !reviews.isEmpty else { return [] }
        // A practice without a statement is paid nothing, so nothing twice.
        var found = twice.compactMap { entry in
            built.name(of: entry.practice).map { name in
                RunException(
                    severity: .blocking, kind: .rentPaidTwice, practice: entry.practice, practiceName: name,
                    paycode: Paycode.notionalRent.code, message: entry.message)
            }
        }
        found += reviews.map { review in
            let rent = review.determination
            return RunException(
                severity: .warning, kind: .rentReviewDue, practice: rent.practice,
                practiceName: built.name(of: rent.practice) ?? "", paycode: rent.kind.paycode.code,
                message: "the \(rent.kind.name) of \(rent.annual) a year was to be reviewed by \(review.dueOn) "
                    + "(determined on \(rent.valuation?.on ?? rent.from))")
        }
        return found
    }
}
