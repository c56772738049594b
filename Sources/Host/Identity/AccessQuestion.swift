import HostContract
import PluginAPI

/// Whether an organisation, by roles held there, may call a method on the organisations that a request names.
struct AccessQuestion {
    let method: MethodDescriptor
    let acting: ODSCode
    let roles: Set<Role>
    let organisations: [OrganisationTarget]
    let directory: any OrganisationDirectory
    let today: CalendarDate
    /// The caller's open break-glass session.
    var glass: GlassBook.Open?

    /// Returns when any way of the rule is open; throws the most telling of what was in the way.
    func answer() throws {
        do {
            try answerByRoles()
        } catch let failure as Failure {
            guard isOpenByGlass else { throw failure }
        }
    }

    /// A break-glass session opens what changes nothing and names organisations of its scope only
    /// (identity-and-organisations.md 12).
    private var isOpenByGlass: Bool {
        guard let glass, !method.access.changesState, !organisations.isEmpty else { return false }
        let named = Set(method.access.allow.map(\.organisationField))
        return organisations.allSatisfy { target in
            named.contains(target.field) && glass.organisations.contains(target.code)
        }
    }

    /// Whether one way of the rule is open, whatever roles are held.
    func isOpen(_ allow: Allow) -> Bool {
        guard let entry = directory.organisation(acting, at: today), (try? requireUsable(entry)) != nil else {
            return false
        }
        return obstacle(to: allow, actingKind: entry.kind) == nil
    }

    private func answerByRoles() throws {
        guard let actingEntry = directory.organisation(acting, at: today) else {
            throw Failure.denied(.actingFor, "\(acting), the organisation acted for, is not in the register")
        }
        let candidates = method.access.allow.filter { roles.contains($0.role) }
        guard !candidates.isEmpty else {
            // Whoever may only read is told which level acts, not which roles of it.
            for target in organisations
            where method.access.allow.contains(where: { $0.organisationField == target.field }) {
                if let code = ODSCode(target.code), isAskedByICB(of: code, at: today) {
                    throw Failure.denied(.icbReadOnly, wordsToICB(code, at: today))
                }
            }
            let wanted = Set(method.access.allow.map(\.role.name)).sorted().joined(separator: ", ")
            let held = roles.map(\.name).sorted().joined(separator: ", ")
            throw Failure.denied(
                .role, "it takes \(wanted.isEmpty ? "no role" : wanted); held at \(acting): \(held)")
        }
        try requireUsable(actingEntry)
        var worst: Obstacle?
        for allow in candidates {
            guard let obstacle = obstacle(to: allow, actingKind: actingEntry.kind) else { return }
            if worst.map({ obstacle.weight > $0.weight }) ?? true { worst = obstacle }
        }
        if let worst { throw worst.failure }
    }

    private struct Obstacle {
        let clause: AccessClause
        let words: String

        /// The more a clause says of the way in, the more it is worth telling.
        var weight: Int {
            switch clause {
            case .icbReadOnly: 4
            case .organisationClosed: 3
            case .organisationUnknown: 2
            case .organisationMissing: 1
            default: 0
            }
        }

        var failure: Failure {
            clause == .icbReadOnly ? .denied(clause, words) : .outOfScope(clause, words)
        }
    }

    /// A closed organisation does nothing more; its people may read for a while (15.3, step 15).
    private func requireUsable(_ entry: DirectoryEntry) throws {
        guard entry.status == .inactive else { return }
        guard !method.access.changesState, let closedOn = entry.closedOn,
            today <= closedOn.adding(days: IdentityRegistry.readableDaysAfterClosing)
        else {
            throw Failure.denied(
                .actingFor, "\(acting), the organisation acted for, closed\(entry.closingWords)")
        }
    }

    private func obstacle(to allow: Allow, actingKind: OrganisationKind) -> Obstacle? {
        if allow.relation == .national {
            guard actingKind != .national else { return nil }
            return Obstacle(
                clause: .relation,
                words: "\(allow.role) must be held at a national body, and \(acting) is none")
        }
        if allow.relation == .acting { return nil }
        if allow.relation == .icb, method.access.changesState {
            return Obstacle(clause: .icbReadOnly, words: "at the level of an ICB one reads and does not act")
        }
        let named = organisations.filter { $0.field == allow.organisationField }
        guard !named.isEmpty else {
            return Obstacle(
                clause: .organisationMissing,
                words: "the request names no organisation in \(allow.organisationField)")
        }
        for target in named {
            if let obstacle = obstacle(between: target, allow, actingKind) { return obstacle }
        }
        return nil
    }

    private func obstacle(
        between target: OrganisationTarget, _ allow: Allow, _ actingKind: OrganisationKind
    ) -> Obstacle? {
        guard !target.code.isEmpty else {
            return Obstacle(clause: .organisationMissing, words: "\(target.field) is empty")
        }
        guard let code = ODSCode(target.code), let entry = directory.organisation(code, at: today) else {
            return Obstacle(
                clause: .organisationUnknown,
                words: "\(target.code.prefix(12)) is not in the register as at \(today)")
        }
        guard let day = relationDay(of: entry) else {
            return Obstacle(clause: .organisationClosed, words: "\(code) closed\(entry.closingWords)")
        }
        if holds(allow.relation, with: code, at: day, actingKind) { return nil }
        if isAskedByICB(of: code, at: day) {
            return Obstacle(clause: .icbReadOnly, words: wordsToICB(code, at: day))
        }
        return Obstacle(clause: .relation, words: words(allow.relation, code, at: day))
    }

    /// Whether an ICB asks for a change of something below it, where only its Sub ICB Locations, or the region, act.
    private func isAskedByICB(of code: ODSCode, at day: CalendarDate) -> Bool {
        method.access.changesState && code != acting
            && directory.organisation(acting, at: today)?.kind == .icb
            && directory.icb(of: code, at: day) == acting
    }

    private func wordsToICB(_ code: ODSCode, at day: CalendarDate) -> String {
        let location =
            directory.organisation(code, at: day)?.kind == .subICBLocation
            ? code : directory.commissioner(of: code, at: day) ?? code
        return
            "\(acting) is the ICB above \(code) and reads only; this requires Sub ICB Location role, at \(location)"
    }

    /// The day as at which relations count: today; for a closed organisation its last day, for reading, for a while.
    private func relationDay(of entry: DirectoryEntry) -> CalendarDate? {
        guard entry.status == .inactive else { return today }
        guard !method.access.changesState, let closedOn = entry.closedOn,
            today <= closedOn.adding(days: IdentityRegistry.readableDaysAfterClosing)
        else { return nil }
        return closedOn
    }

    private func holds(
        _ relation: Relation, with code: ODSCode, at day: CalendarDate, _ actingKind: OrganisationKind
    ) -> Bool {
        switch relation {
        case .national, .acting: true
        case .own: code == acting
        // The level that acts is the Sub ICB Location: an ICB above one does not commission in its place.
        case .commissioner:
            actingKind == .subICBLocation
                && (code == acting || directory.commissioner(of: code, at: day) == acting)
        case .icb: directory.icb(of: code, at: day) == acting
        case .region: directory.region(of: code, at: day) == acting
        case .pcnMember: directory.pcn(of: acting, at: day) == code
        case .pcnOf: directory.pcn(of: code, at: day) == acting
        case .pcnPeer:
            code == acting
                || directory.pcn(of: code, at: day).map { $0 == directory.pcn(of: acting, at: day) } ?? false
        }
    }

    private func words(_ relation: Relation, _ code: ODSCode, at day: CalendarDate) -> String {
        func said(_ other: ODSCode?) -> String { other.map(\.value) ?? "nobody in the register" }
        switch relation {
        case .national, .acting: return "\(acting) is no national body"
        case .own: return "\(code) is not \(acting)"
        case .commissioner:
            return
                "\(code) is commissioned by \(said(directory.commissioner(of: code, at: day))), not by \(acting)"
        case .icb: return "\(code) is below \(said(directory.icb(of: code, at: day))), not below \(acting)"
        case .region: return "\(code) is in \(said(directory.region(of: code, at: day))), not in \(acting)"
        case .pcnMember: return "\(acting) is no member of \(code)"
        case .pcnOf:
            return "\(code) is a member of \(said(directory.pcn(of: code, at: day))), not of \(acting)"
        case .pcnPeer: return "\(code) and \(acting) are not in one PCN"
        }
    }
}

extension DirectoryEntry {
    fileprivate var closingWords: String { closedOn.map { " on \($0)" } ?? "" }
}
