import ArgumentParser
import HostContract

struct EventCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "events", abstract: "Events between plugins: where they stand, those that failed.",
        subcommands: [List.self, Parked.self, Retry.self])

    struct List: ClientCommand {
        static let configuration = CommandConfiguration(abstract: "Subscriptions, with what waits.")
        @OptionGroup(title: "Connection") var connection: ConnectionOptions

        func run(_ session: Session) async throws {
            let reply = try await session.events.listSubscriptions(.init())
            try session.show(reply) { terminal in
                var table = Table([
                    .left("publisher"), .left("subscriber"), .left("event"), .right("delivered up to"),
                    .right("waiting"),
                    .right("parked"),
                ])
                for row in reply.subscriptions {
                    table.add(
                        Table.Cell(row.publisher), Table.Cell(row.subscriber), Table.Cell(row.eventType),
                        Table.Cell(Wording.count(row.deliveredUpTo)), Table.Cell(Wording.count(row.waiting)),
                        Table.Cell(Wording.count(row.parked), style: row.parked > 0 ? .warning : .plain))
                }
                return table.isEmpty ? "no plugin has subscribed to events" : table.rendered(for: terminal)
            }
        }
    }

    struct Parked: ClientCommand {
        static let configuration = CommandConfiguration(abstract: "Events that could not be delivered.")
        @Option(help: "Only of this plugin.") var subscriber = ""
        @OptionGroup(title: "Connection") var connection: ConnectionOptions

        func run(_ session: Session) async throws {
            var request = Pcs_Host_V1_ListParkedEventsRequest()
            request.subscriber = subscriber
            let reply = try await session.events.listParkedEvents(request)
            try session.show(reply) { terminal in
                var table = Table([
                    .left("subscriber"), .left("publisher"), .right("sequence"), .left("event"), .left("key"),
                    .right("attempts"), .left("parked at"), .left("failure", mayShorten: true),
                ])
                for row in reply.events {
                    table.add(
                        Table.Cell(row.subscriber), Table.Cell(row.publisher), Table.Cell("\(row.sequence)"),
                        Table.Cell(row.eventType), Table.Cell(row.key), Table.Cell("\(row.attempts)"),
                        Table.Cell(Wording.moment(row.parkedAt, isSet: row.hasParkedAt)),
                        Table.Cell(row.failure))
                }
                return table.isEmpty ? "no event is parked" : table.rendered(for: terminal)
            }
        }
    }

    struct Retry: ClientCommand {
        static let configuration = CommandConfiguration(
            abstract: "Try a parked event, and those of its key that wait behind it, again.",
            discussion: "Exit status 0: delivered; 2: it failed again.")
        @Argument(help: "Plugin that should take it.") var subscriber: String
        @Argument(help: "Plugin that published it.") var publisher: String
        @Argument(help: "Its number.") var sequence: Int64
        @OptionGroup(title: "Connection") var connection: ConnectionOptions

        func run(_ session: Session) async throws {
            var request = Pcs_Host_V1_RetryParkedEventRequest()
            request.subscriber = subscriber
            request.publisher = publisher
            request.sequence = sequence
            let reply = try await session.events.retryParkedEvent(request, options: session.change())
            try session.show(reply) { terminal in
                reply.delivered
                    ? terminal.styled("delivered", .good)
                    : terminal.styled("failed again: ", .bad) + TextSafety.clean(reply.failure)
            }
            if !reply.delivered { throw ExitCode(ExitStatus.unsound.rawValue) }
        }
    }
}
