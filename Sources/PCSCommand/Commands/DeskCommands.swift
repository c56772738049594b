import ArgumentParser
import CaseworkContract
import CommonContract

struct DeskCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "desk", abstract: "The work of PCSE's teams on enquiries and complaints.",
        subcommands: [List.self, Open.self, Step.self, Amend.self, Teams.self, Member.self, Report.self])

    struct List: ClientCommand {
        static let configuration = CommandConfiguration(abstract: "Open work in order of the next clock.")
        @Option(help: "Team. Default: one's own.") var team = ""
        @Flag(help: "Only one's own cases.") var mine = false
        @Flag(help: "Only complaints.") var complaints = false
        @Flag(help: "Only those whose clock ran out.") var breached = false
        @Option(help: "Go on from here (nextPageToken of -o json).") var page = ""
        @OptionGroup(title: "Connection") var connection: ConnectionOptions

        func run(_ session: Session) async throws {
            var request = Pcs_Casework_V1_ListCasesRequest()
            request.team = team
            request.mineOnly = mine
            request.complaintsOnly = complaints
            request.breachedOnly = breached
            request.pageToken = page
            let reply = try await session.desk.listCases(request)
            try session.show(reply, rows: reply.cases, columns: EnquiryView.columns, nothing: "no work")
            EnquiryView.more(reply.nextPageToken, session)
        }
    }

    struct Open: ClientCommand {
        static let configuration = CommandConfiguration(
            abstract: "One case with its correspondence; of another team with a reason, which is recorded.")
        @Argument(help: "Id of the case.") var enquiry: String
        @Option(help: "Why, for a case of another team.") var reason = ""
        @OptionGroup(title: "Connection") var connection: ConnectionOptions

        func run(_ session: Session) async throws {
            var request = Pcs_Casework_V1_OpenCaseRequest()
            request.enquiryID = enquiry
            request.accessReason = reason
            try session.show(try await session.desk.openCase(request, options: session.change()))
        }
    }

    struct Step: ClientCommand {
        static let configuration = CommandConfiguration(
            abstract: "A step of the team: acknowledge, assign, start, answer, resolve, draft-response, ...",
            discussion:
                "Which steps there are now is in `pcs case desk open`. Example: pcs case desk step E1 resolve --closing-reason answered --text '...'"
        )
        @Argument(help: "Id of the case.") var enquiry: String
        @Argument(help: "The step.") var action: Choice<Pcs_Casework_V1_EnquiryAction>
        @Option(help: "The text, @FILE, or - for standard input.") var text: String?
        @Option(help: "assign: account of the handler. Default: oneself.") var handler = ""
        @Option(help: "resolve: reason for closing.") var closingReason = ""
        @Option(help: "mark-duplicate: id of the earlier one.") var duplicateOf = ""
        @Option(help: "Document uploaded before; may be repeated.") var document: [String] = []
        @Option(help: "acknowledge of a complaint: day of the first answer, YYYY-MM-DD.") var firstAnswerOn:
            DayArgument?
        @OptionGroup(title: "Connection") var connection: ConnectionOptions

        func run(_ session: Session) async throws {
            var request = Pcs_Casework_V1_HandleCaseRequest()
            request.enquiryID = enquiry
            request.action = action.value
            request.text = try TextArgument.text(text)
            request.handler = handler
            request.closingReason = closingReason
            request.duplicateOf = duplicateOf
            request.documentIds = document
            if let firstAnswerOn { request.plannedFirstAnswerOn = firstAnswerOn.message }
            try session.show(try await session.desk.handleCase(request, options: session.change()))
        }
    }

    struct Amend: ClientCommand {
        static let configuration = CommandConfiguration(abstract: "Change what a case is about.")
        @Argument(help: "Id of the case.") var enquiry: String
        @Option(help: "Person named in it; may be repeated.") var namedPerson: [String] = []
        @Option(help: "Organisation that is to see it too; may be repeated.") var copyTo: [String] = []
        @Flag(help: "Only for those who must see it.") var restrict = false
        @Option(help: "Route it to the team of this category.") var category = ""
        @Option(help: "Sub-category.") var subCategory = ""
        @Option(help: "Why.") var reason: String
        @OptionGroup(title: "Connection") var connection: ConnectionOptions

        func run(_ session: Session) async throws {
            var request = Pcs_Casework_V1_AmendCaseRequest()
            request.enquiryID = enquiry
            request.addNamedPeople = namedPerson
            request.addCopyTo = copyTo.map { $0.uppercased() }
            request.restrict = restrict
            request.category = category
            request.subCategory = subCategory
            request.reason = reason
            try session.show(try await session.desk.amendCase(request, options: session.change()))
        }
    }

    struct Teams: ClientCommand {
        static let configuration = CommandConfiguration(abstract: "Teams and who is in them.")
        @OptionGroup(title: "Connection") var connection: ConnectionOptions

        func run(_ session: Session) async throws {
            let reply = try await session.desk.listTeams(.init())
            try session.show(reply, rows: reply.teams, nothing: "there are no teams")
        }
    }

    struct Member: ClientCommand {
        static let configuration = CommandConfiguration(
            abstract: "Put a person into a team, or take them out.")
        @Argument(help: "Team.") var team: String
        @Argument(help: "Account id.") var person: String
        @Flag(help: "Take out instead of putting in.") var remove = false
        @OptionGroup(title: "Connection") var connection: ConnectionOptions

        func run(_ session: Session) async throws {
            var request = Pcs_Casework_V1_SetTeamMemberRequest()
            request.team = team
            request.personID = person
            request.remove = remove
            try session.show(try await session.desk.setTeamMember(request, options: session.change()))
        }
    }

    struct Report: ClientCommand {
        static let configuration = CommandConfiguration(
            abstract: "Volumes and breaches by category of what was raised in a period.")
        @Option(help: "First day, YYYY-MM-DD.") var from: DayArgument
        @Option(help: "Last day, YYYY-MM-DD.") var to: DayArgument
        @OptionGroup(title: "Connection") var connection: ConnectionOptions

        func run(_ session: Session) async throws {
            var request = Pcs_Casework_V1_ReportCasesRequest()
            request.from = from.message
            request.to = to.message
            let reply = try await session.desk.reportCases(request)
            try session.show(reply, rows: reply.lines, nothing: "nothing was raised")
        }
    }
}
