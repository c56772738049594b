import CommonContract
import HostContract
import PluginAPI

/// Bodies that the national register has no code for, registered by an operator with a reason: an LMC, an accountant,
/// locum chambers, an out-of-hours provider (identity-and-organisations.md 2.4, 8.1).
///
/// They live in the same tables as everybody else, under a layout of their own, so that no file can take one over.
enum LocalOrganisations {
    /// Where `organisation_stated` says which kind of file states an organisation: none does.
    static let layout = 100
    private static let prefix = "LOCAL"

    static func isLocal(_ code: ODSCode) -> Bool { code.value.hasPrefix(prefix) }

    /// What an operator says of one, checked field by field.
    struct Wanted: Sendable {
        let facts: StatedOrganisation
        let address: StatedAddress
        let commissioner: ODSCode?
        let reason: String

        init(
            _ request: Pcs_Host_V1_RegisterLocalOrganisationRequest, register: OrganisationRegister,
            today: CalendarDate
        ) throws {
            let code = try FieldCheck.code(request.code, "code")
            guard LocalOrganisations.isLocal(code), code.value.count > LocalOrganisations.prefix.count else {
                throw Failure.invalid(
                    "code", "local.code",
                    "LOCAL and 1 to 7 of A-Z and 0-9: other codes are the national register's.")
            }
            guard let kind = OrganisationKind(rawValue: request.kind.rawValue), kind.isLocal else {
                throw Failure.invalid(
                    "kind", "local.kind", "Only kinds that the national register has no codes for.")
            }
            let opened = try request.hasOpenedOn ? FieldCheck.day(request.openedOn, "opened_on") : today
            guard request.addressLines.count <= 5 else {
                throw Failure.invalid("address_lines", "local.address", "At most five lines.")
            }
            for (index, line) in request.addressLines.enumerated() {
                _ = try FieldCheck.text(line, "address_lines[\(index)]", 1...100)
            }
            let postcode =
                try request.postcode.isEmpty ? "" : FieldCheck.text(request.postcode, "postcode", 5...8)
            let town = try request.town.isEmpty ? "" : FieldCheck.text(request.town, "town", 1...100)
            facts = StatedOrganisation(
                code: code, kind: kind, name: try FieldCheck.text(request.name, "name", 3...100),
                status: .active,
                openedOn: opened, closedOn: nil, postcode: postcode, town: town)
            address = StatedAddress(lines: request.addressLines + [town], postcode: postcode)
            commissioner =
                try request.commissionerCode.isEmpty
                ? nil : FieldCheck.code(request.commissionerCode, "commissioner_code")
            if let commissioner,
                register.organisation(commissioner, at: today)?.kind != .subICBLocation
            {
                throw Failure.invalid(
                    "commissioner_code", "local.commissioner", "\(commissioner) is no Sub ICB Location.")
            }
            try FieldCheck.reason(request.reason)
            reason = request.reason
        }
    }

    static func register(_ wanted: Wanted, today: CalendarDate, in transaction: any Transaction) throws {
        let code = wanted.facts.code
        if try transaction.first(statedOf, [.text(code.value)], { $0.text(0) }) != nil {
            throw Failure(HostReasons.alreadyExists, "\(code) is in the register.")
        }
        let act = transaction.newIdentifier()
        try state(wanted.facts, in: transaction)
        try insert(
            OrganisationTimeline(wanted.facts, publishedOn: today), of: code, act, today, in: transaction)
        try transaction.run(
            OrganisationTables.insertAddress,
            [
                .text(code.value), .text(act), .date(today), .text(wanted.address.storedLines),
                .text(wanted.address.postcode),
            ])
        if let commissioner = wanted.commissioner {
            try transaction.run(
                OrganisationTables.insertLink,
                [
                    .text(code.value), .text(LinkRelation.commissioner.rawValue), .text(commissioner.value),
                    .date(wanted.facts.openedOn ?? today), .date(CalendarDate.unboundedEnd), .text("local"),
                    .date(today), .text(act),
                ])
        }
        try publish(code, .opened, "", "active", on: wanted.facts.openedOn ?? today, act, in: transaction)
        transaction.audit(
            AuditNote(
                object: "organisation/\(code)", organisation: code.value,
                detail: "registered locally, \(wanted.facts.kind), \(wanted.facts.name): \(wanted.reason)"))
    }

    static func close(
        _ code: ODSCode, lastDay: CalendarDate, reason: String, today: CalendarDate,
        in transaction: any Transaction
    ) throws {
        guard isLocal(code),
            let found = try transaction.first(
                statedOf, [.text(code.value)], { try StatedOrganisation(local: $0) }),
            let old = found
        else { throw Failure(HostReasons.notFound, "\(code) is no body registered here.") }
        guard old.status != .inactive else {
            throw Failure(HostReasons.stateWrong, "\(code) closed\(old.closedOn.map { " on \($0)" } ?? "").")
        }
        guard old.openedOn.map({ $0 <= lastDay }) ?? true else {
            throw Failure.invalid("closed_on", "ODS-4", "The last day is before the first.")
        }
        var new = old
        new.closedOn = lastDay
        // A day to come is a fact already; the status follows on that day.
        new.status = lastDay < today ? .inactive : .active
        let known = OrganisationTimeline(
            slices: try transaction.all(
                OrganisationTables.slicesOf,
                [.text(code.value), .date(CalendarDate.unboundedEnd.adding(days: -1))],
                OrganisationSlice.init(row:)))
        let act = transaction.newIdentifier()
        try state(new, in: transaction)
        try transaction.run(
            OrganisationTables.endSlices, [.text(code.value), .date(today), .text(act)])
        try insert(known.stating(new, after: old, publishedOn: today), of: code, act, today, in: transaction)
        try publish(code, .closed, "active", "inactive", on: lastDay, act, in: transaction)
        transaction.audit(
            AuditNote(
                object: "organisation/\(code)", organisation: code.value,
                detail: "closed locally, last day \(lastDay): \(reason)"))
    }

    private static func state(_ facts: StatedOrganisation, in transaction: any Transaction) throws {
        try transaction.run(
            OrganisationTables.putStated,
            [
                .text(facts.code.value), .integer(layout), .text("local"), .integer(facts.kind.rawValue),
                .text(facts.name), .integer(facts.status.rawValue), .date(facts.openedOn),
                .date(facts.closedOn),
                .text(facts.postcode), .text(facts.town),
            ])
    }

    private static func insert(
        _ timeline: OrganisationTimeline, of code: ODSCode, _ act: String, _ today: CalendarDate,
        in transaction: any Transaction
    ) throws {
        for slice in timeline.slices {
            try transaction.run(
                OrganisationTables.insertSlice,
                [
                    .text(code.value), .date(slice.from), .date(slice.to), .integer(slice.kind.rawValue),
                    .integer(slice.status.rawValue), .text(slice.name), .text(slice.postcode),
                    .text(slice.town),
                    .date(slice.openedOn), .date(slice.closedOn), .date(today), .text(act),
                ])
        }
    }

    private static func publish(
        _ code: ODSCode, _ kind: Pcs_Host_V1_DifferenceKind, _ before: String, _ after: String,
        on day: CalendarDate, _ act: String, in transaction: any Transaction
    ) throws {
        try transaction.publish(
            Pcs_Host_V1_OrganisationChanged.with {
                $0.code = code.value
                $0.kind = kind
                $0.effectiveOn = Pcs_Common_V1_Date(day)
                $0.before = before
                $0.after = after
                $0.loadID = act
            }, key: code.value)
    }

    private static let statedOf = Statement(
        """
        SELECT code, kind, name, status, opened_on, closed_on, postcode, town FROM organisation_stated
        WHERE code = ?1
        """)
}

extension StatedOrganisation {
    /// From a row of the statement above.
    fileprivate init?(local row: any Row) throws {
        guard let code = ODSCode(row.text(0)), let kind = OrganisationKind(rawValue: Int(row.integer(1))),
            let status = OrganisationStatus(rawValue: Int(row.integer(3)))
        else { return nil }
        self.init(
            code: code, kind: kind, name: row.text(2), status: status, openedOn: try row.optionalDate(4),
            closedOn: try row.optionalDate(5), postcode: row.text(6), town: row.text(7))
    }
}
