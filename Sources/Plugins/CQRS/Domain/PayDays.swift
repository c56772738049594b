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
    ///   - today: the day on which it is declared or approved.
    ///   - isDeclared: whether the deadline for declaring is behind it.
    func prediction(_ key: IndicatorValuesFile.Key, on today: CalendarDate, isDeclared: Bool) -> Prediction {
        guard let own = windows[key] else { return Prediction(day: nil, missed: nil) }
        let last = isDeclared ? own.approveBy : own.declareBy ?? own.approveBy
        guard let last, today > last else { return Prediction(day: own.payOn, missed: nil) }
        return Prediction(day: next(key.service, after: today), missed: last)
    }

    /// The earliest pay day of a run that still takes approvals: of the service, or else of any.
    private func next(_ service: String, after today: CalendarDate) -> CalendarDate? {
        let open = windows.values.filter { window in
            guard let payOn = window.payOn, payOn > today else { return false }
            return (window.approveBy ?? payOn) >= today
        }
        let own = open.filter { $0.service == service }
        return (own.isEmpty ? open : own).compactMap(\.payOn).min()
    }
}
