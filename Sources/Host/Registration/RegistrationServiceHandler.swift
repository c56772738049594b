import CommonContract
package import HostContract
package import Logging
package import PluginAPI
import Synchronization

/// Serves `pcs.host.v1.OrganisationRegistrationService`: campaigns and letters here, redeeming in `+Redeeming`.
package final class RegistrationServiceHandler: Pcs_Host_V1_OrganisationRegistrationService {
    let register: OrganisationRegister
    let identity: IdentityRegistry
    let invitations: InvitationBook
    let rules: RegistrationRules
    let template: LetterTemplate
    let ledger: WrongCodeLedger
    let logger: Logger
    let unknownRefusals = AssertionRefusalLimit()

    package init(
        register: OrganisationRegister, identity: IdentityRegistry, invitations: InvitationBook,
        logger: Logger
    ) throws {
        self.register = register
        self.identity = identity
        self.invitations = invitations
        self.logger = logger
        rules = try RegistrationRules.shipped()
        template = try LetterTemplate.shipped()
        ledger = WrongCodeLedger(store: register.store, rules: rules, logger: logger)
        try ledger.load()
    }

    /// Reads the locks again, after a restore.
    package func reload() throws { try ledger.load() }

    // MARK: Campaigns

    package func createCampaign(
        _ request: Pcs_Host_V1_CreateCampaignRequest, _ call: CallContext
    ) async throws -> Pcs_Host_V1_RegistrationCampaign {
        let today = call.today
        let wanted = try WantedCampaign(request, register: register, rules: rules, today: today)
        let author = call.caller.responsible
        return try await call.commit { transaction in
            let key = wanted.name.lowercased()
            if try transaction.first(RegistrationTables.campaignByName, [.text(key)], { $0.text(0) }) != nil {
                throw Failure(
                    HostReasons.alreadyExists, "A campaign of this name exists.",
                    violations: [
                        Violation(field: "name", rule: "campaign.unique", message: "Choose another name.")
                    ])
            }
            let id = transaction.newIdentifier()
            try transaction.run(
                RegistrationTables.insertCampaign,
                [
                    .text(id), .text(wanted.name), .text(key), .integer(wanted.validDays),
                    .date(wanted.expiresOn), .text(wanted.reason), .text(author), .date(today),
                ])
            for code in wanted.organisations {
                try transaction.run(RegistrationTables.insertMember, [.text(id), .text(code.value)])
            }
            transaction.audit(
                AuditNote(
                    object: "registration-campaign/\(id)",
                    detail: "\(wanted.name), \(wanted.organisations.count) organisations: \(wanted.reason)"))
            return try RegistrationServiceHandler.campaign(id, in: transaction)
        }
    }

    static func campaign(_ id: String, in reader: any Reader) throws -> Pcs_Host_V1_RegistrationCampaign {
        guard
            let found = try reader.first(
                RegistrationTables.campaign, [.text(id)], Pcs_Host_V1_RegistrationCampaign.init(row:))
        else { throw Failure(HostReasons.notFound, "There is no campaign '\(id.prefix(40))'.") }
        return found
    }

    package func listCampaigns(
        _ request: Pcs_Host_V1_ListCampaignsRequest, _ call: CallContext
    ) async throws -> Pcs_Host_V1_ListCampaignsResponse {
        let campaigns = try register.store.read { reader in
            try reader.all(RegistrationTables.campaigns, [], Pcs_Host_V1_RegistrationCampaign.init(row:))
        }
        return .with { $0.campaigns = campaigns }
    }

    // MARK: Letters

    package func issueLetters(
        _ request: Pcs_Host_V1_IssueLettersRequest, _ reply: ReplyStream<Pcs_Host_V1_RegistrationLetter>,
        _ call: CallContext
    ) async throws {
        guard (0...10_000).contains(request.limit) else {
            throw Failure.invalid("limit", "registration.limit", "1 to 10,000 letters at a time.")
        }
        let limit = request.limit == 0 ? 1_000 : Int(request.limit)
        let today = call.today
        let writer = LetterWriter(register: register, rules: rules, template: template, today: today)
        let letters = Mutex<[LetterWriter.Letter]>([])
        let author = call.caller.responsible
        _ = try await call.commit { transaction in
            let campaign = try RegistrationServiceHandler.campaign(request.campaignID, in: transaction)
            let waiting = try transaction.all(
                RegistrationTables.waitingMembers, [.text(request.campaignID), .integer(limit)]
            ) { ODSCode($0.text(0)) }.compactMap { $0 }
            var made: [LetterWriter.Letter] = []
            for code in waiting {
                let letter = try writer.issue(
                    to: code, of: campaign, by: author, reason: "letter of \(campaign.name)", in: transaction)
                try transaction.run(
                    RegistrationTables.settleMember,
                    [
                        .text(request.campaignID), .text(code.value),
                        .date(letter.notIssuedBecause.isEmpty ? today : nil),
                        .optional(letter.notIssuedBecause.isEmpty ? nil : letter.notIssuedBecause),
                    ])
                made.append(letter)
            }
            transaction.audit(
                AuditNote(
                    object: "registration-campaign/\(request.campaignID)",
                    detail: "\(made.count { $0.notIssuedBecause.isEmpty }) letters of \(made.count) issued"))
            letters.withLock { $0 = made }
            return campaign
        }
        for letter in letters.withLock({ $0 }) { try await reply.send(writer.message(letter)) }
    }

    package func reissueLetter(
        _ request: Pcs_Host_V1_ReissueLetterRequest, _ call: CallContext
    ) async throws -> Pcs_Host_V1_RegistrationLetter {
        try FieldCheck.reason(request.reason)
        let code = try FieldCheck.code(request.organisationCode, "organisation_code")
        guard request.channel == .post || request.channel == .email else {
            throw Failure.invalid("channel", "registration.channel", "By post or by e-mail.")
        }
        let writer = LetterWriter(register: register, rules: rules, template: template, today: call.today)
        let author = call.caller.responsible
        let made = Mutex<LetterWriter.Letter?>(nil)
        let reply = try await call.commit { transaction in
            let record = try RegistrationRecord.find(code, in: transaction)
            if request.channel == .email {
                try RegistrationServiceHandler.requireHolder(record, request.email)
            }
            let campaign =
                record.campaignID.isEmpty
                ? nil : try RegistrationServiceHandler.campaign(record.campaignID, in: transaction)
            var letter = try writer.issue(
                to: code, of: campaign, by: author, reason: request.reason,
                byEmail: request.channel == .email, in: transaction)
            guard letter.notIssuedBecause.isEmpty else {
                throw Failure(HostReasons.stateWrong, "No letter for \(code): \(letter.notIssuedBecause).")
            }
            if request.channel == .email { letter.email = record.holderEmail }
            made.withLock { $0 = letter }
            // What is kept under the idempotency key has no code.
            var kept = writer.message(letter)
            kept.text = ""
            return kept
        }
        // Not made in this call: the key was used before.
        return made.withLock { $0 }.map { writer.message($0) } ?? reply
    }

    /// By e-mail to the contract holder on record and to nobody else. Why it is refused is said to staff.
    private static func requireHolder(_ record: RegistrationRecord, _ email: String) throws {
        guard !record.holderEmail.isEmpty else {
            throw Failure(
                HostReasons.stateWrong,
                "No contract holder is on record for \(record.organisation): send it by post.")
        }
        guard record.holderEmail.lowercased() == email.lowercased() else {
            throw Failure.invalid(
                "email", "registration.holder", "This is not the address of the contract holder on record.")
        }
    }

    package func revokeCode(
        _ request: Pcs_Host_V1_RevokeCodeRequest, _ call: CallContext
    ) async throws -> Pcs_Host_V1_OrganisationRegistration {
        try await change(request.organisationCode, request.reason, call) {
            record, author, today, transaction in
            try record.become(.revoked, by: author, reason: request.reason, today: today, in: transaction)
            try IssuedCode.endAll(of: record.organisation, because: "revoked", in: transaction)
        }
    }

    package func recordContractHolder(
        _ request: Pcs_Host_V1_RecordContractHolderRequest, _ call: CallContext
    ) async throws -> Pcs_Host_V1_OrganisationRegistration {
        var check = IdentityFields()
        let name = check.text(request.name, "name", 1...200)
        let email = check.email(request.email, "email")
        try check.finish()
        return try await change(request.organisationCode, request.reason, call) { record, _, _, transaction in
            record.holderName = name
            record.holderEmail = email
            try record.keep(in: transaction)
            transaction.audit(
                AuditNote(
                    object: "registration/\(record.organisation)", organisation: record.organisation.value,
                    detail: "contract holder on record: \(name): \(request.reason)"))
        }
    }

    // MARK: State

    package func setUpBranch(
        _ request: Pcs_Host_V1_SetUpBranchRequest, _ call: CallContext
    ) async throws -> Pcs_Host_V1_OrganisationRegistration {
        let main = try FieldCheck.code(request.mainPracticeCode, "main_practice_code")
        let branch = try FieldCheck.code(request.branchCode, "branch_code")
        let today = call.today
        guard let entry = register.organisation(branch, at: today), entry.kind == .branchSurgery,
            entry.status != .inactive
        else {
            throw Failure.invalid(
                "branch_code", "registration.branch",
                "\(branch) is no open branch of the register: ODS gives the code, and its file brings it here."
            )
        }
        guard register.operatingOrganisation(of: branch, at: today) == main else {
            throw Failure.invalid(
                "main_practice_code", "registration.branch", "\(branch) is not operated by \(main).")
        }
        return try await change(request.branchCode, request.reason, call) {
            record, author, today, transaction in
            let practice = try RegistrationRecord.find(main, in: transaction)
            guard practice.standing(on: today) == .registered else {
                throw Failure(
                    HostReasons.stateWrong,
                    "\(main) is \(practice.standing(on: today)); it must be registered first.")
            }
            record.mainPractice = main.value
            record.holderName = practice.holderName
            record.holderEmail = practice.holderEmail
            try record.become(
                .registered, by: author, reason: "branch of \(main): \(request.reason)", today: today,
                in: transaction)
        }
    }

    package func setRegistrationState(
        _ request: Pcs_Host_V1_SetRegistrationStateRequest, _ call: CallContext
    ) async throws -> Pcs_Host_V1_OrganisationRegistration {
        let wanted: RegistrationStanding
        switch request.state {
        case .registered: wanted = .registered
        case .suspended: wanted = .suspended
        case .closed: wanted = .closed
        default:
            throw Failure.invalid("state", "registration.state", "REGISTERED, SUSPENDED or CLOSED.")
        }
        return try await change(request.organisationCode, request.reason, call) {
            record, author, today, transaction in
            guard record.standing != .notInvited else {
                throw Failure(HostReasons.stateWrong, "\(record.organisation) was never invited.")
            }
            let waited = record.standing == .codeAccepted
            try record.become(wanted, by: author, reason: request.reason, today: today, in: transaction)
            if wanted == .closed {
                try IssuedCode.endAll(of: record.organisation, because: "closed", in: transaction)
            }
            if waited { try CompletionTask.settle(record.organisation, wanted, by: author, in: transaction) }
        }
    }

    /// One change of one organisation's registration, in one commit.
    private func change(
        _ organisation: String, _ reason: String, _ call: CallContext,
        _ body:
            @escaping @Sendable (inout RegistrationRecord, String, CalendarDate, any Transaction) throws ->
            Void
    ) async throws -> Pcs_Host_V1_OrganisationRegistration {
        try FieldCheck.reason(reason)
        let code = try FieldCheck.code(organisation, "organisation_code")
        let today = call.today
        guard register.organisation(code, at: today) != nil else {
            throw Failure(HostReasons.notFound, "\(code) is not in the register.")
        }
        let author = call.caller.responsible
        let isLocked = ledger.isLocked(code, at: call.now)
        return try await call.commit { transaction in
            var record = try RegistrationRecord.find(code, in: transaction)
            try body(&record, author, today, transaction)
            return record.message(on: today, locked: isLocked)
        }
    }

    // MARK: Reading

    package func getRegistration(
        _ request: Pcs_Host_V1_GetRegistrationRequest, _ call: CallContext
    ) async throws -> Pcs_Host_V1_OrganisationRegistration {
        let code = try FieldCheck.code(request.organisationCode, "organisation_code")
        let today = call.today
        let isLocked = ledger.isLocked(code, at: call.now)
        return try register.store.read { reader in
            var message = try RegistrationRecord.find(code, in: reader).message(on: today, locked: isLocked)
            message.history = try reader.all(
                RegistrationTables.steps, [.text(code.value)], Pcs_Host_V1_RegistrationStep.init(row:))
            return message
        }
    }

    package func listRegistrations(
        _ request: Pcs_Host_V1_ListRegistrationsRequest,
        _ reply: ReplyStream<Pcs_Host_V1_OrganisationRegistration>, _ call: CallContext
    ) async throws {
        let today = call.today
        var last = ""
        while true {
            let after = last
            let page = try register.store.read { reader in
                try reader.all(
                    RegistrationTables.records, [.text(after), .integer(500)], RegistrationRecord.init(row:))
            }.compactMap { $0 }
            for record in page {
                let message = record.message(
                    on: today, locked: ledger.isLocked(record.organisation, at: call.now))
                guard request.state == .unspecified || request.state == message.state,
                    request.campaignID.isEmpty || request.campaignID == message.campaignID
                else { continue }
                try await reply.send(message)
            }
            guard let end = page.last else { return }
            last = end.organisation.value
        }
    }
}

extension Pcs_Host_V1_RegistrationCampaign {
    /// From a row of the campaign statements.
    init(row: any Row) throws {
        self.init()
        campaignID = row.text(0)
        name = row.text(1)
        validDays = Int32(clamping: row.integer(2))
        if let day = try row.optionalDate(3) { expiresOn = Pcs_Common_V1_Date(day) }
        createdBy = row.text(4)
        createdOn = Pcs_Common_V1_Date(try row.date(5))
        organisations = row.integer(6)
        issued = row.integer(7)
        registered = row.integer(8)
    }
}
