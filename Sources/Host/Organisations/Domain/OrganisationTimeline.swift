package import PluginAPI

/// A stretch of days over which an organisation's facts were the same, both ends included.
package struct OrganisationSlice: Hashable, Sendable {
    package var from: CalendarDate
    package var to: CalendarDate
    package var kind: OrganisationKind
    package var status: OrganisationStatus
    package var name: String
    package var postcode: String
    package var town: String
    package var openedOn: CalendarDate?
    package var closedOn: CalendarDate?

    fileprivate func hasSameFacts(as other: OrganisationSlice) -> Bool {
        var same = other
        same.from = from
        same.to = to
        return self == same
    }
}

/// An organisation over time, as known now: slices without gaps, oldest first.
///
/// A file states facts as on its day of publication, and of the past only opening and closing days. So a new name,
/// address or kind holds from the day of publication; an opening or closing holds from its own day, also when that lies
/// in the past or the future. Status decides whether it is open on the day of publication, not a missing closing day:
/// a body may stay active beyond its legal end (identity-and-organisations.md 2.1).
package struct OrganisationTimeline: Hashable, Sendable {
    package var slices: [OrganisationSlice]

    package init(slices: [OrganisationSlice]) { self.slices = slices }

    /// The timeline of an organisation that one statement makes known.
    package init(_ stated: StatedOrganisation, publishedOn: CalendarDate) {
        let start = stated.openedOn ?? .unboundedStart
        func slice(_ from: CalendarDate, _ to: CalendarDate, _ status: OrganisationStatus)
            -> OrganisationSlice
        {
            OrganisationSlice(
                from: from, to: to, kind: stated.kind, status: status, name: stated.name,
                postcode: stated.postcode,
                town: stated.town, openedOn: stated.openedOn, closedOn: stated.closedOn)
        }
        var slices: [OrganisationSlice] = []
        if start > publishedOn, stated.status != .inactive {
            slices.append(slice(publishedOn, start.adding(days: -1), .proposed))
        }
        let lastDay = OrganisationTimeline.lastOpenDay(of: stated, publishedOn: publishedOn)
        switch lastDay {
        case .some(let lastDay) where lastDay >= start:
            let whileOpen: OrganisationStatus = stated.status == .inactive ? .active : stated.status
            slices.append(slice(start, lastDay, whileOpen))
            if lastDay < .unboundedEnd {
                slices.append(slice(lastDay.adding(days: 1), .unboundedEnd, .inactive))
            }
        case .some:
            slices.append(slice(start, .unboundedEnd, .inactive))
        case .none:
            slices.append(slice(start, .unboundedEnd, stated.status))
        }
        self.slices = OrganisationTimeline.merged(slices)
    }

    /// The timeline after another statement.
    /// - Parameter old: what the files said before.
    package func stating(
        _ new: StatedOrganisation, after old: StatedOrganisation, publishedOn: CalendarDate
    ) -> OrganisationTimeline {
        guard new != old else { return self }
        let changeDay = OrganisationTimeline.firstChangedDay(old, new, publishedOn)
        let isReopened = old.status == .inactive && new.status != .inactive
        let next = OrganisationTimeline(new, publishedOn: publishedOn)
        var kept = slices.compactMap { slice -> OrganisationSlice? in
            guard slice.from < changeDay else { return nil }
            var slice = slice
            slice.to = min(slice.to, changeDay.adding(days: -1))
            return slice
        }
        if !isReopened {
            // Opening and closing day are facts of the whole present life, known now also of its earlier days.
            let lastOpen = kept.lastIndex { $0.status != .inactive } ?? 0
            let lifeBegins = (kept.prefix(lastOpen).lastIndex { $0.status == .inactive } ?? -1) + 1
            for index in lifeBegins..<max(lifeBegins, kept.count) {
                kept[index].openedOn = new.openedOn
                kept[index].closedOn = new.closedOn
            }
            if lifeBegins == 0, old.openedOn != new.openedOn, !kept.isEmpty {
                kept[0].from = new.openedOn ?? .unboundedStart
            }
        }
        let begun = next.slices.compactMap { slice -> OrganisationSlice? in
            guard slice.to >= changeDay else { return nil }
            var slice = slice
            slice.from = max(slice.from, changeDay)
            return slice
        }
        // A later opening day leaves a hole before the first new slice: it was closed there, or not yet known.
        if let last = kept.last, let first = begun.first, last.to.adding(days: 1) < first.from {
            kept[kept.count - 1].to = first.from.adding(days: -1)
        }
        return OrganisationTimeline(slices: OrganisationTimeline.merged(kept + begun))
    }

    /// The slice of a day, `nil` before the organisation was known of.
    package func slice(at day: CalendarDate) -> OrganisationSlice? {
        slices.last { $0.from <= day && day <= $0.to }
    }

    private static func lastOpenDay(of stated: StatedOrganisation, publishedOn: CalendarDate) -> CalendarDate?
    {
        guard let closedOn = stated.closedOn else { return nil }
        // Active with a closing day that has passed: status decides.
        return stated.status == .inactive || closedOn >= publishedOn ? closedOn : nil
    }

    private static func firstChangedDay(
        _ old: StatedOrganisation, _ new: StatedOrganisation, _ publishedOn: CalendarDate
    ) -> CalendarDate {
        var days: [CalendarDate] = []
        if old.name != new.name || old.postcode != new.postcode || old.town != new.town
            || old.kind != new.kind
        {
            days.append(publishedOn)
        }
        if old.status == .inactive, new.status != .inactive {
            // Open again: from its new opening day when the file gives one after the closing, else from now on.
            let wasClosed = old.closedOn ?? .unboundedStart
            days.append(new.openedOn.flatMap { $0 > wasClosed ? $0 : nil } ?? publishedOn)
            return days.min() ?? publishedOn
        }
        if old.status != new.status {
            days.append(new.status == .inactive ? new.closedOn?.adding(days: 1) ?? publishedOn : publishedOn)
        }
        if old.closedOn != new.closedOn {
            days += [old.closedOn, new.closedOn].compactMap { $0?.adding(days: 1) }
        }
        return days.min() ?? publishedOn
    }

    private static func merged(_ slices: [OrganisationSlice]) -> [OrganisationSlice] {
        var result: [OrganisationSlice] = []
        for slice in slices where slice.from <= slice.to {
            if let last = result.last, last.hasSameFacts(as: slice) {
                result[result.count - 1].to = slice.to
            } else {
                result.append(slice)
            }
        }
        return result
    }
}
