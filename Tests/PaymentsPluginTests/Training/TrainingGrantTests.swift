import Accounting
import Testing

@testable import PaymentsPlugin

@Suite("Trainer grants by their days (payments.md 9.5)")
struct TrainingGrantTests {
    private func grants(_ more: [TrainingRate] = []) throws -> TrainingGrants {
        let read = TrainingRateFile.read(PackageResources.training_rates_csv)
        #expect(read.violations.listed == [])
        return TrainingGrants(figures: TrainingRates(read.rows + more), rates: RateTable(try World().rates))
    }

    private func placement(
        _ from: String, _ to: String, area: String = "NORTH_WEST", grade: TraineePlacement.Grade = .st3,
        _ absences: [TraineePlacement.Absence] = []
    ) throws -> TraineePlacement {
        TraineePlacement(
            id: "P1", practice: try practice("A81001"), traineeRef: "T-1", trainerRef: "R-1",
            from: try day(from),
            to: try day(to), grade: grade, area: area, employer: .leadEmployer, absences: absences, version: 1
        )
    }

    private func away(_ kind: TraineePlacement.Absence.Kind, _ from: String, _ to: String) throws
        -> TraineePlacement.Absence
    { .init(kind: kind, from: try day(from), to: try day(to)) }

    private func amount(
        _ grants: TrainingGrants, _ placement: TraineePlacement, _ text: String
    ) throws -> String {
        let month = try month(text)
        let run = try grants.paymentMonth(of: month, placement)
        switch try grants.grant(placement, for: month, paidIn: run) {
        case .due(let line):
            #expect(try line.explanation.replay().pence == line.pence)
            return "\(run) \(Money(pence: line.pence)) \(line.quantity) x \(line.rate) \(line.basis)"
        case .nothing: return "nothing"
        case .obstacle(let text): return text
        }
    }

    @Test("E12: days in post at the published rate of the month's length, already rounded to pence")
    func e12() throws {
        let grants = try grants()
        let trainee = try placement("2023-08-06", "2024-08-05")
        #expect(try amount(grants, trainee, "2023-08") == "2023-09 618.02 26 x 23.77 DAYS")
        // Not 736.83, a twelfth of the year: RND-8.
        #expect(try amount(grants, trainee, "2023-09") == "2023-10 736.80 30 x 24.56 DAYS")
        #expect(try amount(grants, trainee, "2024-02") == "2024-03 736.89 29 x 25.41 DAYS")
        #expect(try amount(grants, trainee, "2024-09") == "nothing")
    }

    @Test("an ST4 attracts one third, by day and by year")
    func seniorTrainee() throws {
        let grants = try grants()
        #expect(
            try amount(grants, try placement("2023-08-02", "2024-08-06", grade: .st4), "2023-09")
                == "2023-10 245.60 30 x 24.56 DAYS/3")
        #expect(
            try amount(
                grants, try placement("2022-08-03", "2023-02-07", area: "SOUTH_WEST", grade: .st4), "2022-09")
                == "2022-10 256.67 1 x 9240.00 YEAR/36")
    }

    @Test(
        "without published rates of a day the year is paid in twelfths, by days where part of the month counts"
    )
    func byYear() throws {
        let grants = try grants()
        let trainee = try placement("2022-08-03", "2023-02-07", area: "SOUTH_WEST")
        #expect(try amount(grants, trainee, "2022-09") == "2022-10 770.00 1 x 9240.00 YEAR/12")
        #expect(try amount(grants, trainee, "2022-08") == "2022-09 720.32 1 x 9240.00 YEAR/12 x 29/31")
        #expect(try amount(grants, trainee, "2023-02") == "2023-03 192.50 1 x 9240.00 YEAR/12 x 7/28")
    }

    @Test("an area that pays at the end of each rotation pays all months together after it")
    func atEnd() throws {
        let grants = try grants()
        let trainee = try placement("2023-08-02", "2024-02-06", area: "EAST_MIDLANDS")
        #expect(try amount(grants, trainee, "2023-09") == "2024-03 816.17 1 x 9794.00 YEAR/12")
        let paid = try grants.months(of: trainee, paidIn: month("2024-03"))
        #expect(
            paid.map(\.description) == [
                "2023-08", "2023-09", "2023-10", "2023-11", "2023-12", "2024-01", "2024-02",
            ])
        #expect(try grants.months(of: trainee, paidIn: month("2023-10")).isEmpty)
    }

    @Test("no grant in maternity leave; in sickness as the area says, and nothing before it has said so")
    func absences() throws {
        let leave = try placement(
            "2023-08-02", "2024-08-06", [try away(.parental, "2023-09-11", "2023-12-31")])
        #expect(try amount(try grants(), leave, "2023-09") == "2023-10 245.60 10 x 24.56 DAYS")
        #expect(try amount(try grants(), leave, "2023-10") == "nothing")
        let sick = try placement(
            "2023-08-02", "2024-08-06", [try away(.sickness, "2023-09-11", "2023-12-31")])
        #expect(
            try amount(try grants(), sick, "2023-10")
                == "the training rate SICKNESS_MONTHS of NORTH_WEST is not set")
        #expect(try amount(try grants(), sick, "2024-01") == "2024-02 736.87 31 x 23.77 DAYS")
        func months(_ value: Int64) throws -> TrainingRate {
            TrainingRate(
                area: "NORTH_WEST", item: .sicknessMonths, from: try day("2021-04-01"),
                value: ExactDecimal(value),
                grade: "P", source: "test", note: "")
        }
        #expect(try amount(try grants([try months(12)]), sick, "2023-10") == "2023-11 736.87 31 x 23.77 DAYS")
        #expect(try amount(try grants([try months(0)]), sick, "2023-10") == "nothing")
        #expect(try amount(try grants([try months(1)]), sick, "2023-10") == "2023-11 237.70 10 x 23.77 DAYS")
    }

    @Test("an area without a rate is an obstacle that names both")
    func noRate() throws {
        #expect(
            try amount(try grants(), try placement("2023-08-02", "2024-08-06", area: "WESSEX"), "2023-09")
                == "the training rate GRANT_YEAR of WESSEX is not set")
        #expect(
            try amount(try grants(), try placement("2023-08-02", "2024-08-06", area: "SOUTH_WEST"), "2023-09")
                == "the training rate GRANT_YEAR of SOUTH_WEST is not set")
    }

    @Test(
        "each rule of the training figures, by its code",
        arguments: [
            ("north,GRANT_YEAR,2023-04-01,,1,P,S,", "TRR01 area"),
            ("NORTH_WEST,GRANT,2023-04-01,,1,P,S,", "TRR01 item"),
            ("NORTH_WEST,GRANT_YEAR,2023-04-02,,1,P,S,", "TRR02 effective_from"),
            ("NORTH_WEST,GRANT_YEAR,2023-04-01,2023-04-01,1,P,S,", "TRR02 effective_to"),
            ("NORTH_WEST,GRANT_YEAR,2023-04-01,,100001,P,S,", "TRR03 value"),
            ("NORTH_WEST,GRANT_DAY_31,2023-04-01,,23.777,P,S,", "TRR03 value"),
            ("NORTH_WEST,ST4_DIVISOR,2023-04-01,,0,P,S,", "TRR03 value"),
            ("NORTH_WEST,PAID_AT_END,2023-04-01,,2,P,S,", "TRR03 value"),
            ("NORTH_WEST,GRANT_YEAR,2023-04-01,,1,Q,S,", "TRR04 grade"),
            ("NORTH_WEST,GRANT_YEAR,2023-04-01,,1,P,\(String(repeating: "s", count: 201)),", "TRR05 source"),
        ])
    func file(row: String, expected: String) {
        let text = TrainingRateFile.columns.joined(separator: ",") + "\n" + row + "\n"
        #expect(
            TrainingRateFile.read(Array(text.utf8)).violations.listed.map { "\($0.rule) \($0.field)" } == [
                expected
            ])
    }

    @Test(
        "retention: 76.92 for each session of 52 weeks in twelfths, four sessions at most, part months by days"
    )
    func retention() throws {
        func lines(_ sessions: Int64, _ text: String, until end: String? = nil) throws -> [String] {
            var world = try World()
            try world.contract("A81001", from: "2020-04-01", to: end, try .gms())
            let membership = RetentionMembership(
                id: "M1", practice: try practice("A81001"), doctorRef: "1234567", from: try day("2025-04-01"),
                to: try day("2030-03-10"), sessions: sessions, version: 1)
            let source = RetentionLines(
                [membership], rates: RateTable(world.rates), timelines: world.inputs.timelines)
            #expect(source.ended(in: try month(text)).isEmpty == (end == nil))
            return try source.lines(for: try practice("A81001"), in: try month(text)).map { line in
                let replayed = try line.explanation.replay().pence
                #expect(replayed == line.pence)
                return "\(Money(pence: line.pence)) \(line.quantity) x \(line.rate) \(line.basis)"
            }
        }
        #expect(try lines(4, "2025-04") == ["1333.28 4 x 76.92 SESSIONS x 52/12"])
        #expect(try lines(6, "2025-04") == ["1333.28 4 x 76.92 SESSIONS x 52/12"])
        #expect(try lines(2, "2025-04") == ["666.64 2 x 76.92 SESSIONS x 52/12"])
        #expect(try lines(4, "2030-03") == ["430.09 4 x 76.92 SESSIONS x 52/12 x 10/31"])
        #expect(try lines(4, "2030-04").isEmpty)
        // The contract ended: nothing recurs in a month that begins without one.
        #expect(try lines(4, "2025-06", until: "2025-06-01").isEmpty)
    }
}
