import CaseworkContract
import CommonContract
import HostContract
import PluginAPI

/// Enquiries and complaints as those see them who raise them.
struct EnquiryHandlers: Pcs_Casework_V1_EnquiryService {
    let context: PluginContext
    let reference: CaseworkReference
    let book: CaseBook

    func listCategories(
        _ request: Pcs_Casework_V1_ListCategoriesRequest, _ call: CallContext
    ) async throws -> Pcs_Casework_V1_ListCategoriesResponse {
        let today = call.today
        return .with { response in
            response.categories = reference.categories(on: today).map { row in
                .with {
                    $0.category = row.category
                    $0.title = row.title
                    $0.team = row.team
                    $0.subCategories = row.subCategories
                    $0.roles = row.roles.sorted().map(RoleNames.role)
                }
            }
            response.closingReasons = reference.closingReasons(on: today).filter(\.isByStaff).map(\.reason)
        }
    }

    // MARK: Raising

    func raiseEnquiry(
        _ request: Pcs_Casework_V1_RaiseEnquiryRequest, _ call: CallContext
    ) async throws -> Pcs_Casework_V1_Enquiry {
        let person = try call.caller.requirePerson()
        let (category, records, eventOn) = try check(request, call)
        return try await call.commit { transaction in
            var record = CaseRecord(
                id: transaction.newIdentifier(), kind: request.complaint ? .complaint : .enquiry,
                organisation: call.caller.actingFor, category: category.category,
                subCategory: request.subCategory,
                subject: request.subject, body: request.body, raisedBy: person, raisedAt: transaction.now,
                clockFrom: transaction.now, team: category.team, resolveBy: transaction.now)
            record.documents = request.documentIds
            record.isUrgent = request.urgent
            record.urgencyReason = request.urgencyReason
            record.isPatientSafety = request.patientSafety
            record.isRestricted = request.restricted
            record.eventOn = eventOn
            record.lateReason = request.lateReason
            try book.save(&record, in: transaction)
            for pointer in records { try EnquiryStore.link(pointer, to: record.id, in: transaction) }
            for named in request.namedPeople { try EnquiryStore.name(named, in: record.id, transaction) }
            for code in request.copyTo where code != record.organisation {
                try EnquiryStore.copy(record.id, to: code, in: transaction)
            }
            if !request.searchID.isEmpty { try endSearch(request.searchID, person, in: transaction) }
            transaction.audit(
                AuditNote(
                    object: "enquiry/\(record.id)", organisation: record.organisation,
                    detail: "\(record.kind) raised, category \(record.category)"))
            let view = CaseBook.View(record: record, actors: [.sender], isStaff: false)
            return try book.message(view, at: transaction.now, transaction)
        }
    }

    /// All that can be seen in the request is refused at once.
    private func check(
        _ request: Pcs_Casework_V1_RaiseEnquiryRequest, _ call: CallContext
    ) throws -> (CategoryRow, [RecordPointer], CalendarDate?) {
        var fields = RequestFields()
        let category = reference.categories(on: call.today).first { $0.category == request.category }
        if let category {
            if !category.subCategories.contains(request.subCategory) {
                fields.refuse(
                    "sub_category", "14.1", "Say one of \(category.subCategories.joined(separator: ", ")).")
            }
        } else {
            fields.refuse("category", "14.1", "There is no such category; ListCategories has them.")
        }
        fields.text(request.subject, "subject", 5...120, "14.1")
        fields.text(request.body, "body", 1...4_000, "14.1")
        let records = fields.records(request.records, "records")
        fields.documents(request.documentIds)
        fields.organisations(request.copyTo, "copy_to")
        fields.people(request.namedPeople, "named_people")
        if request.urgent { fields.reason(request.urgencyReason, field: "urgency_reason") }
        if !request.lateReason.isEmpty { fields.reason(request.lateReason, field: "late_reason") }
        if !request.complaint, !request.namedPeople.isEmpty {
            fields.refuse("named_people", "14.2", "People are named in complaints only.")
        }
        let eventOn = fields.day(request.eventOn, isSet: request.hasEventOn, "event_on", mayBeEmpty: true)
        if let eventOn, eventOn > call.today {
            fields.refuse("event_on", "14.2", "The event has not happened yet.")
        }
        try fields.finish()
        try requireInTime(request, eventOn, on: call.today)
        guard let category else { throw Failure(HostReasons.fieldInvalid) }
        return (category, records, eventOn)
    }

    /// Complaints within twelve months of the event or of knowing it; later with a good reason (regulation 12).
    private func requireInTime(
        _ request: Pcs_Casework_V1_RaiseEnquiryRequest, _ eventOn: CalendarDate?, on today: CalendarDate
    ) throws {
        guard request.complaint, let eventOn, request.lateReason.isEmpty else { return }
        let months = try reference.targets(on: today).count("complaint.accept")
        if eventOn.adding(calendarMonths: months) < today { throw Failure(CaseworkReasons.complaintTooLate) }
    }

    /// The search from which the form was opened has not helped.
    private func endSearch(_ id: String, _ person: String, in transaction: any Transaction) throws {
        guard try ArticleStore.searcher(of: id, transaction) == person else {
            throw Failure(CaseworkReasons.searchNotFound)
        }
        try ArticleStore.setHelped(id, false, article: "", in: transaction)
    }

    // MARK: Reading

    func getEnquiry(
        _ request: Pcs_Casework_V1_GetEnquiryRequest, _ call: CallContext
    ) async throws -> Pcs_Casework_V1_Enquiry {
        try context.store.read { reader in
            try book.message(
                try book.senderView(request.enquiryID, call.caller, reader), at: call.now, reader)
        }
    }

    func listEnquiries(
        _ request: Pcs_Casework_V1_ListEnquiriesRequest, _ call: CallContext
    ) async throws -> Pcs_Casework_V1_ListEnquiriesResponse {
        var fields = RequestFields()
        let size = fields.pageSize(request.pageSize)
        try fields.finish()
        var response = Pcs_Casework_V1_ListEnquiriesResponse()
        // Identifiers sort before "~".
        var before = request.pageToken.isEmpty ? "~" : request.pageToken
        try context.store.read { reader in
            while response.enquiries.count < size {
                let page = try EnquiryStore.list(
                    of: call.caller.actingFor, before: before, limit: size, reader)
                for record in page where response.enquiries.count < size {
                    before = record.id
                    if !request.includeClosed, record.state.isEnded { continue }
                    if !request.category.isEmpty, record.category != request.category { continue }
                    guard let view = try book.senderView(record, call.caller, reader) else { continue }
                    response.enquiries.append(try book.summary(view, at: call.now))
                }
                if page.count < size { return }
            }
            response.nextPageToken = before
        }
        return response
    }

    // MARK: Steps

    func actOnEnquiry(
        _ request: Pcs_Casework_V1_ActOnEnquiryRequest, _ call: CallContext
    ) async throws -> Pcs_Casework_V1_Enquiry {
        let person = try call.caller.requirePerson()
        var fields = RequestFields()
        let action = CaseAction(request.action)
        if action == nil { fields.refuse("action", "14.2", "Say what is to be done.") }
        if action?.needsText == true || !request.text.isEmpty {
            fields.text(request.text, "text", 1...4_000, "14.2")
        }
        fields.documents(request.documentIds)
        try fields.finish()
        guard let action else { throw Failure(HostReasons.fieldInvalid) }
        return try await call.commit { transaction in
            let view = try book.senderView(request.enquiryID, call.caller, transaction)
            var record = view.record
            let next = try book.require(action, view)
            if action == .declineComplaint, !record.isComplaintProposed {
                throw Failure(CaseworkReasons.enquiryStateWrong, "Nobody proposed to make it a complaint.")
            }
            if action == .reopen { try requireReopenable(record, at: transaction.now) }
            let step = CaseBook.Step(
                action: action, text: request.text, documents: request.documentIds, by: person)
            try book.take(step, to: next, &record, in: transaction)
            let after = CaseBook.View(record: record, actors: view.actors, isStaff: false)
            return try book.message(after, at: transaction.now, transaction)
        }
    }

    /// Within 20 working days of being resolved, to the end of the last one.
    private func requireReopenable(_ record: CaseRecord, at now: Instant) throws {
        guard let resolved = record.resolvedAt else { return }
        let targets = try book.targets(of: record)
        let last = try refusing {
            try targets.hours.end(ofWorkingDay: targets.count("reopen"), after: resolved)
        }
        if now > last { throw Failure(CaseworkReasons.reopenTooLate) }
    }
}
