import ArgumentParser
import CommonContract
import HostContract

struct RegistrationCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "register",
        abstract: "Registration of organisations: campaigns, letters with codes, redeeming them.",
        subcommands: [
            Campaign.self, Campaigns.self, Letters.self, Reissue.self, RevokeCode.self, Holder.self,
            Redeem.self, Show.self,
            List.self, State.self, Branch.self,
        ])

    struct Campaign: ClientCommand {
        static let configuration = CommandConfiguration(
            abstract:
                "Choose organisations to be invited, and how long their codes are valid. Issues nothing yet.",
            discussion: """
                pcs org register campaign 'Spring' --organisation A81001 --organisation A81002 --reason 'first practices'
                pcs org register campaign 'North East' --kind practice --commissioner 16C --valid-days 90 --reason '...'
                """)
        @Argument(help: "Name; unique.") var name: String
        @Option(help: "ODS code; may be repeated.") var organisation: [String] = []
        @Option(help: "Kind of organisation; may be repeated.") var kind:
            [Choice<Pcs_Host_V1_OrganisationKind>] = []
        @Option(help: "Sub ICB Location, ICB or region above them.") var commissioner = ""
        @Option(help: "Days for which a code is valid from its issue.") var validDays: Int32 = 0
        @Option(help: "Last day on which codes are accepted, YYYY-MM-DD.") var expiresOn: DayArgument?
        @Option(help: "Why; kept for the auditor.") var reason: String
        @OptionGroup(title: "Connection") var connection: ConnectionOptions

        func run(_ session: Session) async throws {
            var request = Pcs_Host_V1_CreateCampaignRequest()
            request.name = name
            request.organisationCodes = organisation.map { $0.uppercased() }
            request.kinds = kind.map(\.value)
            request.commissionerCode = commissioner.uppercased()
            request.validDays = validDays
            if let expiresOn { request.expiresOn = expiresOn.message }
            request.reason = reason
            try session.show(
                try await session.registrations.createCampaign(request, options: session.change()))
        }
    }

    struct Campaigns: ClientCommand {
        static let configuration = CommandConfiguration(abstract: "All campaigns, with how far they are.")
        @OptionGroup(title: "Connection") var connection: ConnectionOptions

        func run(_ session: Session) async throws {
            let reply = try await session.registrations.listCampaigns(.init())
            try session.show(reply, rows: reply.campaigns, nothing: "there is no campaign")
        }
    }

    struct Letters: ClientCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make codes and write their letters to files of mode 0600 in a folder.",
            discussion:
                "A code stands in its letter only. Again for the next ones; nothing is written when all have theirs."
        )
        @Argument(help: "Campaign: its name or id.") var campaign: String
        @Option(help: "Folder for the letters.") var to: String
        @Option(help: "Letters at most.") var limit: Int32 = 1_000
        @OptionGroup(title: "Connection") var connection: ConnectionOptions

        func run(_ session: Session) async throws {
            let campaigns = try await session.registrations.listCampaigns(.init()).campaigns
            guard let found = campaigns.first(where: { $0.campaignID == campaign || $0.name == campaign })
            else {
                throw CommandError(
                    .notFound, "there is no campaign \"\(campaign)\"",
                    nextStep: "Look at them with: pcs org register campaigns")
            }
            var request = Pcs_Host_V1_IssueLettersRequest()
            request.campaignID = found.campaignID
            request.limit = limit
            try await LetterFiles.write(
                try await session.registrations.issueLetters(request, options: session.change()), to: to,
                session)
        }
    }

    struct Reissue: ClientCommand {
        static let configuration = CommandConfiguration(
            abstract: "A new letter in place of the earlier one, whose code dies at once.")
        @Argument(help: "ODS code.") var organisation: String
        @Option(help: "By e-mail to the contract holder on record, at this address; otherwise by post.")
        var email = ""
        @Option(help: "Folder for the letter.") var to: String
        @Option(help: "Why; kept for the auditor.") var reason: String
        @OptionGroup(title: "Connection") var connection: ConnectionOptions

        func run(_ session: Session) async throws {
            var request = Pcs_Host_V1_ReissueLetterRequest()
            request.organisationCode = organisation.uppercased()
            request.channel = email.isEmpty ? .post : .email
            request.email = email
            request.reason = reason
            let letter = try await session.registrations.reissueLetter(request, options: session.change())
            let stream = AsyncThrowingStream<Pcs_Host_V1_RegistrationLetter, any Error> { continuation in
                continuation.yield(letter)
                continuation.finish()
            }
            try await LetterFiles.write(stream, to: to, session)
        }
    }

    struct RevokeCode: ClientCommand {
        static let configuration = CommandConfiguration(
            commandName: "revoke-code", abstract: "Revoke the present code of an organisation.")
        @Argument(help: "ODS code.") var organisation: String
        @Option(help: "Why; kept for the auditor.") var reason: String
        @OptionGroup(title: "Connection") var connection: ConnectionOptions

        func run(_ session: Session) async throws {
            var request = Pcs_Host_V1_RevokeCodeRequest()
            request.organisationCode = organisation.uppercased()
            request.reason = reason
            try session.show(try await session.registrations.revokeCode(request, options: session.change()))
        }
    }

    struct Holder: ClientCommand {
        static let configuration = CommandConfiguration(
            abstract: "Put the contract holder on record: the only person to whom a code may go by e-mail.")
        @Argument(help: "ODS code.") var organisation: String
        @Option(help: "Full name.") var name: String
        @Option(help: "E-mail address.") var email: String
        @Option(help: "Where it is from, for example the contract's number.") var reason: String
        @OptionGroup(title: "Connection") var connection: ConnectionOptions

        func run(_ session: Session) async throws {
            var request = Pcs_Host_V1_RecordContractHolderRequest()
            request.organisationCode = organisation.uppercased()
            request.name = name
            request.email = email
            request.reason = reason
            try session.show(
                try await session.registrations.recordContractHolder(request, options: session.change()))
        }
    }

    struct Redeem: ClientCommand {
        static let configuration = CommandConfiguration(
            abstract:
                "As contract manager: register the organisation and name its first User Administrators.",
            discussion: """
                Asks for the code of the letter, or takes it from the letter's file. Prints the activation codes, once, or \
                keeps each in a file of mode 0600. People are written 'Name <address>'. Example:
                pcs org register redeem A81001 --letter letters/A81001-registration.txt \
                --contract-holder 'Dr Ann Holder <ann@example.nhs.uk>' \
                --administrator 'Ada Marsh <ada@example.nhs.uk>' --acknowledge
                """)
        @Argument(help: "ODS code.") var organisation: String
        @Option(
            help: "File of the letter, or with the code alone, mode 0600. Default: the code is asked for.")
        var letter: String?
        @Option(help: "The contract holder, or nominee: 'Name <address>'.") var contractHolder: String
        @Flag(help: "It is a person whom the contract holder has nominated.") var nominee = false
        @Option(help: "User Administrator: 'Name <address>'; one to four.") var administrator: [String]
        @Flag(help: "You have read that roles let their holders see sensitive data.") var acknowledge = false
        @Option(
            help: "Keep activation codes in this folder, a file of mode 0600 each, instead of printing them.")
        var codesTo: String?
        @OptionGroup(title: "Connection") var connection: ConnectionOptions
        var isAnonymous: Bool { true }

        func run(_ session: Session) async throws {
            var request = Pcs_Host_V1_RedeemCodeRequest()
            request.organisationCode = organisation.uppercased()
            request.contractHolder = try PersonReference.person(contractHolder)
            request.isNominee = nominee
            request.administrators = try administrator.map(PersonReference.person)
            request.acknowledged = acknowledge
            request.code = try LetterFiles.code(letter)
            var reply = try await session.registrations.redeemCode(request, options: session.change())
            if let codesTo {
                for index in reply.people.indices where !reply.people[index].activationCode.isEmpty {
                    let file = "\(codesTo)/\(reply.people[index].email).code"
                    try PrivateFile.write(reply.people[index].activationCode + "\n", to: file)
                    reply.people[index].activationCode = ""
                    session.note("activation code of \(reply.people[index].name) in \(file)")
                }
            }
            try session.show(reply)
        }
    }

    struct Show: ClientCommand {
        static let configuration = CommandConfiguration(
            abstract: "An organisation's registration with its history.")
        @Argument(help: "ODS code.") var organisation: String
        @OptionGroup(title: "Connection") var connection: ConnectionOptions

        func run(_ session: Session) async throws {
            var request = Pcs_Host_V1_GetRegistrationRequest()
            request.organisationCode = organisation.uppercased()
            try session.show(try await session.registrations.getRegistration(request))
        }
    }

    struct List: ClientCommand {
        static let configuration = CommandConfiguration(abstract: "Registrations in order of code.")
        @Option(help: "Only in this state.") var state: Choice<Pcs_Host_V1_RegistrationState>?
        @Option(help: "Only of this campaign (id).") var campaign = ""
        @OptionGroup(title: "Connection") var connection: ConnectionOptions

        func run(_ session: Session) async throws {
            var request = Pcs_Host_V1_ListRegistrationsRequest()
            if let state { request.state = state.value }
            request.campaignID = campaign
            try await session.show(
                stream: try await session.registrations.listRegistrations(request),
                nothing: "no organisation was invited")
        }
    }

    struct State: ClientCommand {
        static let configuration = CommandConfiguration(
            abstract: "Suspend, close or bring back a registration; complete one that waits.")
        @Argument(help: "ODS code.") var organisation: String
        @Argument(help: "registered, suspended or closed.") var state: Choice<Pcs_Host_V1_RegistrationState>
        @Option(help: "Why; kept for the auditor.") var reason: String
        @OptionGroup(title: "Connection") var connection: ConnectionOptions

        func run(_ session: Session) async throws {
            var request = Pcs_Host_V1_SetRegistrationStateRequest()
            request.organisationCode = organisation.uppercased()
            request.state = state.value
            request.reason = reason
            try session.show(
                try await session.registrations.setRegistrationState(request, options: session.change()))
        }
    }

    struct Branch: ClientCommand {
        static let configuration = CommandConfiguration(
            abstract: "Set a branch up under its main practice's registration.")
        @Argument(help: "ODS code of the main practice.") var practice: String
        @Argument(help: "ODS code of the branch.") var branch: String
        @Option(help: "Why; kept for the auditor.") var reason: String
        @OptionGroup(title: "Connection") var connection: ConnectionOptions

        func run(_ session: Session) async throws {
            var request = Pcs_Host_V1_SetUpBranchRequest()
            request.mainPracticeCode = practice.uppercased()
            request.branchCode = branch.uppercased()
            request.reason = reason
            try session.show(try await session.registrations.setUpBranch(request, options: session.change()))
        }
    }
}
