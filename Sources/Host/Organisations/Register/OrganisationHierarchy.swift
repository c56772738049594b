import PluginAPI

/// The few questions from which those about higher levels follow, the same for the register in memory and for what was
/// known on an earlier day.
protocol OrganisationHierarchy {
    associatedtype Place: Hashable
    associatedtype Fault: Error
    /// Its latest kind, whatever the day: a successor may open after the day asked about.
    func kind(of place: Place) throws(Fault) -> OrganisationKind?
    /// Commissioner, ICB of a Sub ICB Location, or region of an ICB.
    func superior(of place: Place, at day: CalendarDate) throws(Fault) -> Place?
    func successors(of place: Place) throws(Fault) -> [Place]
}

extension OrganisationHierarchy {
    /// The ICB above a place, through its commissioner and never through its address.
    func icb(of place: Place, at day: CalendarDate) throws(Fault) -> Place? {
        var visited: Set<Place> = []
        return try climb(from: place, at: day, to: .icb, &visited)
    }

    /// The region above a place.
    func region(of place: Place, at day: CalendarDate) throws(Fault) -> Place? {
        var visited: Set<Place> = []
        return try climb(from: place, at: day, to: .region, &visited)
    }

    /// A former commissioner has nobody above it: then its successors answer, when they agree. Successions may run in
    /// circles, so no place is visited twice.
    private func climb(
        from place: Place, at day: CalendarDate, to level: OrganisationKind, _ visited: inout Set<Place>
    ) throws(Fault) -> Place? {
        let kind = try kind(of: place)
        if kind == level { return place }
        guard kind != .region, kind != .national, visited.insert(place).inserted else { return nil }
        if let superior = try superior(of: place, at: day) {
            return try climb(from: superior, at: day, to: level, &visited)
        }
        guard kind == .formerCommissioner || kind == .subICBLocation || kind == .icb else { return nil }
        var found: Place?
        for successor in try successors(of: place) {
            guard let above = try climb(from: successor, at: day, to: level, &visited) else { continue }
            if let found, found != above { return nil }
            found = above
        }
        return found
    }
}
