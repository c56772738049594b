import ArgumentParser
import CaseworkContract
import CommonContract

struct TaskCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "task", abstract: "Tasks of one's roles at the organisation acted for.",
        subcommands: [List.self, Show.self, Assign.self, Settle.self, Watch.self])

    struct List: ClientCommand {
        static let configuration = CommandConfiguration(abstract: "Tasks in order of arrival.")
        @Flag(help: "Also the settled ones.") var all = false
        @Flag(help: "Only overdue ones.") var overdue = false
        @Flag(help: "Only those that one takes care of.") var mine = false
        @Option(help: "Only of this area.") var area = ""
        @Option(help: "Go on from here (nextPageToken of -o json).") var page = ""
        @OptionGroup(title: "Connection") var connection: ConnectionOptions

        func run(_ session: Session) async throws {
            var request = Pcs_Casework_V1_ListTasksRequest()
            request.includeSettled = all
            request.overdueOnly = overdue
            request.assignedToMe = mine
            request.area = area
            request.pageToken = page
            let reply = try await session.tasks.listTasks(request)
            try session.show(
                reply, rows: reply.tasks,
                columns: [
                    "task_id", "area", "title", "role", "organisation_code", "due_on", "state", "overdue",
                    "assigned_to",
                ], nothing: "no task")
            EnquiryView.more(reply.nextPageToken, session)
        }
    }

    struct Show: ClientCommand {
        static let configuration = CommandConfiguration(abstract: "One task with its history.")
        @Argument(help: "Id of the task.") var task: String
        @OptionGroup(title: "Connection") var connection: ConnectionOptions

        func run(_ session: Session) async throws {
            try session.show(try await session.tasks.getTask(.with { $0.taskID = task }))
        }
    }

    struct Assign: ClientCommand {
        static let configuration = CommandConfiguration(
            abstract: "Say who takes care of a task; without a person, nobody any more.")
        @Argument(help: "Id of the task.") var task: String
        @Argument(help: "Account id.") var person: String?
        @OptionGroup(title: "Connection") var connection: ConnectionOptions

        func run(_ session: Session) async throws {
            var request = Pcs_Casework_V1_AssignTaskRequest()
            request.taskID = task
            request.personID = person ?? ""
            try session.show(try await session.tasks.assignTask(request, options: session.change()))
        }
    }

    struct Settle: ClientCommand {
        static let configuration = CommandConfiguration(
            abstract: "End a task by hand with one of its outcomes, where that is allowed.")
        @Argument(help: "Id of the task.") var task: String
        @Argument(help: "One of its outcomes (pcs task show).") var outcome: String
        @Option(help: "Why.") var reason: String
        @OptionGroup(title: "Connection") var connection: ConnectionOptions

        func run(_ session: Session) async throws {
            var request = Pcs_Casework_V1_SettleTaskRequest()
            request.taskID = task
            request.outcome = outcome
            request.reason = reason
            try session.show(try await session.tasks.settleTask(request, options: session.change()))
        }
    }

    struct Watch: ClientCommand {
        static let configuration = CommandConfiguration(
            abstract: "A line for each task, and again whenever one changes; at most ten minutes.")
        @Option(help: "Go on after this position. Default: begin with all open tasks.") var after: Int64 = 0
        @OptionGroup(title: "Connection") var connection: ConnectionOptions

        func run(_ session: Session) async throws {
            var request = Pcs_Casework_V1_WatchTasksRequest()
            request.afterPosition = after
            try await session.follow(try await session.tasks.watchTasks(request)) { change in
                let task = change.task
                return "\(change.position)  \(task.taskID)  \(EnumWords.words(task.state))  "
                    + "due \(Wording.day(task.dueOn))  \(task.title)"
            }
        }
    }
}

struct MessageCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "message",
        abstract: "Messages to one's roles at the organisation acted for, and to oneself.",
        subcommands: [List.self, Show.self, Read.self, Watch.self])

    struct List: ClientCommand {
        static let configuration = CommandConfiguration(abstract: "Messages, newest first.")
        @Flag(help: "Only those not read.") var unread = false
        @Option(help: "Go on from here (nextPageToken of -o json).") var page = ""
        @OptionGroup(title: "Connection") var connection: ConnectionOptions

        func run(_ session: Session) async throws {
            var request = Pcs_Casework_V1_ListMessagesRequest()
            request.unreadOnly = unread
            request.pageToken = page
            let reply = try await session.messages.listMessages(request)
            try session.show(
                reply, rows: reply.messages,
                columns: [
                    "message_id", "posted_at", "area", "role", "organisation_code", "title", "class", "read",
                ],
                nothing: "no message")
            EnquiryView.more(reply.nextPageToken, session)
        }
    }

    struct Show: ClientCommand {
        static let configuration = CommandConfiguration(abstract: "One message with its read receipts.")
        @Argument(help: "Id of the message.") var message: String
        @OptionGroup(title: "Connection") var connection: ConnectionOptions

        func run(_ session: Session) async throws {
            try session.show(try await session.messages.getMessage(.with { $0.messageID = message }))
        }
    }

    struct Read: ClientCommand {
        static let configuration = CommandConfiguration(abstract: "Record that one has read a message.")
        @Argument(help: "Id of the message.") var message: String
        @OptionGroup(title: "Connection") var connection: ConnectionOptions

        func run(_ session: Session) async throws {
            try session.show(
                try await session.messages.markRead(
                    .with { $0.messageID = message }, options: session.change()))
        }
    }

    struct Watch: ClientCommand {
        static let configuration = CommandConfiguration(
            abstract: "A line for each message as it arrives; at most ten minutes.")
        @Option(help: "Go on after this position. Default: from now on.") var after: Int64 = 0
        @OptionGroup(title: "Connection") var connection: ConnectionOptions

        func run(_ session: Session) async throws {
            var request = Pcs_Casework_V1_WatchMessagesRequest()
            request.afterPosition = after
            try await session.follow(try await session.messages.watchMessages(request)) { arrival in
                "\(arrival.position)  \(arrival.message.messageID)  \(arrival.message.title)"
            }
        }
    }
}

struct ArticleCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "article", abstract: "How can we help? Short articles, and the search over them.",
        subcommands: [Search.self, Show.self, Helped.self])

    struct Search: ClientCommand {
        static let configuration = CommandConfiguration(
            abstract: "The five articles that answer best.",
            discussion: "Example: pcs article search 'when is the global sum paid'")
        @Argument(help: "1 to 200 characters.") var text: String
        @Flag(help: "Also articles for other organisations and roles.") var all = false
        @OptionGroup(title: "Connection") var connection: ConnectionOptions

        func run(_ session: Session) async throws {
            var request = Pcs_Casework_V1_SearchArticlesRequest()
            request.text = text
            request.allAudiences = all
            let reply = try await session.articles.searchArticles(request, options: session.change())
            try session.show(
                reply, rows: reply.answers, columns: ["article_id", "title", "extract", "expired"],
                nothing: "no article answers that; ask with: pcs case enquiry raise")
            session.note("search \(reply.searchID)")
        }
    }

    struct Show: ClientCommand {
        static let configuration = CommandConfiguration(abstract: "One article.")
        @Argument(help: "Id of the article.") var article: String
        @OptionGroup(title: "Connection") var connection: ConnectionOptions

        func run(_ session: Session) async throws {
            try session.show(try await session.articles.getArticle(.with { $0.articleID = article }))
        }
    }

    struct Helped: ClientCommand {
        static let configuration = CommandConfiguration(
            abstract: "Say which article of a search helped; without one, none.")
        @Argument(help: "Id of the search.") var search: String
        @Argument(help: "Id of the article that helped.") var article: String?
        @OptionGroup(title: "Connection") var connection: ConnectionOptions

        func run(_ session: Session) async throws {
            var request = Pcs_Casework_V1_RecordHelpedRequest()
            request.searchID = search
            request.helped = article != nil
            request.articleID = article ?? ""
            _ = try await session.articles.recordHelped(request, options: session.change())
            session.note("thank you")
        }
    }
}
