import ArgumentParser
import ChangesContract
import CommonContract
import Foundation

struct ChangeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "change",
        abstract: "Mergers and closures of practices: notice, approval, checklist, report.",
        discussion: """
            open -> submit -> decide (commissioner) -> receive -> validate -> plan -> steps -> go (two people) -> complete. \
            The practice is one of the case's practices to which you stand in a relation.
            """,
        subcommands: [
            Open.self, Revise.self, Submit.self, Decide.self, Withdraw.self, ChangeReceiveCommand.self,
            ChangeValidateCommand.self, ChangePlanCommand.self, ChangeStepCommand.self, ChangeGoCommand.self,
            ChangePostponeCommand.self, ChangeRollBackCommand.self, ChangeCompleteCommand.self,
            ChangeListCommand.self,
            ChangeShowCommand.self, ChangeWatchCommand.self, ChangeReportCommand.self,
            ChangeChecklistCommand.self,
        ])

    struct Open: ClientCommand {
        static let configuration = CommandConfiguration(
            abstract: "Open a case with a notice that need not be complete.",
            discussion: """
                The notice is JSON by the message pcs.changes.v1.Notice, for example {"kind": "CHANGE_KIND_CLOSURE", \
                "effectiveOn": "2027-04-01", "closing": [{"practiceCode": "A81001", ...}], "common": {...}}.
                """)
        @Argument(help: "ODS code of a practice of the case.") var practice: String
        @Argument(help: "Notice: JSON, @FILE, or - for standard input.") var notice: String
        @OptionGroup(title: "Connection") var connection: ConnectionOptions

        func run(_ session: Session) async throws {
            var request = Pcs_Changes_V1_DraftNoticeRequest()
            request.practiceCode = practice.uppercased()
            request.notice = try ContractJSON.message(
                try CallInput(argument: notice).bytes(), as: Pcs_Changes_V1_Notice.self)
            try session.show(try await session.notices.draftNotice(request, options: session.change()))
        }
    }

    struct Revise: ClientCommand {
        static let configuration = CommandConfiguration(
            abstract: "Replace the notice of a draft or returned case.")
        @Argument(help: "Id of the case.") var id: String
        @Argument(help: "ODS code of a practice of the case.") var practice: String
        @Argument(help: "Notice: JSON, @FILE, or - for standard input.") var notice: String
        @OptionGroup(title: "Connection") var connection: ConnectionOptions

        func run(_ session: Session) async throws {
            var request = Pcs_Changes_V1_ReviseNoticeRequest()
            request.caseID = id
            request.practiceCode = practice.uppercased()
            request.notice = try ContractJSON.message(
                try CallInput(argument: notice).bytes(), as: Pcs_Changes_V1_Notice.self)
            try session.show(try await session.notices.reviseNotice(request, options: session.change()))
        }
    }

    struct Submit: ClientCommand {
        static let configuration = CommandConfiguration(abstract: "Send the notice to the commissioner.")
        @Argument(help: "Id of the case.") var id: String
        @Argument(help: "ODS code of a practice of the case.") var practice: String
        @OptionGroup(title: "Connection") var connection: ConnectionOptions

        func run(_ session: Session) async throws {
            var request = Pcs_Changes_V1_SubmitNoticeRequest()
            request.caseID = id
            request.practiceCode = practice.uppercased()
            try session.show(try await session.notices.submitNotice(request, options: session.change()))
        }
    }

    struct Decide: ClientCommand {
        static let configuration = CommandConfiguration(
            abstract: "As commissioner: approve, return or reject the notice.",
            discussion: "Approving takes section 3 as JSON by pcs.changes.v1.CommissionerSection.")
        @Argument(help: "Id of the case.") var id: String
        @Argument(help: "ODS code of a practice of the case that one commissions.") var practice: String
        @Argument(help: "approve, return or reject.") var decision: Choice<Pcs_Changes_V1_Decision>
        @Option(help: "Section 3: JSON, @FILE, or -.") var section: String?
        @Option(help: "Why.") var reason = ""
        @Option(help: "Version of the case that was looked at. Default: the present one.") var caseVersion:
            Int64?
        @OptionGroup(title: "Connection") var connection: ConnectionOptions

        func run(_ session: Session) async throws {
            var request = Pcs_Changes_V1_DecideNoticeRequest()
            request.caseID = id
            request.practiceCode = practice.uppercased()
            request.decision = decision.value
            if let section {
                request.section = try ContractJSON.message(
                    try CallInput(argument: section).bytes(), as: Pcs_Changes_V1_CommissionerSection.self)
            }
            request.reason = reason
            if let caseVersion {
                request.version = caseVersion
            } else {
                request.version = try await ChangeReference.get(id, practice, session).version
            }
            try session.show(try await session.notices.decideNotice(request, options: session.change()))
        }
    }

    struct Withdraw: ClientCommand {
        static let configuration = CommandConfiguration(
            abstract: "End a case before any step of it was done.")
        @Argument(help: "Id of the case.") var id: String
        @Argument(help: "ODS code of a practice of the case.") var practice: String
        @Option(help: "Why.") var reason: String
        @OptionGroup(title: "Connection") var connection: ConnectionOptions

        func run(_ session: Session) async throws {
            var request = Pcs_Changes_V1_WithdrawNoticeRequest()
            request.caseID = id
            request.practiceCode = practice.uppercased()
            request.reason = reason
            try session.show(try await session.notices.withdrawNotice(request, options: session.change()))
        }
    }
}

struct ChangeListCommand: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "Cases of a practice, newest first; nationally all of them.")
    @Argument(help: "ODS code of the practice.") var practice: String?
    @OptionGroup(title: "Connection") var connection: ConnectionOptions

    func run(_ session: Session) async throws {
        var request = Pcs_Changes_V1_ListCasesRequest()
        request.practiceCode = practice?.uppercased() ?? ""
        let reply = try await session.changeProgress.listCases(request)
        try session.show(
            reply, rows: reply.cases, columns: ["case_id", "state", "received_on", "opened_by", "version"],
            nothing: "no case")
    }
}

struct ChangeShowCommand: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "A case: its notice, decisions, gates, steps and log; --steps: its checklist alone.")
    @Argument(help: "Id of the case.") var id: String
    @Argument(help: "ODS code of a practice of the case.") var practice: String
    @Flag(help: "The checklist alone.") var steps = false
    @OptionGroup(title: "Connection") var connection: ConnectionOptions

    func run(_ session: Session) async throws {
        let reply = try await ChangeReference.get(id, practice, session)
        guard steps else { return try session.show(reply) }
        try session.show(reply, rows: reply.steps, columns: ChangeReference.steps, nothing: "not planned yet")
    }
}

struct ChangeWatchCommand: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "watch", abstract: "A line whenever something happens in a case, until its end.")
    @Argument(help: "Id of the case.") var id: String
    @Argument(help: "ODS code of a practice of the case.") var practice: String
    @OptionGroup(title: "Connection") var connection: ConnectionOptions

    func run(_ session: Session) async throws {
        let request = ChangeReference.request(id, practice)
        try await session.follow(try await session.changeProgress.watchCase(request)) { change in
            let done = change.steps.count { $0.state == .done || $0.state == .notApplicable }
            return
                "\(change.caseID)  \(EnumWords.words(change.state))  \(done) of \(change.steps.count) steps  "
                + (change.log.last?.words ?? "")
        }
    }
}

struct ChangeReportCommand: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "report", abstract: "Everything of a case as one JSON document, its SHA-256 checked.")
    @Argument(help: "Id of the case.") var id: String
    @Argument(help: "ODS code of a practice of the case.") var practice: String
    @Option(help: "File. Default: standard output.") var to: String?
    @OptionGroup(title: "Connection") var connection: ConnectionOptions

    func run(_ session: Session) async throws {
        var data: [UInt8] = []
        var digest = ""
        let pieces = try await session.changeProgress.exportEvidencePack(
            ChangeReference.request(id, practice))
        for try await piece in pieces {
            data += [UInt8](piece.data)
            if !piece.sha256.isEmpty { digest = piece.sha256 }
        }
        guard FileDigest.sha256(data) == digest else {
            throw CommandError(.unsound, "the pack is not what its SHA-256 says")
        }
        guard let to else { return Console.out(bytes: data) }
        try PrivateFile.write(String(decoding: data, as: UTF8.self), to: to)
        session.note("\(Wording.bytes(data.count)) in \(to), SHA-256 \(digest)")
    }
}

struct ChangeChecklistCommand: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "checklist", abstract: "The checklist in force: every step with its owner.")
    @OptionGroup(title: "Connection") var connection: ConnectionOptions

    func run(_ session: Session) async throws {
        let reply = try await session.changeProgress.listChecklist(.init())
        try session.show(
            reply, rows: reply.steps,
            columns: ["number", "title", "owner_area", "act", "proof_wanted", "after"],
            nothing: "there is no checklist")
    }
}

enum ChangeReference {
    static let steps = ["number", "title", "owner_area", "due_on", "state", "by_hand", "failures"]

    static func request(_ id: String, _ practice: String) -> Pcs_Changes_V1_GetCaseRequest {
        .with {
            $0.caseID = id
            $0.practiceCode = practice.uppercased()
        }
    }

    static func get(_ id: String, _ practice: String, _ session: Session) async throws -> Pcs_Changes_V1_Case
    {
        try await session.changeProgress.getCase(request(id, practice))
    }
}
