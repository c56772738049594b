import CaseworkContract
import CommonContract
package import HostContract
package import PluginAPI
import SwiftProtobuf

/// Serves `pcs.host.v1.BreakGlassService` (identity-and-organisations.md 12). A session lets its holder read what names
/// one of its organisations, and change nothing: no payment, no bank details, no grant.
package struct BreakGlassHandler: Pcs_Host_V1_BreakGlassService {
    private let registry: IdentityRegistry

    package init(registry: IdentityRegistry) { self.registry = registry }

    // MARK: The holder

    package func startSession(
        _ request: Pcs_Host_V1_StartGlassSessionRequest, _ call: CallContext
    ) async throws -> Pcs_Host_V1_GlassSession {
        var check = IdentityFields()
        let reason = check.text(request.reason, "reason", 10...500)
        let incident = check.text(request.incidentNumber, "incident_number", 3...64)
        try check.finish()
        let organisations = try scope(request.organisationCodes, on: call.today)
        let (today, caller) = (call.today, call.caller)
        let parameters = registry.catalogue.current(on: today).parameters
        let minutes = try Self.minutes(request.minutes, parameters)
        guard let holder = caller.personID else {
            throw Failure.notGiven("person", "named people open a break-glass session.", field: "caller")
        }
        let dueOn = ReviewDays.adding(parameters.breakGlassReviewWorkingDays, to: today)
        let now = call.now
        let session = try await call.commit { transaction in
            try Self.requireUsable(by: holder, today: today, now: transaction.now, in: transaction)
            let id = transaction.newIdentifier()
            try transaction.run(
                GlassTables.insert,
                [
                    .text(id), .text(holder), .text(reason), .text(incident),
                    .text(organisations.joined(separator: "\n")), .instant(transaction.now),
                    .instant(transaction.now.adding(milliseconds: Int64(minutes) * 60_000)), .date(dueOn),
                ])
            for organisation in organisations {
                transaction.audit(
                    AuditNote(
                        object: "glass/\(id)", organisation: organisation,
                        detail: "BREAK-GLASS begun for \(minutes) minutes, incident \(incident): \(reason)"))
            }
            try Self.announce(id, holder, incident, organisations, reason, dueOn: dueOn, in: transaction)
            return Self.message(try Self.session(id, in: transaction), now: now)
        }
        try registry.loadGlass()
        return session
    }

    private func scope(_ codes: [String], on day: CalendarDate) throws -> [String] {
        guard (1...20).contains(codes.count), Set(codes).count == codes.count else {
            throw Failure.invalid("organisation_codes", "glass.scope", "1 to 20 organisations, each once.")
        }
        return try codes.enumerated().map { index, text in
            let code = try FieldCheck.code(text, "organisation_codes[\(index)]")
            guard registry.directory.organisation(code, at: day) != nil else {
                throw Failure.invalid(
                    "organisation_codes[\(index)]", "glass.scope", "It is not in the register.")
            }
            return code.value
        }
    }

    private static func minutes(_ asked: Int32, _ parameters: RoleCatalogue.Parameters) throws -> Int {
        let most = parameters.breakGlassMinutes
        guard (0...Int32(most)).contains(asked) else {
            throw Failure.invalid("minutes", "glass.minutes", "1 to \(most) minutes.")
        }
        return asked == 0 ? most : Int(asked)
    }

    /// One at a time; and none while an earlier one waits for its review beyond its day.
    private static func requireUsable(
        by holder: String, today: CalendarDate, now: Instant, in transaction: any Transaction
    ) throws {
        for earlier in try transaction.all(
            GlassTables.unreviewedOf, [.text(holder)], GlassSession.init(row:))
        {
            guard earlier.endsAt <= now else {
                throw Failure.inTheWay("glassOpen", "a session is open already.", field: "session_id")
            }
            guard today <= earlier.reviewDueOn else {
                throw Failure.inTheWay(
                    "glassSuspended",
                    "the session of \(LondonTime.day(at: earlier.startedAt)) was not reviewed in time.",
                    field: "session_id")
            }
        }
    }

    private static func announce(
        _ id: String, _ holder: String, _ incident: String, _ organisations: [String], _ reason: String,
        dueOn: CalendarDate, in transaction: any Transaction
    ) throws {
        let body =
            "\(holder) opened a break-glass session for \(organisations.joined(separator: ", ")), incident "
            + "\(incident): \(reason)"
        let home = OrganisationRegister.operatorCode.value
        try UserMessages.tell(
            role: Role("SECURITY_LEAD"), at: home,
            UserMessages.Words(title: "A break-glass session has begun", body: body), about: "glass/\(id)",
            key: transaction.newIdentifier(), in: transaction)
        try transaction.publish(
            Pcs_Casework_V1_TaskRequested.with {
                $0.taskKey = "host/glass/\(id)/review"
                $0.role = WantedGrant.role(named: "SECURITY_LEAD")
                $0.organisationCode = home
                $0.title = "Review a break-glass session"
                $0.detail = body
                $0.record = .with {
                    $0.area = "host"
                    $0.kind = "glass"
                    $0.recordID = id
                }
                $0.dueOn = Pcs_Common_V1_Date(dueOn)
                $0.priority = .urgent
            }, key: "host/glass/\(id)/review")
    }

    package func extendSession(
        _ request: Pcs_Host_V1_ExtendGlassSessionRequest, _ call: CallContext
    ) async throws -> Pcs_Host_V1_GlassSession {
        try FieldCheck.reason(request.reason)
        let parameters = registry.catalogue.current(on: call.today).parameters
        let minutes = try Self.minutes(request.minutes, parameters)
        let (now, caller) = (call.now, call.caller)
        let session = try await call.commit { transaction in
            let session = try Self.session(request.sessionID, in: transaction)
            guard session.holder == caller.personID else {
                throw Failure.notFound("There is no such session.")
            }
            guard session.endsAt > transaction.now else {
                throw Failure(HostReasons.stateWrong, "The session has ended.")
            }
            guard session.extensions < parameters.breakGlassExtensions else {
                throw Failure.inTheWay(
                    "glassExtensions", "a session is extended \(parameters.breakGlassExtensions) time only.",
                    field: "session_id")
            }
            let endsAt = transaction.now.adding(milliseconds: Int64(minutes) * 60_000)
            try transaction.run(GlassTables.extend, [.text(session.id), .instant(endsAt)])
            for organisation in session.organisations {
                transaction.audit(
                    AuditNote(
                        object: "glass/\(session.id)", organisation: organisation,
                        detail: "BREAK-GLASS extended by \(minutes) minutes: \(request.reason)"))
            }
            return Self.message(try Self.session(session.id, in: transaction), now: now)
        }
        try registry.loadGlass()
        return session
    }

    package func endSession(
        _ request: Pcs_Host_V1_EndGlassSessionRequest, _ call: CallContext
    ) async throws -> Pcs_Host_V1_GlassSession {
        let (now, caller) = (call.now, call.caller)
        let session = try await call.commit { transaction in
            let session = try Self.session(request.sessionID, in: transaction)
            guard session.holder == caller.personID || caller.roles.contains(Role("SECURITY_LEAD")) else {
                throw Failure.notFound("There is no such session.")
            }
            try transaction.run(GlassTables.end, [.text(session.id), .instant(transaction.now)])
            transaction.audit(AuditNote(object: "glass/\(session.id)", detail: "BREAK-GLASS ended"))
            return Self.message(try Self.session(session.id, in: transaction), now: now)
        }
        try registry.loadGlass()
        registry.endTokens(of: session.holder)
        return session
    }

    // MARK: The reviewer

    package func reviewSession(
        _ request: Pcs_Host_V1_ReviewGlassSessionRequest, _ call: CallContext
    ) async throws -> Pcs_Host_V1_GlassSession {
        let findings = try FieldCheck.text(request.findings, "findings", 10...4_000)
        let stored = try registry.store.read { try Self.session(request.sessionID, in: $0) }
        try call.requireOtherPerson(than: stored.holder, step: "Reviewing a break-glass session")
        let (now, caller) = (call.now, call.caller)
        return try await call.commit { transaction in
            let session = try Self.session(request.sessionID, in: transaction)
            guard session.endsAt <= transaction.now else {
                throw Failure(HostReasons.stateWrong, "The session is open; end it first.")
            }
            guard !session.isReviewed else {
                throw Failure(HostReasons.stateWrong, "The session is reviewed already.")
            }
            try transaction.run(
                GlassTables.review,
                [
                    .text(session.id), .text(caller.responsible), .instant(transaction.now),
                    .integer(request.justified ? 1 : 0), .text(findings),
                ])
            try transaction.publish(
                Pcs_Casework_V1_TaskSettled.with {
                    $0.taskKey = "host/glass/\(session.id)/review"
                    $0.outcome = "done"
                    $0.settledBy = caller.responsible
                    $0.reason = request.justified ? "justified" : "not justified"
                }, key: "host/glass/\(session.id)/review")
            transaction.audit(
                AuditNote(
                    object: "glass/\(session.id)",
                    detail: "BREAK-GLASS reviewed, \(request.justified ? "justified" : "NOT JUSTIFIED")"))
            return Self.message(try Self.session(session.id, in: transaction), now: now)
        }
    }

    package func listSessions(
        _ request: Pcs_Host_V1_ListGlassSessionsRequest, _ call: CallContext
    ) async throws -> Pcs_Host_V1_ListGlassSessionsResponse {
        let (now, caller) = (call.now, call.caller)
        // Who is on call sees their own; leads and auditors see all.
        let seesAll = !caller.roles.isDisjoint(with: [Role("SECURITY_LEAD"), Role("AUDITOR")])
        return try registry.store.read { reader in
            let sessions = try reader.all(GlassTables.sessions, [], GlassSession.init(row:)).filter {
                (seesAll || $0.holder == caller.personID) && (!request.unreviewedOnly || !$0.isReviewed)
            }
            return .with { $0.sessions = sessions.map { Self.message($0, now: now) } }
        }
    }

    package func readLog(
        _ request: Pcs_Host_V1_GlassLogRequest, _ reply: ReplyStream<Pcs_Host_V1_AccessLogEntry>,
        _ call: CallContext
    ) async throws {
        let session = try registry.store.read { try Self.session(request.sessionID, in: $0) }
        let log = AccessLog(store: registry.store)
        try await log.send(
            AccessLog.Question(
                subject: session.holder, organisation: "", from: session.startedAt,
                to: session.endsAt.adding(milliseconds: 1), glass: session.id, limit: 100_000), to: reply)
    }

    static func session(_ id: String, in reader: any Reader) throws -> GlassSession {
        guard let session = try reader.first(GlassTables.session, [.text(id)], GlassSession.init(row:)) else {
            throw Failure.notFound("There is no such session.")
        }
        return session
    }

    private static func message(_ session: GlassSession, now: Instant) -> Pcs_Host_V1_GlassSession {
        .with {
            $0.sessionID = session.id
            $0.holder = session.holder
            $0.reason = session.reason
            $0.incidentNumber = session.incidentNumber
            $0.organisationCodes = session.organisations
            $0.startedAt = Google_Protobuf_Timestamp(session.startedAt)
            $0.endsAt = Google_Protobuf_Timestamp(session.endsAt)
            $0.extensions = Int32(session.extensions)
            $0.reviewDueOn = Pcs_Common_V1_Date(session.reviewDueOn)
            $0.reviewedBy = session.reviewedBy
            $0.justified = session.isJustified
            $0.findings = session.findings
            if now < session.endsAt {
                $0.banner =
                    "BREAK-GLASS ACCESS, incident \(session.incidentNumber): everything you read is recorded."
            }
        }
    }
}

extension IdentityRegistry {
    /// Reads the open break-glass sessions into memory.
    func loadGlass() throws {
        let now = clock.now
        let sessions = try store.read { reader in
            try reader.all(GlassTables.sessions, [], GlassSession.init(row:)).filter { $0.endsAt > now }
        }
        glass.replace(
            Dictionary(
                sessions.map { session in
                    (
                        session.holder,
                        GlassBook.Open(
                            sessionID: session.id, organisations: Set(session.organisations),
                            endsAt: session.endsAt)
                    )
                }, uniquingKeysWith: { _, last in last }))
    }
}

/// Working days, Monday to Friday. A bank holiday counts as one: over it the review is due a day sooner than stated.
enum ReviewDays {
    static func adding(_ count: Int, to day: CalendarDate) -> CalendarDate {
        var day = day
        var left = count
        while left > 0 {
            day = day.adding(days: 1)
            if day.isoWeekday <= 5 { left -= 1 }
        }
        return day
    }
}
