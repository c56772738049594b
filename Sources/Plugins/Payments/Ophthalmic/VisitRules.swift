import PluginAPI

/// How long before a visit it is notified, and how often it may change (payments.md 10.2, PVN): rates of its day.
struct VisitRules: Sendable {
    let fewPatients: Int64
    let noticeHours: Int64
    let noticeDays: Int64
    let mostChanges: Int64

    init(_ rates: RateTable, on day: CalendarDate) throws(PaymentsError) {
        fewPatients = try rates.whole(.gosVisitFewPatients, at: day)
        noticeHours = try rates.whole(.gosVisitNoticeHours, at: day)
        noticeDays = try rates.whole(.gosVisitNoticeDays, at: day)
        mostChanges = try rates.whole(.gosVisitMostChanges, at: day)
    }

    /// Hours before the start for few patients, days before the day for more.
    ///
    /// - Parameter patients: at the address on the day, over all notices of the contractor.
    func isInTime(_ visit: VisitStore.Visit, patients: Int64, at now: Instant) -> Bool {
        if patients > fewPatients {
            return LondonTime.day(at: now) <= visit.on.adding(days: -Int(noticeDays))
        }
        let midnight = LondonTime.end(of: visit.on.adding(days: -1)).microsecondsSince1970
        let start = midnight + visit.startsAt * 60_000_000
        return now.microsecondsSince1970 <= start - noticeHours * 3_600_000_000
    }

    var words: String {
        "Visits are notified \(noticeHours) hours before, to more than \(fewPatients) patients at an address and day "
            + "\(noticeDays) days before."
    }
}
