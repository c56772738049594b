import CommonContract
import HostContract
import PluginAPI

// Organisations as the contract shows them: from memory, or as they were known on an earlier day.

extension OrganisationRegister {
    /// The organisation as at a day, as known now.
    func description(of code: ODSCode, at day: CalendarDate) -> Pcs_Host_V1_Organisation? {
        let register = snapshot
        return register.place(of: code).flatMap { register.description(of: $0, at: day) }
    }

    /// The organisation as at a day, as it was known on `knownOn`. Reads the tables.
    func description(
        of code: ODSCode, at day: CalendarDate, knownOn: CalendarDate
    ) throws -> Pcs_Host_V1_Organisation? {
        if code == OrganisationRegister.operatorCode { return description(of: code, at: day) }
        return try store.read { reader in
            let known = KnownRegister(reader: reader, knownOn: knownOn)
            guard let slice = try known.timeline(of: code).slice(at: day) else { return nil }
            var message = Pcs_Host_V1_Organisation(code, slice)
            message.commissionerCode = try known.superior(of: code, at: day)?.value ?? ""
            message.icbCode = try known.icb(of: code, at: day)?.value ?? ""
            message.regionCode = try known.region(of: code, at: day)?.value ?? ""
            message.pcnCode = try known.pcn(of: code, at: day)?.value ?? ""
            message.operatorCode = try known.link(of: code, .operatedBy, at: day)?.value ?? ""
            message.payeeCode = try known.link(of: code, .payee, at: day)?.value ?? ""
            message.kindLabel = OrganisationLabels.shared.label(of: slice.kind, at: day)
            message.addressLines =
                try reader.first(
                    OrganisationTables.addressOf, [.text(code.value), .date(knownOn)],
                    StatedAddress.init(row:))?.lines ?? []
            message.successorCodes = try known.successors(of: code).map(\.value)
            message.predecessorCodes = try known.predecessors(of: code).map(\.value)
            return message
        }
    }
}

extension RegisterSnapshot {
    func description(of place: Int32, at day: CalendarDate) -> Pcs_Host_V1_Organisation? {
        guard let slice = slice(of: place, at: day) else { return nil }
        func text(_ place: Int32?) -> String { place.map { codes[Int($0)].value } ?? "" }
        var message = Pcs_Host_V1_Organisation(codes[Int(place)], slice)
        message.commissionerCode = text(superior(of: place, at: day))
        message.icbCode = text(icb(of: place, at: day))
        message.regionCode = text(region(of: place, at: day))
        message.pcnCode = text(pcn(of: place, at: day))
        message.operatorCode = text(operatingOrganisation(of: place, at: day))
        message.payeeCode = text(payee(of: place, at: day))
        message.kindLabel = OrganisationLabels.shared.label(of: slice.kind, at: day)
        message.successorCodes = successors(of: place).map { text($0) }
        message.predecessorCodes = predecessors(of: place).map { text($0) }
        return message
    }

    /// Places below another, open on the day, in order of code.
    ///
    /// Without `kind` those that stand directly below: what it commissions or operates, or a PCN's members. With
    /// `kind` all of that kind at any depth: the practices of a region, the PCNs of an ICB.
    func places(below parent: Int32, kind: OrganisationKind?, at day: CalendarDate) -> [Int32] {
        let direct = directlyBelow(parent, at: day)
        guard let kind else { return direct }
        var found: Set<Int32> = []
        var visited: Set<Int32> = [parent]
        var waiting = direct
        while let place = waiting.popLast() {
            guard visited.insert(place).inserted else { continue }
            if self.slice(of: place, at: day)?.kind == kind { found.insert(place) }
            // PCNs and practices are side by side under a commissioner: members are asked of the PCN itself.
            waiting += commissioned[place].filter { $0.holds(on: day) && isOpen($0.place, at: day) }.map(
                \.place)
        }
        return found.sorted()
    }

    private func directlyBelow(_ parent: Int32, at day: CalendarDate) -> [Int32] {
        let commissioned = commissioned[parent].filter { $0.holds(on: day) }.map(\.place)
        let members = members[parent].filter { $0.holds(on: day) && pcn(of: $0.place, at: day) == parent }
            .map(\.place)
        let operated = operated[parent].filter { $0.holds(on: day) }.map(\.place)
        return Set(commissioned + members + operated).filter { isOpen($0, at: day) }.sorted()
    }
}

/// The register as it was known at the end of a day, read from the tables, one organisation at a time.
struct KnownRegister: OrganisationHierarchy {
    typealias Place = ODSCode
    typealias Fault = any Error
    let reader: any Reader
    let knownOn: CalendarDate

    func timeline(of code: ODSCode) throws -> OrganisationTimeline {
        OrganisationTimeline(
            slices: try reader.all(
                OrganisationTables.slicesOf, [.text(code.value), .date(knownOn)], OrganisationSlice.init(row:)
            ))
    }

    func kind(of place: ODSCode) throws -> OrganisationKind? { try timeline(of: place).slices.last?.kind }

    func superior(of place: ODSCode, at day: CalendarDate) throws -> ODSCode? {
        try link(of: place, .commissioner, at: day)
    }

    /// Of a relation of which there is one at a time.
    func link(of child: ODSCode, _ relation: LinkRelation, at day: CalendarDate) throws -> ODSCode? {
        try links(of: child, relation).last { $0.from <= day && day <= $0.to }?.parent
    }

    func pcn(of practice: ODSCode, at day: CalendarDate) throws -> ODSCode? {
        try links(of: practice, .pcn).sorted { ($0.from, $0.to) > ($1.from, $1.to) }
            .first { $0.from <= day && day <= $0.to }?.parent
    }

    private func links(of child: ODSCode, _ relation: LinkRelation) throws -> [LinkSlice] {
        try reader.all(
            OrganisationTables.linksOf, [.text(child.value), .text(relation.rawValue), .date(knownOn)]
        ) { row in
            guard let parent = ODSCode(row.text(0)) else {
                throw StoredValueError(message: "an organisation link names no code")
            }
            return LinkSlice(parent: parent, from: try row.date(1), to: try row.date(2))
        }
    }

    func successors(of place: ODSCode) throws -> [ODSCode] {
        try reader.all(OrganisationTables.successorsOf, [.text(place.value), .date(knownOn)]) { $0.text(0) }
            .compactMap { ODSCode($0) }
    }

    func predecessors(of place: ODSCode) throws -> [ODSCode] {
        try reader.all(OrganisationTables.predecessorsOf, [.text(place.value), .date(knownOn)]) { $0.text(0) }
            .compactMap { ODSCode($0) }
    }
}

extension Pcs_Host_V1_Organisation {
    init(_ code: ODSCode, _ slice: OrganisationSlice) {
        self.init()
        self.code = code.value
        name = slice.name
        kind = Pcs_Host_V1_OrganisationKind(rawValue: slice.kind.rawValue) ?? .unspecified
        status = Pcs_Host_V1_OrganisationStatus(rawValue: slice.status.rawValue) ?? .unspecified
        if let openedOn = slice.openedOn { self.openedOn = Pcs_Common_V1_Date(openedOn) }
        if let closedOn = slice.closedOn { self.closedOn = Pcs_Common_V1_Date(closedOn) }
        postcode = slice.postcode
        town = slice.town
    }
}
