import CqrsContract
import PluginAPI

/// Whose rows are in a report: the organisation's own and of all below it, for whom it is asked (cqrs.md 2.3, 9).
struct ReportScope: Sendable {
    let organisations: any OrganisationDirectory
    /// `nil` = all England.
    let organisation: ODSCode?
    let kind: OrganisationKind?
    let sight: NetworkSight
    let today: CalendarDate
    /// Sub ICB Locations below an ICB or region, by the register.
    let locations: [ODSCode]
    let allocations: [AllocationStore.Allocation]

    /// Whether a row about a provider on a day belongs to the report.
    /// - Parameter commissioner: whoever has it before them; empty = as in the register.
    func contains(
        _ provider: String, pcn: String = "", commissioner: String, service: String, on day: CalendarDate
    ) -> Bool {
        guard let organisation, let kind else { return true }
        guard let code = ODSCode(provider) else { return false }
        switch kind {
        case .pcn:
            let isMember =
                provider == organisation.value || organisations.pcn(of: code, at: day) == organisation
            return isMember && sight.sees(provider, on: day)
        case .subICBLocation:
            let own = organisations.commissioner(of: code, at: day)
            let owner = commissioner.isEmpty ? own?.value ?? "" : commissioner
            return owner == organisation.value
                || (own == organisation && isAllocated(service, by: owner, on: day))
        case .icb: return organisations.icb(of: code, at: day) == organisation
        case .region:
            return commissioner == organisation.value
                || organisations.region(of: code, at: day) == organisation
        default: return provider == organisation.value && sight.sees(provider, on: day)
        }
    }

    private func isAllocated(_ service: String, by parent: String, on day: CalendarDate) -> Bool {
        let year = FinancialYear(containing: day).description
        return allocations.contains {
            $0.removedAt == nil && $0.parent == parent && $0.to == organisation?.value
                && $0.service == service
                && ($0.year.isEmpty || $0.year == year)
        }
    }

    /// Practices of the scope on a day, by the register.
    func practices(on day: CalendarDate) -> [ODSCode] {
        guard let organisation, let kind else {
            return locations.flatMap { organisations.practices(commissionedBy: $0, at: day) }
        }
        switch kind {
        case .pcn: return organisations.members(of: organisation, at: day)
        case .subICBLocation: return organisations.practices(commissionedBy: organisation, at: day)
        case .icb, .region: return locations.flatMap { organisations.practices(commissionedBy: $0, at: day) }
        default: return [organisation]
        }
    }

    /// Declarations of the scope between two days.
    func declarations(from: CalendarDate, to: CalendarDate, _ reader: any Reader) throws -> [DeclarationStore
        .Record]
    {
        let found: [DeclarationStore.Record]
        switch kind {
        case .pcn?, .practice?, .pharmacy?, .otherPrescribingSetting?:
            var providers = Set(organisation.map { [$0] } ?? [])
            if kind == .pcn, let pcn = organisation {
                for day in [from, to, today] { providers.formUnion(organisations.members(of: pcn, at: day)) }
            }
            found = try providers.sorted().flatMap { provider in
                try DeclarationStore.of(provider: provider.value, reader).filter {
                    $0.date >= from && $0.date <= to
                }
            }
        default:
            found = try commissioners(DeclarationStore.allCommissioners(reader)).flatMap {
                try DeclarationStore.of(commissioner: $0, from: from, to: to, reader)
            }
        }
        return found.filter {
            contains(
                $0.provider, pcn: $0.pcn, commissioner: $0.commissioner, service: $0.service, on: $0.date)
        }
    }

    /// Participations of the scope, whatever became of them.
    func participations(_ reader: any Reader) throws -> [ParticipationStore.Record] {
        let found: [ParticipationStore.Record]
        switch kind {
        case .pcn?: found = try ParticipationStore.of(pcn: organisation?.value ?? "", reader)
        case .practice?, .pharmacy?, .otherPrescribingSetting?:
            found = try ParticipationStore.of(provider: organisation?.value ?? "", reader)
        default:
            found = try commissioners(ParticipationStore.allCommissioners(reader)).flatMap {
                try ParticipationStore.of(commissioner: $0, reader)
            }
        }
        return found.filter {
            contains(
                $0.provider, pcn: $0.pcn, commissioner: $0.commissioner, service: $0.service,
                on: min(today, $0.end ?? today))
        }
    }

    /// Of those that have records, whoever may have some of this scope.
    private func commissioners(_ all: [String]) -> [String] {
        guard let organisation, let kind else { return all }
        let below = Set(locations.map(\.value))
        return all.filter { code in
            if code == organisation.value || below.contains(code) { return true }
            switch kind {
            case .subICBLocation: return allocations.contains { $0.parent == code && $0.removedAt == nil }
            // A region may commission inside of an ICB.
            case .icb: return organisations.region(of: organisation, at: today)?.value == code
            case .region:
                return ODSCode(code).flatMap { organisations.region(of: $0, at: today) } == organisation
            default: return false
            }
        }
    }

    /// Who takes part in a service on a date, in the scope.
    func participants(_ key: IndicatorValuesFile.Key, _ reader: any Reader) throws -> [ParticipantList
        .Participant]
    {
        try ParticipantList.participants(in: key.service, on: key.date, reader).filter {
            contains(
                $0.provider, pcn: $0.pcn, commissioner: $0.commissioner, service: key.service, on: key.date)
        }
    }
}
