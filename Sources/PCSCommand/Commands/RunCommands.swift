import ArgumentParser
package import PaymentsContract

struct RunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "The monthly payment run.",
        discussion: """
            open -> calculate -> exceptions/accept -> review -> approve (two people) -> paid -> close. A run is named \
            by its id (2019-04-1) or by its month (2019-04), which means the month's run that was not aborted.
            """,
        subcommands: [
            Open.self, Calculate.self, RunExceptionsCommand.self, RunAcceptCommand.self, Review.self,
            Approve.self,
            Reopen.self, Abort.self, Paid.self, Close.self, RunShowCommand.self, RunListCommand.self,
            RunTotalsCommand.self, RunExportCommand.self, RunCompareCommand.self,
        ])

    struct Open: ClientCommand {
        static let configuration = CommandConfiguration(abstract: "Open the run of a month.")
        @Argument(help: "Month, YYYY-MM.") var month: MonthArgument
        @Option(help: "Payment date, YYYY-MM-DD. Default: from the calendar.") var paymentDate: DayArgument?
        @OptionGroup(title: "Connection") var connection: ConnectionOptions

        func run(_ session: Session) async throws {
            var request = Pcs_Payments_V1_OpenRunRequest()
            request.month = month.message
            if let paymentDate { request.paymentDate = paymentDate.message }
            let reply = try await session.runs.openRun(request, options: session.change())
            try session.show(reply) { RunView.sheet(reply).rendered(for: $0) }
        }
    }

    struct Calculate: ClientCommand {
        static let configuration = CommandConfiguration(
            abstract: "Freeze the inputs and calculate all lines; again: from the same inputs.")
        @Argument(help: "Run or month.") var run: String
        @Flag(help: "Freeze the inputs although the cut-off day has not passed; needs --reason.")
        var beforeCutOff = false
        @Option(help: "Why.") var reason = ""
        @OptionGroup(title: "Connection") var connection: ConnectionOptions

        func run(_ session: Session) async throws {
            var request = Pcs_Payments_V1_CalculateRunRequest()
            request.runID = try await RunReference.id(run, session)
            request.beforeCutOff = beforeCutOff
            request.reason = reason
            let reply = try await ProgressBar("calculating \(request.runID)").waiting { [request] in
                try await session.runs.calculateRun(request, options: session.change())
            }
            try session.show(reply) { RunView.sheet(reply).rendered(for: $0) }
        }
    }

    struct Review: ClientCommand {
        static let configuration = CommandConfiguration(abstract: "State that the calculation was looked at.")
        @Argument(help: "Run or month.") var run: String
        @Option(help: "Number of the calculation looked at. Default: the present one.") var calculation:
            Int32?
        @Option(help: "What was looked at.") var note = ""
        @OptionGroup(title: "Connection") var connection: ConnectionOptions

        func run(_ session: Session) async throws {
            let current = try await RunReference.run(run, session)
            var request = Pcs_Payments_V1_ReviewRunRequest()
            request.runID = current.runID
            request.calculation = calculation ?? current.calculation
            request.note = note
            let reply = try await session.runs.reviewRun(request, options: session.change())
            try session.show(reply) { RunView.sheet(reply).rendered(for: $0) }
        }
    }

    struct Approve: ClientCommand {
        static let configuration = CommandConfiguration(
            abstract: "Approve a reviewed run. Two different people; the second types the control total.")
        @Argument(help: "Run or month.") var run: String
        @Option(help: "The run's net in pounds, from your own copy of the figures.") var controlTotal:
            PoundsArgument?
        @Option(help: "Number of the calculation looked at. Default: the present one.") var calculation:
            Int32?
        @OptionGroup(title: "Connection") var connection: ConnectionOptions

        func run(_ session: Session) async throws {
            let current = try await RunReference.run(run, session)
            var request = Pcs_Payments_V1_ApproveRunRequest()
            request.runID = current.runID
            request.calculation = calculation ?? current.calculation
            if let controlTotal { request.controlTotalPence = controlTotal.pence }
            let reply = try await session.runs.approveRun(request, options: session.change())
            try session.show(reply) { RunView.sheet(reply).rendered(for: $0) }
        }
    }

    struct Reopen: ClientCommand {
        static let configuration = CommandConfiguration(
            abstract: "Take a calculated or reviewed run back; clears an approval given so far.")
        @Argument(help: "Run or month.") var run: String
        @Flag(help: "Also let go of the frozen inputs.") var thaw = false
        @Option(help: "Why.") var reason: String
        @OptionGroup(title: "Connection") var connection: ConnectionOptions

        func run(_ session: Session) async throws {
            var request = Pcs_Payments_V1_ReopenRunRequest()
            request.runID = try await RunReference.id(run, session)
            request.thaw = thaw
            request.reason = reason
            let reply = try await session.runs.reopenRun(request, options: session.change())
            try session.show(reply) { RunView.sheet(reply).rendered(for: $0) }
        }
    }

    struct Abort: ClientCommand {
        static let configuration = CommandConfiguration(
            abstract: "Abort a run that has not been paid. Two approvers: the second call carries it out.")
        @Argument(help: "Run or month.") var run: String
        @Option(help: "Why.") var reason: String
        @OptionGroup(title: "Connection") var connection: ConnectionOptions

        func run(_ session: Session) async throws {
            var request = Pcs_Payments_V1_AbortRunRequest()
            request.runID = try await RunReference.id(run, session)
            request.reason = reason
            let reply = try await session.runs.abortRun(request, options: session.change())
            try session.show(reply) { RunView.sheet(reply).rendered(for: $0) }
        }
    }

    struct Paid: ClientCommand {
        static let configuration = CommandConfiguration(
            abstract: "Record that the bank has paid an approved run. Not by one of its approvers.")
        @Argument(help: "Run or month.") var run: String
        @Option(help: "Day, YYYY-MM-DD.") var on: DayArgument
        @Option(help: "Reference of the bank.") var bankReference: String
        @Option(help: "What the bank reports as paid, in pounds.") var total: PoundsArgument
        @OptionGroup(title: "Connection") var connection: ConnectionOptions

        func run(_ session: Session) async throws {
            var request = Pcs_Payments_V1_RecordPaidRequest()
            request.runID = try await RunReference.id(run, session)
            request.paidOn = on.message
            request.bankReference = bankReference
            request.totalPence = total.pence
            let reply = try await session.runs.recordPaid(request, options: session.change())
            try session.show(reply) { RunView.sheet(reply).rendered(for: $0) }
        }
    }

    struct Close: ClientCommand {
        static let configuration = CommandConfiguration(abstract: "Close a paid run: read-only from now on.")
        @Argument(help: "Run or month.") var run: String
        @OptionGroup(title: "Connection") var connection: ConnectionOptions

        func run(_ session: Session) async throws {
            var request = Pcs_Payments_V1_CloseRunRequest()
            request.runID = try await RunReference.id(run, session)
            let reply = try await session.runs.closeRun(request, options: session.change())
            try session.show(reply) { RunView.sheet(reply).rendered(for: $0) }
        }
    }
}

/// A run as named on the command line.
package enum RunReference {
    /// - Parameter text: id of the run, or a month.
    package static func id(_ text: String, _ session: Session) async throws -> String {
        guard let month = MonthArgument(argument: text) else { return text }
        let runs = try await session.runs.listRuns(.init()).runs
        guard let run = runs.last(where: { $0.month == month.message && $0.state != .aborted }) else {
            throw CommandError(
                .notFound, "there is no run of \(text)",
                nextStep: "Open it with: pcs payments run open \(text)")
        }
        return run.runID
    }

    package static func run(_ text: String, _ session: Session) async throws -> Pcs_Payments_V1_Run {
        var request = Pcs_Payments_V1_GetRunRequest()
        request.runID = try await id(text, session)
        return try await session.runs.getRun(request)
    }
}
