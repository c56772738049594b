package import PluginAPI

/// A stretch of days over which an organisation stood in a relation to another, both ends included.
package struct LinkSlice: Hashable, Sendable {
    package var parent: ODSCode
    package var from: CalendarDate
    package var to: CalendarDate

    package init(parent: ODSCode, from: CalendarDate, to: CalendarDate) {
        self.parent = parent
        self.from = from
        self.to = to
    }
}

/// The commissioners of one organisation over time: one at a time, oldest first, as known now.
package struct LinkTimeline: Hashable, Sendable {
    package var slices: [LinkSlice]

    package init(slices: [LinkSlice] = []) { self.slices = slices }

    /// The timeline after a file has stated the present relation, or that there is none.
    ///
    /// A day on which it began is taken as stated. Without one it has always been so when it is the first that the
    /// register hears of, and else begins on the day of publication.
    package func stating(_ stated: StatedLink?, publishedOn: CalendarDate) -> LinkTimeline {
        guard let stated else {
            guard let last = slices.last, last.to >= publishedOn else { return self }
            return cut(before: publishedOn)
        }
        let to = stated.to ?? .unboundedEnd
        var base = self
        var from = stated.from ?? (slices.isEmpty ? .unboundedStart : publishedOn)
        if let last = slices.last, last.parent == stated.parent {
            if stated.from == nil, last.to >= publishedOn.adding(days: -1) || stated.to != nil {
                from = last.from
            }
            // The same relation with a corrected day, not a second one after a gap.
            if from <= last.to.addingOneUnlessOpen { base.slices.removeLast() }
        }
        guard from <= to else { return self }
        var result = base.cut(before: from)
        result.slices.append(LinkSlice(parent: stated.parent, from: from, to: to))
        return result
    }

    private func cut(before day: CalendarDate) -> LinkTimeline {
        LinkTimeline(
            slices: slices.compactMap { slice in
                guard slice.from < day else { return nil }
                return LinkSlice(
                    parent: slice.parent, from: slice.from, to: min(slice.to, day.adding(days: -1)))
            })
    }
}

extension CalendarDate {
    fileprivate var addingOneUnlessOpen: CalendarDate { self == .unboundedEnd ? self : adding(days: 1) }
}
