import CommonContract
package import HostContract
package import PluginAPI
import Synchronization

extension RegistrationServiceHandler {
    package func redeemCode(
        _ request: Pcs_Host_V1_RedeemCodeRequest, _ call: CallContext
    ) async throws -> Pcs_Host_V1_RedeemCodeResponse {
        let people = try FirstPeople(request, rules: rules)
        let organisation = try FieldCheck.code(request.organisationCode, "organisation_code")
        let code = try typed(request.code)
        let now = call.now
        let today = call.today
        if let obstacle = ledger.begin(organisation, at: now) {
            throw await refused(organisation, obstacle, call)
        }
        defer { ledger.end(organisation) }
        let verdict = try register.store.read { reader in
            IssuedCode.verdict(
                on: code, for: organisation, among: try IssuedCode.all(of: organisation, in: reader),
                today: today)
        }
        if case .refused(let cause) = verdict { throw await refused(organisation, cause, call) }
        let seenOnce = Mutex<[String: String]>([:])
        var reply: Pcs_Host_V1_RedeemCodeResponse
        do {
            reply = try await call.commit { [self] transaction in
                let (reply, codes) = try registering(
                    code, organisation, people, today: today, in: transaction)
                seenOnce.withLock { $0 = codes }
                return reply
            }
        } catch let raced as RacedVerdict {
            throw await refused(organisation, raced.cause, call)
        }
        await ledger.clear(organisation)
        // Activation codes are in the feed of notices too; in what is kept under the idempotency key they are not.
        let codes = seenOnce.withLock { $0 }
        for index in reply.people.indices {
            try identity.refresh(reply.people[index].personID)
            reply.people[index].activationCode = codes[reply.people[index].personID] ?? ""
        }
        return reply
    }

    /// A text that cannot be any code is a typing error and no guess.
    private func typed(_ text: String) throws -> RegistrationCode {
        do throws(RegistrationCode.Fault) {
            return try RegistrationCode(typed: text)
        } catch {
            switch error {
            case .form:
                throw Failure.invalid(
                    "code", "code.form",
                    "A code has 13 characters, without 0 and O, 1, I and L: \(RegistrationCode.length) and one more."
                )
            case .check:
                throw Failure.invalid(
                    "code", "code.check", "A character is mistyped: look at the letter again.")
            }
        }
    }

    /// Between looking and committing another call used or replaced the code.
    private struct RacedVerdict: Error { let cause: IssuedCode.Cause }

    private func registering(
        _ code: RegistrationCode, _ organisation: ODSCode, _ people: FirstPeople, today: CalendarDate,
        in transaction: any Transaction
    ) throws -> (Pcs_Host_V1_RedeemCodeResponse, [String: String]) {
        let issued = try IssuedCode.all(of: organisation, in: transaction)
        if case .refused(let cause) = IssuedCode.verdict(
            on: code, for: organisation, among: issued, today: today)
        {
            throw RacedVerdict(cause: cause)
        }
        guard let entry = register.organisation(organisation, at: today), entry.status != .inactive else {
            throw RacedVerdict(cause: .revoked)
        }
        var record = try RegistrationRecord.find(organisation, in: transaction)
        let author = "registration/\(organisation)"
        let who =
            "\(people.holder.name), \(people.isNominee ? "nominee of the contract holder" : "contract holder")"
        try record.become(
            .codeAccepted, by: author, reason: "code entered for \(who)", today: today, in: transaction)
        try IssuedCode.endAll(of: organisation, because: "used", in: transaction)
        record.holderName = people.holder.name
        record.holderEmail = people.holder.email
        let roles = identity.catalogue.current(on: today).entries(on: today).filter {
            $0.atRegistration && $0.kinds.contains(RoleCatalogue.Kind(entry.kind))
        }.map(\.role)
        let (shown, codes) = try people.settle(
            at: organisation, roles: roles, identity: identity, invitations: invitations, today: today,
            in: transaction)
        if roles.isEmpty {
            try record.keep(in: transaction)
            try CompletionTask.request(organisation, in: transaction)
        } else {
            let administrators = people.people.count { $0.isAdministrator }
            try record.become(
                .registered, by: author, reason: "\(administrators) User Administrators named", today: today,
                in: transaction)
        }
        let reply = Pcs_Host_V1_RedeemCodeResponse.with {
            $0.organisationCode = organisation.value
            $0.state = record.standing(on: today).message
            $0.people = shown
        }
        return (reply, codes)
    }

    /// The same words whatever was wrong; the audit says what.
    private func refused(_ organisation: ODSCode, _ cause: IssuedCode.Cause, _ call: CallContext) async
        -> Failure
    {
        let act = AuditedAct(
            personID: nil, clientID: nil, actingFor: "", method: call.method.path,
            correlationID: call.correlationID)
        let isKnown = register.organisation(organisation, at: call.today) != nil
        await ledger.note(organisation, isKnown: isKnown, cause: cause, act: act, at: call.now)
        return Failure(HostReasons.registrationCodeRefused)
    }
}
