import PluginAPI

/// When an amount will be paid (cqrs.md 5.1, R5, R17): with the run of its window, or, too late for that, with the next.
struct PayDays {
    struct Prediction: Hashable {
        /// `nil` = the calendar does not say yet.
        var day: CalendarDate?
        var missed: CalendarDate?
    }

    let windows: [IndicatorValuesFile.Key: CollectionWindow]

    /// - Parameters:
    ///   - today: the day on which it would be approved.
    ///   - declaredOn: `nil` = not yet.
    func prediction(_ key: IndicatorValuesFile.Key, on today: CalendarDate, declaredOn: CalendarDate?)
        -> Prediction
    {
        guard let own = windows[key] else { return Prediction(day: nil, missed: nil) }
        var missed: CalendarDate?
        if let last = own.approveBy, today > last { missed = last }
        if let last = own.declareBy, declaredOn ?? today > last { missed = last }
        guard missed != nil else { return Prediction(day: own.payOn, missed: nil) }
        return Prediction(day: next(after: own, on: today), missed: missed)
    }

    /// The earliest pay day of a later run that still takes approvals: of the service, or else of any.
    private func next(after own: CollectionWindow, on today: CalendarDate) -> CalendarDate? {
        let open = windows.values.filter { window in
            guard let payOn = window.payOn, payOn > today, payOn > own.payOn ?? today else { return false }
            return window.approveBy ?? payOn >= today
        }
        let same = open.filter { $0.service == own.service }
        return (same.isEmpty ? open : same).compactMap(\.payOn).min()
    }
}
