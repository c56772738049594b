import PluginAPI
import Testing

@testable import CaseworkPlugin

@Suite("Clocks of enquiries and complaints")
struct ClockTests {
    private let reference: CaseworkReference
    init() throws { reference = try CaseworkReference() }

    private func at(_ day: CalendarDate, _ hour: Int, _ minute: Int = 0) -> Instant {
        LondonTime.instant(on: day, minute: hour * 60 + minute)
    }

    private func facts(_ course: CaseCourse, _ start: Instant) -> CaseClocks.Facts {
        CaseClocks.Facts(course: course, startedAt: start, stoppedMinutes: 0)
    }

    @Test("example 16: a complaint of Good Friday is acknowledged by Thursday; six months end on 2 October")
    func example16() throws {
        let received = at(day("2021-04-02"), 11)
        let targets = try reference.targets(on: day("2021-04-02"))
        #expect(try targets.hours.days.stepping(forward: 1, from: day("2021-04-02")) == day("2021-04-06"))
        let clocks = try CaseClocks(facts(.complaint, received), targets, at: received)
        #expect(clocks.readings[.acknowledge]?.due == at(day("2021-04-08"), 17))
        #expect(clocks.explainAfter == day("2021-10-02"))
        #expect(clocks.readings[.firstAnswer] == nil)
    }

    @Test(
        "example 17: four working days of waiting move an enquiry's breach to working day 14, not a complaint's"
    )
    func example17() throws {
        let start = at(day("2026-03-02"), 9)
        let targets = try reference.targets(on: day("2026-03-02"))
        var enquiry = facts(.enquiry, start)
        #expect(
            try CaseClocks(enquiry, targets, at: start).readings[.resolve]?.due == at(day("2026-03-16"), 17))
        enquiry.stoppedMinutes = try targets.hours.minutes(
            from: at(day("2026-03-04"), 10), to: at(day("2026-03-10"), 10))
        #expect(enquiry.stoppedMinutes == 4 * targets.hours.minutesADay)
        let moved = try CaseClocks(enquiry, targets, at: at(day("2026-03-11"), 9))
        #expect(moved.readings[.resolve]?.due == at(day("2026-03-20"), 17))
        #expect(try targets.hours.end(ofWorkingDay: 14, after: start) == at(day("2026-03-20"), 17))
        #expect(moved.readings[.acknowledge]?.due == at(day("2026-03-03"), 17))

        var complaint = facts(.complaint, start)
        let before = try CaseClocks(complaint, targets, at: start).readings[.resolve]?.due
        complaint.stoppedMinutes = enquiry.stoppedMinutes
        complaint.stoppedSince = at(day("2026-03-11"), 9)
        #expect(
            try CaseClocks(complaint, targets, at: at(day("2026-03-30"), 9)).readings[.resolve]?.due == before
        )
    }

    @Test("two working hours run over the night, the weekend and the change to summer time")
    func hours() throws {
        let targets = try reference.targets(on: day("2026-03-27"))
        // Friday 16:30; the clocks change on Sunday.
        let clocks = try CaseClocks(
            facts(.urgent, at(day("2026-03-27"), 16, 30)), targets, at: at(day("2026-03-27"), 16, 30))
        #expect(clocks.readings[.acknowledge]?.due == at(day("2026-03-30"), 9, 30))
        #expect(
            LondonTime.moment(at: Instant(microsecondsSince1970: 1_774_859_400_000_000)).minute == 9 * 60
                + 30)
    }

    @Test("the share used counts working time, and stands still while the sender is asked")
    func percent() throws {
        let start = at(day("2026-03-02"), 17)
        let targets = try reference.targets(on: day("2026-03-02"))
        var enquiry = facts(.enquiry, start)
        #expect(
            try CaseClocks(enquiry, targets, at: at(day("2026-03-12"), 17)).readings[.resolve]?.usedPercent
                == 80)
        #expect(
            try CaseClocks(enquiry, targets, at: at(day("2026-03-23"), 17)).readings[.resolve]?.usedPercent
                == 150)
        enquiry.stoppedSince = at(day("2026-03-12"), 17)
        let stopped = try CaseClocks(enquiry, targets, at: at(day("2026-03-23"), 17))
        #expect(stopped.readings[.resolve]?.usedPercent == 80)
        #expect(stopped.isStopped)
        #expect(stopped.remainingMinutes == 2 * targets.hours.minutesADay)
    }

    @Test("a year without bank holidays is refused, not guessed")
    func unknownYear() throws {
        let targets = try reference.targets(on: day("2026-03-02"))
        #expect(throws: CalendarError.yearUnknown(2040)) {
            try targets.hours.end(ofWorkingDay: 1, after: LondonTime.instant(on: day("2040-05-01"), minute: 600))
        }
    }

    @Test("adding working minutes and counting them are each other's reverse")
    func reverse() throws {
        let hours = try reference.targets(on: day("2026-03-02")).hours
        for start in stride(from: 0, to: 20_000, by: 787) {
            let from = Instant(
                microsecondsSince1970: at(day("2026-03-20"), 0).microsecondsSince1970 + Int64(start)
                    * 60_000_000)
            for minutes in [1, 59, 540, 541, 4_321] {
                #expect(
                    try hours.minutes(from: from, to: try hours.adding(minutes: minutes, to: from)) == minutes
                )
            }
        }
    }
}
