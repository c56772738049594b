import HostContract
import PluginAPI
import Synchronization

/// Serves `pcs.host.v1.AccountService`: the door by which people come in, and what they do about their own proofs.
/// Replies with a secret are never kept under an idempotency key.
final class AccountServiceHandler: Pcs_Host_V1_AccountService {
    let keeper: AccountKeeper
    var registry: IdentityRegistry { keeper.registry }
    var rules: AccountRules { keeper.rules }

    init(keeper: AccountKeeper) { self.keeper = keeper }

    /// The account of a person who calls.
    /// - Throws: `NOT_FOUND` for systems and for operators of the machine, who have none.
    func ownAccount(_ call: CallContext) throws -> AccountFacts {
        let id = call.caller.personID ?? ""
        guard let facts = try keeper.store.read({ try AccountFacts.find(id: id, in: $0) }) else {
            throw Failure(HostReasons.notFound, "The caller is no person with an account.")
        }
        return facts
    }

    // MARK: Log-in

    func logIn(
        _ request: Pcs_Host_V1_LogInRequest, _ call: CallContext
    ) async throws -> Pcs_Host_V1_OpenedSession {
        let proof = try await keeper.prove(
            email: request.email, password: request.password, code: request.oneTimeCode,
            source: CallSource.current.name(device: request.deviceAddress))
        let account = proof.facts.id
        let reached = keeper.organisations(of: account)
        var organisation = reached.count == 1 ? reached.first : nil
        if !request.organisationCode.isEmpty {
            guard reached.contains(request.organisationCode) else {
                throw Failure.logInRefused(
                    .sessionOrganisation,
                    "\(account) is no member of \(request.organisationCode.prefix(12)) today")
            }
            organisation = request.organisationCode
        }
        let chosen = organisation.flatMap { ODSCode($0) }
        try await keeper.change(call, by: account, actingFor: chosen?.value ?? "") { transaction in
            try proof.use(in: transaction)
            try transaction.run(AccountTables.loggedIn, [.text(account), .instant(transaction.now)])
            if proof.facts.life?.state == .locked {
                try AccountStore.move(
                    account, from: .locked, to: .active, by: account,
                    reason: "logged in after the lock had passed",
                    in: transaction)
            }
            transaction.audit(
                AuditNote(
                    object: "account/\(account)", organisation: chosen?.value ?? "",
                    detail: "logged in" + (chosen.map { ", acting for \($0)" } ?? "")))
        }
        return keeper.message(try keeper.open(proof, at: chosen), of: account)
    }

    func stepUp(
        _ request: Pcs_Host_V1_StepUpRequest, _ call: CallContext
    ) async throws -> Pcs_Host_V1_OpenedSession {
        let (id, _, session) = try registry.session(of: call.caller)
        let facts = try ownAccount(call)
        let proof = try await keeper.prove(
            email: facts.email, password: request.password, code: request.oneTimeCode,
            source: "account:" + facts.id)
        let minimum = keeper.minimumLength(for: facts.id)
        guard PasswordRule.normalised(request.password).unicodeScalars.count >= minimum else {
            throw Failure(
                HostReasons.stateWrong,
                "A privileged role asks for a password of \(minimum) characters: change the password first.")
        }
        try await keeper.change(call, by: facts.id, actingFor: session.organisation?.value ?? "") {
            transaction in
            try proof.use(in: transaction)
            transaction.audit(
                AuditNote(
                    object: "account/\(facts.id)", organisation: session.organisation?.value ?? "",
                    detail: "proved themselves again"))
        }
        let opened = try keeper.open(proof, at: session.organisation)
        registry.endTokenAfterReply(id)
        return keeper.message(opened, of: facts.id)
    }

    func chooseOrganisation(
        _ request: Pcs_Host_V1_ChooseOrganisationRequest, _ call: CallContext
    ) async throws -> Pcs_Host_V1_OpenedSession {
        let (id, record, session) = try registry.session(of: call.caller)
        let wanted = try FieldCheck.code(request.organisationCode, "organisation_code")
        let account = record.subjectID
        guard keeper.organisations(of: account).contains(wanted.value) else {
            throw Failure.denied(.membership, "no membership of \(wanted) is active today")
        }
        let before = session.organisation?.value ?? "none"
        try await keeper.change(call, by: account, actingFor: wanted.value) { transaction in
            transaction.audit(
                AuditNote(
                    object: "account/\(account)", organisation: wanted.value,
                    detail: "session organisation changed from \(before) to \(wanted)"))
        }
        // A switch is no proof: age and freshness go on.
        let opened = try registry.openSession(
            of: account,
            PersonSession(
                organisation: wanted, assurance: session.assurance, idleMilliseconds: session.idleMilliseconds
            ),
            provedAt: record.provedAt, expiresAt: record.expiresAt)
        registry.endTokenAfterReply(id)
        return keeper.message(opened, of: account)
    }

    // MARK: Sessions

    func logOut(
        _ request: Pcs_Host_V1_LogOutRequest, _ call: CallContext
    ) async throws -> Pcs_Host_V1_LogOutResponse {
        let (id, record, _) = try registry.session(of: call.caller)
        let reply = try await call.commit { transaction in
            transaction.audit(AuditNote(object: "account/\(record.subjectID)", detail: "logged out"))
            return Pcs_Host_V1_LogOutResponse()
        }
        registry.endTokenAfterReply(id)
        return reply
    }

    func listSessions(
        _ request: Pcs_Host_V1_ListSessionsRequest, _ call: CallContext
    ) async throws -> Pcs_Host_V1_ListSessionsResponse {
        let account = try ownAccount(call).id
        let open = registry.sessions(of: account).sorted { $0.value.lastUsedAt > $1.value.lastUsedAt }
        return .with {
            $0.sessions = open.map { id, record in
                .with {
                    $0.sessionID = id.description
                    $0.organisationCode = record.session?.organisation?.value ?? ""
                    $0.provedAt = .init(record.provedAt)
                    $0.lastUsedAt = .init(record.lastUsedAt)
                    $0.expiresAt = .init(record.expiresAt)
                    $0.present = id.description == call.caller.session
                }
            }
        }
    }

    func endSession(
        _ request: Pcs_Host_V1_EndSessionRequest, _ call: CallContext
    ) async throws -> Pcs_Host_V1_EndSessionResponse {
        let account = try ownAccount(call).id
        guard let id = TokenID(request.sessionID), registry.sessions(of: account)[id] != nil else {
            throw Failure(HostReasons.notFound, "The caller has no such session.")
        }
        let reply = try await call.commit { transaction in
            transaction.audit(AuditNote(object: "account/\(account)", detail: "session \(id) ended"))
            return Pcs_Host_V1_EndSessionResponse()
        }
        registry.endTokenAfterReply(id)
        return reply
    }

    // MARK: Profile

    func getProfile(
        _ request: Pcs_Host_V1_GetProfileRequest, _ call: CallContext
    ) async throws -> Pcs_Host_V1_Profile {
        try profile(of: try ownAccount(call), at: call.now)
    }

    private func profile(of facts: AccountFacts, at now: Instant) throws -> Pcs_Host_V1_Profile {
        let kept = try keeper.store.read { reader in
            try reader.first(AccountTables.profile, [.text(facts.id)]) { ($0.text(1), $0.text(2)) }
        }
        return .with {
            $0.accountID = facts.id
            $0.email = facts.email
            $0.name = facts.name
            $0.jobTitle = kept?.0 ?? ""
            $0.telephone = kept?.1 ?? ""
            $0.organisationCodes = keeper.organisations(of: facts.id)
            $0.state = facts.state(at: now).message
        }
    }

    func updateProfile(
        _ request: Pcs_Host_V1_UpdateProfileRequest, _ call: CallContext
    ) async throws -> Pcs_Host_V1_Profile {
        var check = IdentityFields()
        let name = check.text(request.name, "name", 1...200)
        let title = check.text(request.jobTitle, "job_title", 0...200)
        let telephone = check.text(request.telephone, "telephone", 0...40)
        try check.finish()
        let facts = try ownAccount(call)
        let organisations = keeper.organisations(of: facts.id)
        let state = facts.state(at: call.now).message
        let reply = try await call.commit { transaction in
            try transaction.run(
                AccountTables.insertProfile,
                [
                    .text(transaction.newIdentifier()), .text(facts.id), .text(name), .text(title),
                    .text(telephone), .instant(transaction.now),
                ])
            try transaction.run(AccountTables.renameSubject, [.text(facts.id), .text(name)])
            transaction.audit(AuditNote(object: "account/\(facts.id)", detail: "own profile changed"))
            return Pcs_Host_V1_Profile.with {
                $0.accountID = facts.id
                $0.email = facts.email
                $0.name = name
                $0.jobTitle = title
                $0.telephone = telephone
                $0.organisationCodes = organisations
                $0.state = state
            }
        }
        try registry.refresh(facts.id)
        return reply
    }
}
