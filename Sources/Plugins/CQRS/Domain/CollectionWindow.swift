import PluginAPI

/// When a service's figures of a date are extracted, typed in, declared, approved and paid (cqrs.md 5.1).
struct CollectionWindow: Hashable, Sendable {
    var service: String
    var date: CalendarDate
    var extractFrom: CalendarDate?
    var extractTo: CalendarDate?
    var manualFrom: CalendarDate?
    var manualTo: CalendarDate?
    var declareBy: CalendarDate?
    var approveBy: CalendarDate?
    var payOn: CalendarDate?

    init(service: String, date: CalendarDate) {
        self.service = service
        self.date = date
    }

    enum Standing: Hashable, Sendable {
        case open
        case early(from: CalendarDate)
        case late(since: CalendarDate)
    }

    func extract(on day: CalendarDate) -> Standing { CollectionWindow.standing(day, extractFrom, extractTo) }

    /// DAT-5: a figure that is paid is typed in from the day after the extraction, another from the day after the
    /// achievement date.
    func manual(on day: CalendarDate) -> Standing {
        CollectionWindow.standing(day, manualFrom ?? (extractTo ?? date).adding(days: 1), manualTo)
    }

    static func standing(_ day: CalendarDate, _ from: CalendarDate?, _ to: CalendarDate?) -> Standing {
        if let from, day < from { return .early(from: from) }
        if let to, day > to { return .late(since: to) }
        return .open
    }
}

/// Which days are achievement dates of a service (DAT-3, cqrs.md 7.6).
enum AchievementDates {
    static func isOne(_ day: CalendarDate, of definition: ServiceDefinition) -> Bool {
        guard definition.covers(day) else { return false }
        let month = YearMonth(containing: day)
        guard month.lastDay == day else { return false }
        return switch definition.collectionFrequency {
        case .quarterly: month.month % 3 == 0
        default: true
        }
    }

    /// Whether a result of the date is paid: in-year extracts of yearly services are for information (7.6).
    static func isPaid(_ day: CalendarDate, of definition: ServiceDefinition) -> Bool {
        guard isOne(day, of: definition) else { return false }
        let month = YearMonth(containing: day)
        return switch definition.paymentPeriod {
        case .monthly: true
        case .quarterly: month.month % 3 == 0
        case .annual: day == definition.endOn || month == YearMonth(containing: definition.endOn)
        case .oneOff: day == definition.endOn
        case .none: false
        }
    }
}
