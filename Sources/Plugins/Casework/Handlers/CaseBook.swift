import CaseworkContract
import CommonContract
import HostContract
import PluginAPI

/// What the sender's and the staff's side of enquiries share: loading, stepping, showing.
struct CaseBook: Sendable {
    let context: PluginContext
    let reference: CaseworkReference
    let messages: MessageBook

    /// One side of a case: who looks at it, in which part.
    struct View {
        var record: CaseRecord
        var actors: Set<CaseActor>
        var isStaff: Bool
    }

    func targets(of record: CaseRecord) throws -> CaseTargets {
        try reference.targets(on: LondonTime.day(at: record.clockFrom))
    }

    func clocks(_ record: CaseRecord, at now: Instant) throws -> CaseClocks {
        try refusing { try CaseClocks(record.facts, targets(of: record), at: now) }
    }

    // MARK: Who sees it

    /// The case as the sender's side sees it; refused alike when there is none and when it is not theirs.
    func senderView(_ id: String, _ caller: Caller, _ reader: any Reader) throws -> View {
        guard let record = try EnquiryStore.find(id, reader),
            let view = try senderView(record, caller, reader)
        else { throw Failure(CaseworkReasons.enquiryNotFound) }
        return view
    }

    func senderView(_ record: CaseRecord, _ caller: Caller, _ reader: any Reader) throws -> View? {
        let viewer = CaseVisibility.Viewer(
            person: caller.responsible, organisation: caller.actingFor, roles: caller.roleNames)
        let copies =
            viewer.organisation == record.organisation ? [] : try EnquiryStore.copies(of: record.id, reader)
        let roles = reference.category(record.category)?.roles ?? []
        guard CaseVisibility.showsSender(record, categoryRoles: roles, copiedTo: copies, to: viewer) else {
            return nil
        }
        // Those to whom it was copied read along.
        let isHome = viewer.organisation == record.organisation
        return View(record: record, actors: isHome ? [.sender] : [], isStaff: false)
    }

    /// The case as the caller of PCSE's staff sees it. Reading a case of another team takes a reason.
    func staffView(
        _ id: String, _ caller: Caller, hasReason: Bool, _ reader: any Reader
    ) throws -> View {
        let person = try caller.requirePerson()
        guard let record = try EnquiryStore.find(id, reader) else {
            throw Failure(CaseworkReasons.enquiryNotFound)
        }
        let named = Set(try EnquiryStore.named(in: id, reader))
        if named.contains(person) { throw Failure(CaseworkReasons.namedInComplaint) }
        let isInTeam = try TeamStore.isMember(person, of: record.team, reader)
        let roles = caller.roleNames
        let shown = CaseVisibility.showsStaff(
            record, named: named, isInTeam: isInTeam, person: person, roles: roles)
        switch shown {
        case .hidden: throw Failure(CaseworkReasons.enquiryNotFound)
        case .needsReason where !hasReason: throw Failure(CaseworkReasons.reasonRequired)
        case .needsReason, .open: break
        }
        let actors = CaseVisibility.staffActors(record, isInTeam: isInTeam, person: person, roles: roles)
        return View(record: record, actors: actors, isStaff: true)
    }

    // MARK: Steps

    /// What comes with a step.
    struct Step {
        var action: CaseAction
        var text = ""
        var documents: [String] = []
        var by: String
    }

    /// The state to which a step leads, or why not.
    func require(_ action: CaseAction, _ view: View) throws -> CaseState {
        let record = view.record
        switch CaseLifecycle.answer(action, record.kind, from: record.state, by: view.actors) {
        case .leads(let next): return next
        case .wrongState(let allowed):
            let names = allowed.map(\.name).joined(separator: ", ")
            throw Failure(
                CaseworkReasons.enquiryStateWrong,
                names.isEmpty
                    ? "An \(record.kind) knows no \(action.name)."
                    : "It is \(record.state.name); \(action.name) needs \(names).")
        case .notYours(let actors):
            let names = actors.map(\.rawValue).sorted().joined(separator: ", ")
            throw Failure(CaseworkReasons.actionNotYours, "\(action.name) is for \(names).")
        }
    }

    /// Takes a step that was found allowed, and keeps it with its place in the history.
    func take(_ step: Step, to next: CaseState, _ record: inout CaseRecord, in transaction: any Transaction)
        throws
    {
        let now = transaction.now
        let targets = try targets(of: record)
        try refusing { try record.take(step.action, to: next, at: now, targets.hours) }
        try save(&record, in: transaction)
        let entry = CaseEntry(
            at: now, by: step.by, action: step.action, state: next, text: step.text,
            isInternal: step.action.isInternal, documents: step.documents)
        try EnquiryStore.add(entry, to: record.id, in: transaction)
        transaction.audit(
            AuditNote(
                object: "enquiry/\(record.id)", organisation: record.organisation,
                detail: "\(step.action.name), now \(next.name)"))
        if !entry.isInternal {
            if step.by != record.raisedBy { try tellSender(record, step.action, in: transaction) }
            try tellAreas(record, in: transaction)
        }
    }

    func save(_ record: inout CaseRecord, in transaction: any Transaction) throws {
        let clocks = try clocks(record, at: transaction.now)
        record.resolveBy = clocks.readings[.resolve]?.due ?? record.resolveBy
        try EnquiryStore.save(record, in: transaction)
    }

    /// A message to the raiser; its title says nothing of the matter, because it goes into e-mail.
    func tellSender(_ record: CaseRecord, _ action: CaseAction?, in transaction: any Transaction) throws {
        let title: String =
            switch action {
            case .askCustomer: "Your enquiry needs an answer from you"
            case .resolve: "Your enquiry has been resolved"
            case .sendResponse: "There is a response to your complaint"
            case .proposeComplaint: "Do you want your enquiry to be a complaint?"
            case .acknowledge: "Your enquiry has been received"
            case nil: "Reminder: your enquiry needs an answer from you"
            default: "There is news of your enquiry"
            }
        var message = MessageRecord(
            id: transaction.newIdentifier(), area: "casework", key: transaction.newIdentifier(), title: title,
            body: record.isRestricted ? "" : record.subject, record: pointer(record),
            postedAt: transaction.now)
        message.person = record.raisedBy
        try messages.post(message, in: transaction)
    }

    func pointer(_ record: CaseRecord) -> RecordPointer {
        RecordPointer(area: "casework", kind: "enquiry", id: record.id, organisation: record.organisation)
    }

    // MARK: Showing

    /// With its correspondence and what belongs to it.
    func message(_ view: View, at now: Instant, _ reader: any Reader) throws -> Pcs_Casework_V1_Enquiry {
        let record = view.record
        var message = try summary(view, at: now)
        message.records = try EnquiryStore.records(of: record.id, reader).map(\.message)
        message.copiedTo = try EnquiryStore.copies(of: record.id, reader)
        message.entries = try EnquiryStore.entries(of: record.id, reader)
            .filter { view.isStaff || !$0.isInternal }
            .map { Pcs_Casework_V1_EnquiryEntry($0) }
        if view.isStaff { message.namedPeople = try EnquiryStore.named(in: record.id, reader) }
        return message
    }

    func summary(_ view: View, at now: Instant) throws -> Pcs_Casework_V1_Enquiry {
        let record = view.record
        let clocks = try clocks(record, at: now)
        var message = Pcs_Casework_V1_Enquiry(record)
        message.clocks = Pcs_Casework_V1_EnquiryClocks(clocks)
        message.actions = CaseLifecycle.actions(record.kind, in: record.state, by: view.actors)
            .filter { $0 != .declineComplaint || record.isComplaintProposed }
            .compactMap { Pcs_Casework_V1_EnquiryAction(rawValue: Int($0.rawValue)) }
        // Who of the staff has it is theirs to know; the sender knows the team.
        if !view.isStaff { message.handler = "" }
        return message
    }
}
