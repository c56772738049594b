import ArgumentParser
import CaseworkContract
import CommonContract

struct CaseCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "case", abstract: "Enquiries and complaints, and mergers and closures of practices.",
        discussion: """
            `enquiry` is for those who raise enquiries, `desk` for PCSE's teams that handle them, `change` for mergers and \
            closures of practices.
            """,
        subcommands: [EnquiryCommand.self, DeskCommand.self, ChangeCommand.self])
}

struct EnquiryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "enquiry", abstract: "Raise an enquiry or a complaint, look at its clocks, answer.",
        subcommands: [Categories.self, Raise.self, List.self, Show.self, Act.self])

    struct Categories: ClientCommand {
        static let configuration = CommandConfiguration(abstract: "Categories, and the reasons for closing.")
        @OptionGroup(title: "Connection") var connection: ConnectionOptions

        func run(_ session: Session) async throws {
            let reply = try await session.enquiries.listCategories(.init())
            try session.show(reply, rows: reply.categories, nothing: "there are no categories")
        }
    }

    struct Raise: ClientCommand {
        static let configuration = CommandConfiguration(
            abstract: "Raise an enquiry, or with --complaint a complaint.",
            discussion:
                """
                Example: pcs case enquiry raise payments --sub-category 'Global sum' --subject 'Global sum of May' \
                --text 'The list size ...'
                """
        )
        @Argument(help: "Category (pcs case enquiry categories).") var category: String
        @Option(help: "Sub-category.") var subCategory = ""
        @Option(help: "5 to 120 characters.") var subject: String
        @Option(help: "The text, @FILE, or - for standard input.") var text: String
        @Option(help: "Document uploaded before; may be repeated.") var document: [String] = []
        @Option(help: "It is urgent, and why.") var urgentBecause = ""
        @Flag(help: "The safety of patients is concerned.") var patientSafety = false
        @Flag(help: "Raise it as a complaint.") var complaint = false
        @Option(help: "Complaints: day of the event, YYYY-MM-DD.") var eventOn: DayArgument?
        @Option(help: "Complaints after more than the time allowed: why.") var lateReason = ""
        @Option(help: "Complaints: account of a person whom it names; may be repeated.") var namedPerson:
            [String] = []
        @Flag(help: "Only for those who must see it.") var restricted = false
        @Option(help: "Organisation that is to see it too; may be repeated.") var copyTo: [String] = []
        @OptionGroup(title: "Connection") var connection: ConnectionOptions

        func run(_ session: Session) async throws {
            var request = Pcs_Casework_V1_RaiseEnquiryRequest()
            request.category = category
            request.subCategory = subCategory
            request.subject = subject
            request.body = try TextArgument.text(text)
            request.documentIds = document
            request.urgent = !urgentBecause.isEmpty
            request.urgencyReason = urgentBecause
            request.patientSafety = patientSafety
            request.complaint = complaint
            if let eventOn { request.eventOn = eventOn.message }
            request.lateReason = lateReason
            request.namedPeople = namedPerson
            request.restricted = restricted
            request.copyTo = copyTo.map { $0.uppercased() }
            try session.show(try await session.enquiries.raiseEnquiry(request, options: session.change()))
        }
    }

    struct List: ClientCommand {
        static let configuration = CommandConfiguration(
            abstract: "Enquiries of the organisation acted for that one may see, newest first.")
        @Flag(help: "Also the closed ones.") var all = false
        @Option(help: "Only of this category.") var category = ""
        @Option(help: "Go on from here (nextPageToken of -o json).") var page = ""
        @OptionGroup(title: "Connection") var connection: ConnectionOptions

        func run(_ session: Session) async throws {
            var request = Pcs_Casework_V1_ListEnquiriesRequest()
            request.includeClosed = all
            request.category = category
            request.pageToken = page
            let reply = try await session.enquiries.listEnquiries(request)
            try session.show(
                reply, rows: reply.enquiries, columns: EnquiryView.columns, nothing: "no enquiry")
            EnquiryView.more(reply.nextPageToken, session)
        }
    }

    struct Show: ClientCommand {
        static let configuration = CommandConfiguration(
            abstract: "One enquiry with its clocks and what was said.")
        @Argument(help: "Id of the enquiry.") var enquiry: String
        @OptionGroup(title: "Connection") var connection: ConnectionOptions

        func run(_ session: Session) async throws {
            var request = Pcs_Casework_V1_GetEnquiryRequest()
            request.enquiryID = enquiry
            try session.show(try await session.enquiries.getEnquiry(request))
        }
    }

    struct Act: ClientCommand {
        static let configuration = CommandConfiguration(
            abstract:
                "A step of the sender: reply, close, reopen, withdraw, make-complaint, go-to-stage2, ...",
            discussion: "Which steps there are now is in `pcs case enquiry show`.")
        @Argument(help: "Id of the enquiry.") var enquiry: String
        @Argument(help: "The step.") var action: Choice<Pcs_Casework_V1_EnquiryAction>
        @Option(help: "The text, @FILE, or - for standard input.") var text: String?
        @Option(help: "Document uploaded before; may be repeated.") var document: [String] = []
        @OptionGroup(title: "Connection") var connection: ConnectionOptions

        func run(_ session: Session) async throws {
            var request = Pcs_Casework_V1_ActOnEnquiryRequest()
            request.enquiryID = enquiry
            request.action = action.value
            request.text = try TextArgument.text(text)
            request.documentIds = document
            try session.show(try await session.enquiries.actOnEnquiry(request, options: session.change()))
        }
    }
}

enum EnquiryView {
    static let columns = [
        "enquiry_id", "kind", "state", "organisation_code", "category", "subject", "urgent", "team",
        "handler",
        "escalation_percent",
    ]

    static func more(_ token: String, _ session: Session) {
        if !token.isEmpty { session.note("there are more: --page \(TextSafety.clean(token))") }
    }
}

/// A longer text: as it stands, of a file, or of standard input.
enum TextArgument {
    static func text(_ argument: String?) throws -> String {
        let bytes = try CallInput(argument: argument).bytes()
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw CommandError(.data, "the text is not UTF-8")
        }
        return text
    }
}
