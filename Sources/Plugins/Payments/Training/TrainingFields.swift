import CommonContract
import HostContract
import PaymentsContract
import PluginAPI

/// Reads proposals into typed values, with every fault by its place (payments.md 9.5).
struct TrainingFields {
    private static let rule = "payments.md 9.5"
    static let mostRows = 1_000

    var fields = RequestFields()
    /// Contracts of practices.
    let timelines: [ODSCode: ContractTimeline]

    init(_ reader: any Reader) throws {
        timelines = Dictionary(
            try ContractStore.timelines(knownAt: .max, reader).map { ($0.practice, $0) },
            uniquingKeysWith: { first, _ in first })
    }

    private mutating func refuse(_ field: String, _ message: String) {
        fields.refuse(field, TrainingFields.rule, message)
    }

    mutating func requireCount(_ count: Int, _ field: String) {
        if !(1...TrainingFields.mostRows).contains(count) {
            refuse(field, "A proposal has 1 to \(TrainingFields.mostRows) entries.")
        }
    }

    private mutating func reference(_ text: String, _ field: String) {
        let isPlain = text.utf8.allSatisfy {
            (0x30...0x39).contains($0) || (0x41...0x5A).contains($0 & 0xDF) || $0 == 0x2D || $0 == 0x2F
        }
        if !(3...40).contains(text.utf8.count) || !isPlain {
            refuse(field, "A reference is 3 to 40 letters, digits, - and /; never a name.")
        }
    }

    private mutating func period(
        _ from: Pcs_Common_V1_Date, _ hasFrom: Bool, _ to: Pcs_Common_V1_Date, _ hasTo: Bool, _ place: String
    ) -> ClosedRange<CalendarDate>? {
        let first = fields.date(from, isSet: hasFrom, field: place + "from", mayBeEmpty: false)
        let last = fields.date(to, isSet: hasTo, field: place + "to", mayBeEmpty: false)
        guard let first, let last else { return nil }
        guard first <= last else {
            refuse(place + "to", "The last day lies before the first.")
            return nil
        }
        return first...last
    }

    private mutating func contracted(_ code: String, on day: CalendarDate?, _ place: String) -> ODSCode? {
        guard let practice = fields.practice(code, field: place + "practice_code") else { return nil }
        if let day, timelines[practice]?.span(at: day) == nil {
            refuse(place + "practice_code", "\(practice) has no contract on \(day).")
        }
        return practice
    }

    // MARK: Placements

    /// - Parameter known: in force, and waiting.
    mutating func placements(
        _ messages: [Pcs_Payments_V1_TraineePlacement], known: [TraineePlacement]
    ) -> [TraineePlacement] {
        requireCount(messages.count, "placements")
        var read: [(place: String, placement: TraineePlacement)] = []
        for (index, message) in messages.prefix(TrainingFields.mostRows).enumerated() {
            let place = "placements[\(index)]."
            if let placement = placement(message, place) { read.append((place, placement)) }
        }
        let revised = Set(read.map(\.placement.id))
        for (index, entry) in read.enumerated() {
            checkRevision(entry.placement, entry.place, known)
            let others = known.filter { !revised.contains($0.id) } + read[..<index].map(\.placement)
            let other = others.first {
                $0.traineeRef == entry.placement.traineeRef && $0.from <= entry.placement.to
                    && $0.to >= entry.placement.from
            }
            if let other {
                refuse(
                    entry.place + "from",
                    "The trainee is placed at \(other.practice) from \(other.from) to \(other.to).")
            }
        }
        return read.map(\.placement)
    }

    private mutating func checkRevision(
        _ placement: TraineePlacement, _ place: String, _ known: [TraineePlacement]
    ) {
        guard !placement.id.isEmpty else { return }
        guard let before = known.last(where: { $0.id == placement.id && $0.version > 0 }) else {
            refuse(place + "placement_id", "There is no placement \(placement.id.prefix(40)) in force.")
            return
        }
        if before.practice != placement.practice || before.traineeRef != placement.traineeRef {
            refuse(
                place + "placement_id",
                "A placement keeps its trainee and practice: end it and propose another.")
        }
        if known.contains(where: { $0.id == placement.id && $0.version == 0 }) {
            refuse(place + "placement_id", "A revision of the placement waits for a decision.")
        }
    }

    private mutating func placement(
        _ message: Pcs_Payments_V1_TraineePlacement, _ place: String
    ) -> TraineePlacement? {
        let days = period(message.from, message.hasFrom, message.to, message.hasTo, place)
        let practice = contracted(message.practiceCode, on: days?.lowerBound, place)
        reference(message.traineeRef, place + "trainee_ref")
        reference(message.trainerRef, place + "trainer_ref")
        let grade = TraineePlacement.Grade(rawValue: Int64(message.grade.rawValue))
        if grade == nil { refuse(place + "grade", "The grade is ST1 to ST4.") }
        let employer = TraineePlacement.Employer(rawValue: Int64(message.employer.rawValue))
        if employer == nil { refuse(place + "employer", "Say who employs the trainee.") }
        if !TrainingRate.isArea(message.area) || message.area == TrainingRate.everywhere {
            refuse(place + "area", "Name the training area: 3 to 30 of A-Z and _.")
        }
        if let days, days.upperBound > ClaimDeadline.adding(months: 36, to: days.lowerBound) {
            refuse(place + "to", "A placement lasts at most three years.")
        }
        let paid: ClosedRange<Int64> = employer == .practice ? 1...50_000_000 : 0...0
        if employer != nil, !paid.contains(message.annualPayPence) {
            refuse(
                place + "annual_pay_pence",
                "Pay is set up only where the practice employs the trainee, and then it is.")
        }
        let costs: ClosedRange<Int64> = employer == .practice ? 0...50_000_000 : 0...0
        if employer != nil, !costs.contains(message.annualEmployerCostsPence) {
            refuse(
                place + "annual_employer_costs_pence",
                "Costs belong to pay that is set up, 500,000 pounds at most.")
        }
        let absences = absences(message.absences, within: days, place)
        guard let days, let practice, let grade, let employer else { return nil }
        return TraineePlacement(
            id: message.placementID, practice: practice, traineeRef: message.traineeRef,
            trainerRef: message.trainerRef,
            from: days.lowerBound, to: days.upperBound, grade: grade, area: message.area, employer: employer,
            annualPayPence: message.annualPayPence, annualCostsPence: message.annualEmployerCostsPence,
            absences: absences)
    }

    private mutating func absences(
        _ messages: [Pcs_Payments_V1_TraineeAbsence], within days: ClosedRange<CalendarDate>?, _ place: String
    ) -> [TraineePlacement.Absence] {
        var absences: [TraineePlacement.Absence] = []
        if messages.count > 50 { refuse(place + "absences", "A placement has at most 50 absences.") }
        for (index, message) in messages.prefix(50).enumerated() {
            let inner = "\(place)absences[\(index)]."
            let kind = TraineePlacement.Absence.Kind(rawValue: Int64(message.kind.rawValue))
            if kind == nil { refuse(inner + "kind", "An absence is parental leave or sickness.") }
            guard let away = period(message.from, message.hasFrom, message.to, message.hasTo, inner), let kind
            else {
                continue
            }
            if let days, !days.contains(away.lowerBound) || !days.contains(away.upperBound) {
                refuse(inner + "from", "The absence lies outside the placement.")
            }
            if let last = absences.last, away.lowerBound <= last.to {
                refuse(inner + "from", "Absences overlap or are not in order.")
            }
            absences.append(.init(kind: kind, from: away.lowerBound, to: away.upperBound))
        }
        return absences
    }

    // MARK: Payments due once

    mutating func payments(
        _ messages: [Pcs_Payments_V1_TrainingPayment], inForce: [TraineePlacement], today: CalendarDate,
        isTaken: (String) throws -> Bool
    ) rethrows -> [TrainingPayment] {
        requireCount(messages.count, "payments")
        var read: [TrainingPayment] = []
        for (index, message) in messages.prefix(TrainingFields.mostRows).enumerated() {
            let place = "payments[\(index)]."
            let kind = TrainingPayment.Kind(rawValue: Int64(message.kind.rawValue))
            if kind == nil { refuse(place + "kind", "Say what is paid.") }
            let day = fields.date(message.on, isSet: message.hasOn, field: place + "on", mayBeEmpty: false)
            let placement = inForce.first { $0.id == message.placementID }
            if placement == nil { refuse(place + "placement_id", "There is no such placement in force.") }
            guard let kind, let day, let placement else { continue }
            // A report may be completed up to half a year after the end.
            guard day <= today, day >= placement.from, day <= placement.to.adding(days: 183) else {
                refuse(place + "on", day > today ? "The day lies ahead." : "The day lies outside the placement.")
                continue
            }
            let payment = TrainingPayment(kind: kind, placement: placement, on: day)
            if try isTaken(payment.naturalKey) || read.contains(where: { $0.naturalKey == payment.naturalKey }) {
                refuse(
                    place + "on",
                    kind == .supervisionReport
                        ? "The report of these six months is paid or proposed already."
                        : "The trainer's year is paid or proposed already.")
            }
            read.append(payment)
        }
        return read
    }

    // MARK: Retention

    mutating func memberships(
        _ messages: [Pcs_Payments_V1_RetentionMembership], known: [RetentionMembership], mostYears: Int64
    ) -> [RetentionMembership] {
        requireCount(messages.count, "memberships")
        var read: [(place: String, membership: RetentionMembership)] = []
        for (index, message) in messages.prefix(TrainingFields.mostRows).enumerated() {
            let place = "memberships[\(index)]."
            if let membership = membership(message, place, known) { read.append((place, membership)) }
        }
        let revised = Set(read.map(\.membership.id).filter { !$0.isEmpty })
        let kept = known.filter { !revised.contains($0.id) }
        for (index, entry) in read.enumerated() {
            let before = kept + read[..<index].map(\.membership)
            let own = before.filter { $0.doctorRef == entry.membership.doctorRef }
            if own.contains(where: { $0.from <= entry.membership.to && $0.to >= entry.membership.from }) {
                refuse(entry.place + "from", "The doctor is in the scheme on some of these days already.")
            }
            let all = own + [entry.membership]
            let most = RetentionMembership.mostDays(all, years: mostYears)
            if RetentionMembership.days(all) > most {
                refuse(
                    entry.place + "to",
                    "The doctor's memberships come to \(RetentionMembership.days(all)) days; the longest time of "
                        + "\(mostYears) years is \(most).")
            }
        }
        return read.map(\.membership)
    }

    private mutating func membership(
        _ message: Pcs_Payments_V1_RetentionMembership, _ place: String, _ known: [RetentionMembership]
    ) -> RetentionMembership? {
        let days = period(message.from, message.hasFrom, message.to, message.hasTo, place)
        let practice = contracted(message.practiceCode, on: days?.lowerBound, place)
        if message.doctorRef.utf8.count != 7
            || !message.doctorRef.utf8.allSatisfy({ (0x30...0x39).contains($0) })
        {
            refuse(place + "doctor_ref", "A GMC number has seven digits.")
        }
        if !(1...9).contains(message.sessions) { refuse(place + "sessions", "A week has 1 to 9 sessions.") }
        if !message.membershipID.isEmpty,
            !known.contains(where: {
                $0.id == message.membershipID && $0.version > 0 && $0.doctorRef == message.doctorRef
                    && $0.practice.value == message.practiceCode
            })
        {
            refuse(place + "membership_id", "There is no such membership of the doctor at the practice.")
        }
        guard let days, let practice else { return nil }
        return RetentionMembership(
            id: message.membershipID, practice: practice, doctorRef: message.doctorRef, from: days.lowerBound,
            to: days.upperBound, sessions: Int64(message.sessions), claimsExpenses: message.expenses)
    }
}
