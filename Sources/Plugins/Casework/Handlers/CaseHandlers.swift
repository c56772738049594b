import CaseworkContract
import CommonContract
import HostContract
import PluginAPI

/// Cases as PCSE's teams see and handle them.
struct CaseHandlers: Pcs_Casework_V1_CaseService {
    let context: PluginContext
    let reference: CaseworkReference
    let book: CaseBook

    // MARK: Reading

    func listCases(
        _ request: Pcs_Casework_V1_ListCasesRequest, _ call: CallContext
    ) async throws -> Pcs_Casework_V1_ListCasesResponse {
        let person = try call.caller.requirePerson()
        var fields = RequestFields()
        let size = fields.pageSize(request.pageSize)
        if !request.team.isEmpty, !reference.teams.contains(request.team) {
            fields.refuse("team", "14.1", "There is no such team.")
        }
        let token = PageToken(request.pageToken)
        if token == nil { fields.refuse("page_token", "page", "page_token comes from the answer before.") }
        try fields.finish()
        guard let token else { throw Failure(HostReasons.fieldInvalid) }
        return try context.store.read { reader in
            let teams = request.team.isEmpty ? try TeamStore.teams(of: person, reader) : [request.team]
            var rows: [CaseRecord] = []
            for team in teams {
                rows += try EnquiryStore.work(of: team, after: token.due, token.id, limit: size, reader)
            }
            let page = rows.sorted { ($0.resolveBy, $0.id) < ($1.resolveBy, $1.id) }.prefix(size)
            var response = Pcs_Casework_V1_ListCasesResponse()
            for record in page {
                if request.mineOnly, record.handler != person { continue }
                if request.complaintsOnly, record.kind != .complaint { continue }
                if request.breachedOnly, !(try book.clocks(record, at: call.now).hasBreached(at: call.now)) {
                    continue
                }
                // Work of a team to which the caller does not belong is opened one by one, with a reason.
                guard let view = try? book.staffView(record.id, call.caller, hasReason: false, reader) else {
                    continue
                }
                response.cases.append(try book.summary(view, at: call.now))
            }
            if page.count == size, let last = page.last { response.nextPageToken = PageToken(last).text }
            return response
        }
    }

    /// Work goes on behind this due moment and identifier.
    private struct PageToken {
        var due: Instant
        var id: String

        init?(_ text: String) {
            guard !text.isEmpty else {
                self.init(due: Instant(microsecondsSince1970: .min), id: "")
                return
            }
            let parts = text.split(separator: "/")
            guard parts.count == 2, let due = Int64(parts[0]) else { return nil }
            self.init(due: Instant(microsecondsSince1970: due), id: String(parts[1]))
        }
        init(_ record: CaseRecord) { self.init(due: record.resolveBy, id: record.id) }
        private init(due: Instant, id: String) {
            self.due = due
            self.id = id
        }
        var text: String { "\(due.microsecondsSince1970)/\(id)" }
    }

    func openCase(
        _ request: Pcs_Casework_V1_OpenCaseRequest, _ call: CallContext
    ) async throws -> Pcs_Casework_V1_Enquiry {
        var fields = RequestFields()
        if !request.accessReason.isEmpty { fields.reason(request.accessReason, field: "access_reason") }
        try fields.finish()
        return try await call.commit { transaction in
            let hasReason = !request.accessReason.isEmpty
            let view = try book.staffView(request.enquiryID, call.caller, hasReason: hasReason, transaction)
            let record = view.record
            if hasReason {
                let entry = CaseEntry(
                    at: transaction.now, by: call.caller.responsible, action: nil, state: record.state,
                    text: "Opened: \(request.accessReason)", isInternal: true)
                try EnquiryStore.add(entry, to: record.id, in: transaction)
            }
            transaction.audit(
                AuditNote(
                    object: "enquiry/\(record.id)", organisation: record.organisation,
                    detail: hasReason ? "opened: \(request.accessReason)" : "opened"))
            return try book.message(view, at: transaction.now, transaction)
        }
    }

    // MARK: Steps

    func handleCase(
        _ request: Pcs_Casework_V1_HandleCaseRequest, _ call: CallContext
    ) async throws -> Pcs_Casework_V1_Enquiry {
        let person = try call.caller.requirePerson()
        let (action, planned) = try check(request, call)
        return try await call.commit { transaction in
            let isManager = call.caller.roles.contains(Roles.caseManager)
            let view = try book.staffView(request.enquiryID, call.caller, hasReason: isManager, transaction)
            var record = view.record
            let next = try book.require(action, view)
            switch action {
            case .acknowledge where record.kind == .complaint: record.plannedAnswerOn = planned
            case .assign: try assign(&record, request.handler, person, transaction)
            case .resolve: record.closingReason = request.closingReason
            case .markDuplicate: try markDuplicate(&record, request.duplicateOf, transaction)
            case .draftResponse: record.draftedBy = person
            case .approveResponse:
                try call.requireOtherPerson(
                    than: record.draftedBy, step: "approving a response that one drafted")
            default: break
            }
            let step = CaseBook.Step(
                action: action, text: request.text, documents: request.documentIds, by: person)
            try book.take(step, to: next, &record, in: transaction)
            let isInTeam = try TeamStore.isMember(person, of: record.team, transaction)
            let actors = CaseVisibility.staffActors(
                record, isInTeam: isInTeam, person: person, roles: call.caller.roleNames)
            return try book.message(
                CaseBook.View(record: record, actors: actors, isStaff: true), at: transaction.now, transaction
            )
        }
    }

    private func check(
        _ request: Pcs_Casework_V1_HandleCaseRequest, _ call: CallContext
    ) throws -> (CaseAction, CalendarDate?) {
        var fields = RequestFields()
        let action = CaseAction(request.action)
        if action == nil { fields.refuse("action", "14.2", "Say what is to be done.") }
        if action?.needsText == true || !request.text.isEmpty {
            fields.text(request.text, "text", 1...4_000, "14.2")
        }
        fields.documents(request.documentIds)
        if action == .resolve {
            let reasons = reference.closingReasons(on: call.today).filter(\.isByStaff).map(\.reason)
            if !reasons.contains(request.closingReason) {
                fields.refuse("closing_reason", "14.2", "Say one of \(reasons.joined(separator: ", ")).")
            }
        }
        if action == .markDuplicate, request.duplicateOf.isEmpty || request.duplicateOf == request.enquiryID {
            fields.refuse("duplicate_of", "14.2", "Name the other enquiry.")
        }
        let planned = fields.day(
            request.plannedFirstAnswerOn, isSet: request.hasPlannedFirstAnswerOn, "planned_first_answer_on",
            mayBeEmpty: true)
        if let planned, planned < call.today {
            fields.refuse("planned_first_answer_on", "14.2", "The plan is for a day to come.")
        }
        try fields.finish()
        guard let action else { throw Failure(HostReasons.fieldInvalid) }
        return (action, planned)
    }

    /// To a member of the team whom the complaint does not name.
    private func assign(
        _ record: inout CaseRecord, _ wanted: String, _ person: String, _ reader: any Reader
    ) throws {
        let handler = wanted.isEmpty ? person : wanted
        if try EnquiryStore.named(in: record.id, reader).contains(handler) {
            throw Failure(CaseworkReasons.namedInComplaint)
        }
        guard try TeamStore.isMember(handler, of: record.team, reader) else {
            let message = "The handler is a member of the team \(record.team)."
            throw Failure(
                HostReasons.fieldInvalid, message,
                violations: [Violation(field: "handler", rule: "14.1", message: message)])
        }
        record.handler = handler
    }

    private func markDuplicate(_ record: inout CaseRecord, _ other: String, _ reader: any Reader) throws {
        guard let earlier = try EnquiryStore.find(other, reader), earlier.organisation == record.organisation,
            earlier.state != .duplicate
        else {
            let message = "The other enquiry is one of the same organisation and no duplicate itself."
            throw Failure(
                HostReasons.fieldInvalid, message,
                violations: [Violation(field: "duplicate_of", rule: "14.2", message: message)])
        }
        record.duplicateOf = other
    }

    // MARK: Amending

    func amendCase(
        _ request: Pcs_Casework_V1_AmendCaseRequest, _ call: CallContext
    ) async throws -> Pcs_Casework_V1_Enquiry {
        var fields = RequestFields()
        fields.reason(request.reason)
        fields.people(request.addNamedPeople, "add_named_people")
        fields.organisations(request.addCopyTo, "add_copy_to")
        let records = fields.records(request.addRecords, "add_records")
        let category = reference.categories(on: call.today).first { $0.category == request.category }
        if !request.category.isEmpty, category?.subCategories.contains(request.subCategory) != true {
            fields.refuse("category", "14.1", "There is no such category with this sub-category.")
        }
        try fields.finish()
        return try await call.commit { transaction in
            let isManager = call.caller.roles.contains(Roles.caseManager)
            let view = try book.staffView(request.enquiryID, call.caller, hasReason: isManager, transaction)
            var record = view.record
            guard !view.actors.isEmpty else {
                throw Failure(
                    CaseworkReasons.actionNotYours, "Amending is for the team, its manager, or the handler.")
            }
            try requireSound(request, record, view.actors)
            for pointer in records { try EnquiryStore.link(pointer, to: record.id, in: transaction) }
            for code in request.addCopyTo where code != record.organisation {
                try EnquiryStore.copy(record.id, to: code, in: transaction)
            }
            for named in request.addNamedPeople {
                try EnquiryStore.name(named, in: record.id, transaction)
                // Whoever is named can no longer handle it.
                if record.handler == named { record.handler = "" }
            }
            if request.restrict { record.isRestricted = true }
            if let category {
                record.category = category.category
                record.subCategory = request.subCategory
                if record.team != category.team { record.handler = "" }
                record.team = category.team
            }
            try book.save(&record, in: transaction)
            let entry = CaseEntry(
                at: transaction.now, by: call.caller.responsible, action: nil, state: record.state,
                text: "Amended: \(request.reason)", isInternal: true)
            try EnquiryStore.add(entry, to: record.id, in: transaction)
            transaction.audit(
                AuditNote(
                    object: "enquiry/\(record.id)", organisation: record.organisation,
                    detail: "amended: \(request.reason)"))
            return try book.message(
                CaseBook.View(record: record, actors: view.actors, isStaff: true), at: transaction.now,
                transaction)
        }
    }

    private func requireSound(
        _ request: Pcs_Casework_V1_AmendCaseRequest, _ record: CaseRecord, _ actors: Set<CaseActor>
    ) throws {
        if record.state.isEnded {
            throw Failure(CaseworkReasons.enquiryStateWrong, "It is \(record.state.name).")
        }
        if !request.addNamedPeople.isEmpty, record.kind != .complaint {
            throw Failure(CaseworkReasons.enquiryStateWrong, "People are named in complaints only.")
        }
        if request.restrict, actors.isDisjoint(with: [.manager, .headOfService]) {
            throw Failure(CaseworkReasons.actionNotYours, "Restricting is for case and complaints managers.")
        }
    }
}
