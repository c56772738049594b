import ArgumentParser
import ChangesContract
import CommonContract

struct ChangeReceiveCommand: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "receive",
        abstract: "The coordinator has the approved notice; the six weeks count from today.")
    @Argument(help: "Id of the case.") var id: String
    @OptionGroup(title: "Connection") var connection: ConnectionOptions

    func run(_ session: Session) async throws {
        let reply = try await session.changeCases.receiveCase(
            .with { $0.caseID = id }, options: session.change())
        try session.show(reply)
    }
}

struct ChangeValidateCommand: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "validate", abstract: "Go through all gates; refused with every one that does not pass.")
    @Argument(help: "Id of the case.") var id: String
    @Option(help: "Reference of the verified bank declaration, when the account changes.")
    var bankVerification = ""
    @Option(help: "Where it was seen that no change of bank details is open.") var noOpenBankChange = ""
    @Option(help: "Where it was seen that no incident with secure forms is open.") var noOpenIncident = ""
    @OptionGroup(title: "Connection") var connection: ConnectionOptions

    func run(_ session: Session) async throws {
        var request = Pcs_Changes_V1_ValidateCaseRequest()
        request.caseID = id
        request.bankVerificationReference = bankVerification
        request.noOpenBankChangeReference = noOpenBankChange
        request.noOpenSecureFormsIncidentReference = noOpenIncident
        let reply = try await session.changeCases.validateCase(request, options: session.change())
        try session.show(reply, rows: reply.gates, nothing: "no gates")
    }
}

struct ChangePlanCommand: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan", abstract: "Make the steps with their days, and tell the areas.")
    @Argument(help: "Id of the case.") var id: String
    @OptionGroup(title: "Connection") var connection: ConnectionOptions

    func run(_ session: Session) async throws {
        let reply = try await session.changeCases.planCase(
            .with { $0.caseID = id }, options: session.change())
        try session.show(reply, rows: reply.steps, columns: ChangeReference.steps, nothing: "no steps")
    }
}

struct ChangeStepCommand: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "step", abstract: "Report a step by hand, with proof.",
        discussion:
            "Sums of money or patients are given as JSON by pcs.changes.v1.StepProof: --proof '{\"patients\": {...}}'."
    )
    @Argument(help: "Id of the case.") var id: String
    @Argument(help: "Number of the step.") var step: Int32
    @Argument(help: "done, failed, not-applicable or compensated.") var outcome:
        Choice<Pcs_Changes_V1_StepOutcome>
    @Option(help: "Where it can be seen.") var reference: String?
    @Option(help: "Proof: JSON, @FILE, or -.") var proof: String?
    @Option(help: "What was done; may be repeated.") var effect: [String] = []
    @Option(help: "Why it failed or does not apply.") var words = ""
    @OptionGroup(title: "Connection") var connection: ConnectionOptions

    func run(_ session: Session) async throws {
        var request = Pcs_Changes_V1_ReportStepRequest()
        request.caseID = id
        request.step = step
        request.outcome = outcome.value
        if let proof {
            request.proof = try ContractJSON.message(
                try CallInput(argument: proof).bytes(), as: Pcs_Changes_V1_StepProof.self)
        }
        if let reference { request.proof.reference = reference }
        request.effects = effect
        request.words = words
        let reply = try await session.changeCases.reportStep(request, options: session.change())
        try session.show(reply, rows: reply.steps, columns: ChangeReference.steps, nothing: "no steps")
    }
}

struct ChangeGoCommand: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "go", abstract: "Say go, or with --no no-go. Two people must say go.")
    @Argument(help: "Id of the case.") var id: String
    @Argument(help: "ODS code of a practice of the case.") var practice: String
    @Flag(help: "No-go: everything waits until the case is postponed or rolled back.") var no = false
    @Option(help: "Why.") var reason: String
    @OptionGroup(title: "Connection") var connection: ConnectionOptions

    func run(_ session: Session) async throws {
        var request = Pcs_Changes_V1_DecideGoRequest()
        request.caseID = id
        request.practiceCode = practice.uppercased()
        request.go = !no
        request.reason = reason
        try session.show(try await session.changeCases.decideGo(request, options: session.change()))
    }
}

struct ChangePostponeCommand: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "postpone", abstract: "A new effective date; steps not done get their new days.")
    @Argument(help: "Id of the case.") var id: String
    @Option(help: "The new first day after the change, YYYY-MM-DD.") var to: DayArgument
    @Option(help: "Why.") var reason: String
    @OptionGroup(title: "Connection") var connection: ConnectionOptions

    func run(_ session: Session) async throws {
        var request = Pcs_Changes_V1_PostponeCaseRequest()
        request.caseID = id
        request.effectiveOn = to.message
        request.reason = reason
        try session.show(try await session.changeCases.postponeCase(request, options: session.change()))
    }
}

struct ChangeRollBackCommand: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "roll-back", abstract: "Take back what was done, while nothing irreversible was.")
    @Argument(help: "Id of the case.") var id: String
    @Option(help: "Why.") var reason: String
    @OptionGroup(title: "Connection") var connection: ConnectionOptions

    func run(_ session: Session) async throws {
        var request = Pcs_Changes_V1_RollBackCaseRequest()
        request.caseID = id
        request.reason = reason
        try session.show(try await session.changeCases.rollBackCase(request, options: session.change()))
    }
}

struct ChangeCompleteCommand: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "complete",
        abstract: "End an effective case, when every step is done and the sums are right.")
    @Argument(help: "Id of the case.") var id: String
    @OptionGroup(title: "Connection") var connection: ConnectionOptions

    func run(_ session: Session) async throws {
        let reply = try await session.changeCases.completeCase(
            .with { $0.caseID = id }, options: session.change())
        try session.show(reply)
    }
}
