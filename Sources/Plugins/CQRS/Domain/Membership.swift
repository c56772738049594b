import PluginAPI

/// From when to when a practice is a member of a network by the register, which answers for single days only.
struct Membership {
    let organisations: any OrganisationDirectory
    let pcn: ODSCode

    /// Networks have been in the register since July 2019; nothing before is looked at.
    private static let earliest = CalendarDate(year: 2019, month: 7, day: 1) ?? CalendarDate(daysSince1970: 0)
    /// Ends further ahead than this are open.
    private static let horizonDays = 366

    func isMember(_ practice: ODSCode, on day: CalendarDate) -> Bool {
        organisations.pcn(of: practice, at: day) == pcn
    }

    /// - Returns: first and last day of the membership of `day`; `to` is `nil` while it is open.
    func span(of practice: ODSCode, around day: CalendarDate) -> (from: CalendarDate, to: CalendarDate?) {
        var from = day
        while from > Self.earliest, isMember(practice, on: from.adding(days: -1)) {
            from = from.adding(days: -1)
        }
        var to = day
        for _ in 0..<Self.horizonDays {
            guard isMember(practice, on: to.adding(days: 1)) else { return (from, to) }
            to = to.adding(days: 1)
        }
        return (from, nil)
    }
}
