import HostContract
import PluginAPI

// Invitations, passwords and second factors.
extension AccountServiceHandler {
    // MARK: Coming in

    func acceptInvitation(
        _ request: Pcs_Host_V1_AcceptInvitationRequest, _ call: CallContext
    ) async throws -> Pcs_Host_V1_EnrolledSecondFactor {
        let source = CallSource.current.name(device: "")
        let (_, facts) = try keeper.account(by: request.code, [.invitation], source: source)
        let hashed = try await keeper.newPassword(
            request.password, field: "password", for: facts, source: source)
        let secret = TimeBasedCode.makeSecret()
        let sealed = try keeper.seal.seal(secret, of: facts.id)
        try await keeper.change(call, by: facts.id) { transaction in
            _ = try AccountStore.requireCode(request.code, for: .invitation, in: transaction)
            try AccountStore.replacePassword(of: facts.id, by: hashed, in: transaction)
            try AccountStore.enrol(sealed, of: facts.id, in: transaction)
            transaction.audit(
                AuditNote(
                    object: "account/\(facts.id)", detail: "invitation accepted; second factor enrolled"))
        }
        return enrolled(secret, facts)
    }

    func confirmSecondFactor(
        _ request: Pcs_Host_V1_ConfirmSecondFactorRequest, _ call: CallContext
    ) async throws -> Pcs_Host_V1_ConfirmSecondFactorResponse {
        let source = CallSource.current.name(device: "")
        let (code, facts) = try keeper.account(
            by: request.code, [.invitation, .secondFactor], source: source)
        let (authenticator, step) = try confirmed(request.oneTimeCode, facts, source: source)
        try await keeper.change(call, by: facts.id) { transaction in
            _ = try AccountStore.requireCode(request.code, for: code.purpose, in: transaction)
            try AccountStore.use(request.code, in: transaction)
            try AccountStore.confirm(
                authenticator.id, of: facts.id, step: step, ending: "lost; an administrator vouched",
                in: transaction)
            if facts.life?.state == .invited {
                try AccountStore.move(
                    facts.id, from: .invited, to: .active, by: facts.id, reason: "invitation accepted",
                    in: transaction)
            }
            transaction.audit(AuditNote(object: "account/\(facts.id)", detail: "second factor confirmed"))
        }
        if code.purpose == .secondFactor {
            registry.endSessions(of: facts.id, but: nil)
            inform(facts.id, "The second factor was replaced after an administrator's word.", call)
        }
        return .with {
            $0.accountID = facts.id
            $0.state = .active
        }
    }

    /// The first code of a second factor that was enrolled.
    private func confirmed(
        _ code: String, _ facts: AccountFacts, source: String
    ) throws -> (StoredAuthenticator, Int64) {
        let now = keeper.clock.now
        if let wait = keeper.guessing.wait(address: facts.address, source: source, at: now) {
            throw Failure.codeRefused(wait.rawValue)
        }
        guard let authenticator = facts.unconfirmed else {
            throw Failure(HostReasons.stateWrong, "No second factor waits for its first code; enrol one.")
        }
        let secret = keeper.seal.open(authenticator.sealedSecret, of: facts.id)
        guard let secret, let step = TimeBasedCode.step(of: code, secret: secret, at: now) else {
            keeper.failed(address: facts.address, facts, source: source, at: now)
            throw Failure.codeRefused("the first one-time code of \(facts.id) is wrong")
        }
        return (authenticator, step)
    }

    private func enrolled(_ secret: [UInt8], _ facts: AccountFacts) -> Pcs_Host_V1_EnrolledSecondFactor {
        .with {
            $0.otpauthUri = TimeBasedCode.uri(secret: secret, email: facts.email)
            $0.secret = TimeBasedCode.base32(secret)
        }
    }

    private func inform(_ accountID: String, _ words: String, _ call: CallContext) {
        keeper.feed.add(.information(.securityChange, accountID, words, at: call.now))
    }

    // MARK: Passwords

    func changePassword(
        _ request: Pcs_Host_V1_ChangePasswordRequest, _ call: CallContext
    ) async throws -> Pcs_Host_V1_ChangePasswordResponse {
        let facts = try ownAccount(call)
        let source = "account:" + facts.id
        let proof = try await keeper.prove(
            email: facts.email, password: request.password, code: request.oneTimeCode, source: source)
        guard PasswordRule.normalised(request.newPassword) != PasswordRule.normalised(request.password) else {
            throw Failure.invalid("new_password", "password.same", "Choose another one than the present.")
        }
        let hashed = try await keeper.newPassword(
            request.newPassword, field: "new_password", for: facts, source: source)
        try await keeper.change(call, by: facts.id, actingFor: call.caller.actingFor) { transaction in
            try proof.use(in: transaction)
            try AccountStore.replacePassword(of: facts.id, by: hashed, in: transaction)
            transaction.audit(AuditNote(object: "account/\(facts.id)", detail: "password changed"))
        }
        registry.endSessions(of: facts.id, but: TokenID(call.caller.session))
        inform(facts.id, "The password was changed.", call)
        return Pcs_Host_V1_ChangePasswordResponse()
    }

    func requestPasswordReset(
        _ request: Pcs_Host_V1_RequestPasswordResetRequest, _ call: CallContext
    ) async throws -> Pcs_Host_V1_RequestPasswordResetResponse {
        keeper.beginReset(
            email: request.email, source: CallSource.current.name(device: request.deviceAddress))
        return Pcs_Host_V1_RequestPasswordResetResponse()
    }

    func completePasswordReset(
        _ request: Pcs_Host_V1_CompletePasswordResetRequest, _ call: CallContext
    ) async throws -> Pcs_Host_V1_CompletePasswordResetResponse {
        let source = CallSource.current.name(device: "")
        let (_, facts) = try keeper.account(by: request.code, [.reset], source: source)
        let hashed = try await keeper.newPassword(
            request.newPassword, field: "new_password", for: facts, source: source)
        try await keeper.change(call, by: facts.id) { transaction in
            _ = try AccountStore.requireCode(request.code, for: .reset, in: transaction)
            try AccountStore.use(request.code, in: transaction)
            try AccountStore.replacePassword(of: facts.id, by: hashed, in: transaction)
            let life =
                try transaction.first(AccountTables.life, [.text(facts.id)], AccountLife.init(row:)) ?? nil
            if life?.state == .locked {
                try AccountStore.move(
                    facts.id, from: .locked, to: .active, by: facts.id, reason: "unlocked by a reset",
                    in: transaction)
            }
            transaction.audit(
                AuditNote(
                    object: "account/\(facts.id)", detail: "password reset; the second factor stays as it is")
            )
        }
        keeper.guessing.forget(address: facts.address)
        registry.endSessions(of: facts.id, but: nil)
        inform(facts.id, "The password was reset.", call)
        return Pcs_Host_V1_CompletePasswordResetResponse()
    }

    // MARK: Second factors

    func replaceSecondFactor(
        _ request: Pcs_Host_V1_ReplaceSecondFactorRequest, _ call: CallContext
    ) async throws -> Pcs_Host_V1_EnrolledSecondFactor {
        let facts = try ownAccount(call)
        let proof = try await keeper.prove(
            email: facts.email, password: request.password, code: request.oneTimeCode,
            source: "account:" + facts.id)
        let secret = TimeBasedCode.makeSecret()
        let sealed = try keeper.seal.seal(secret, of: facts.id)
        try await keeper.change(call, by: facts.id, actingFor: call.caller.actingFor) { transaction in
            try proof.use(in: transaction)
            try AccountStore.enrol(sealed, of: facts.id, in: transaction)
            transaction.audit(
                AuditNote(object: "account/\(facts.id)", detail: "another second factor enrolled"))
        }
        return enrolled(secret, facts)
    }

    func confirmReplacement(
        _ request: Pcs_Host_V1_ConfirmReplacementRequest, _ call: CallContext
    ) async throws -> Pcs_Host_V1_ConfirmSecondFactorResponse {
        let facts = try ownAccount(call)
        let (authenticator, step) = try confirmed(
            request.oneTimeCode, facts, source: "account:" + facts.id)
        try await keeper.change(call, by: facts.id, actingFor: call.caller.actingFor) { transaction in
            try AccountStore.confirm(
                authenticator.id, of: facts.id, step: step, ending: "replaced by the person", in: transaction)
            transaction.audit(AuditNote(object: "account/\(facts.id)", detail: "second factor replaced"))
        }
        registry.endSessions(of: facts.id, but: TokenID(call.caller.session))
        inform(facts.id, "The second factor was replaced.", call)
        return .with {
            $0.accountID = facts.id
            $0.state = facts.state(at: call.now).message
        }
    }

    func acceptSecondFactorReset(
        _ request: Pcs_Host_V1_AcceptSecondFactorResetRequest, _ call: CallContext
    ) async throws -> Pcs_Host_V1_EnrolledSecondFactor {
        let source = CallSource.current.name(device: "")
        let (_, facts) = try keeper.account(by: request.code, [.secondFactor], source: source)
        // A stolen message alone opens nothing: the password is needed too.
        if let wait = keeper.guessing.wait(address: facts.address, source: source, at: call.now) {
            throw Failure.codeRefused(wait.rawValue)
        }
        guard try await keeper.hasher.isCorrect(request.password, facts.password, source: source) else {
            keeper.failed(address: facts.address, facts, source: source, at: call.now)
            throw Failure.codeRefused("the password of \(facts.id) is wrong")
        }
        let secret = TimeBasedCode.makeSecret()
        let sealed = try keeper.seal.seal(secret, of: facts.id)
        try await keeper.change(call, by: facts.id) { transaction in
            _ = try AccountStore.requireCode(request.code, for: .secondFactor, in: transaction)
            try AccountStore.enrol(sealed, of: facts.id, in: transaction)
            transaction.audit(
                AuditNote(
                    object: "account/\(facts.id)", detail: "second factor enrolled in the place of a lost one"
                ))
        }
        return enrolled(secret, facts)
    }
}
