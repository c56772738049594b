import ArgumentParser
import HostContract

struct AuditCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit", abstract: "The record of who did what.", subcommands: [Verify.self, List.self])

    struct Verify: ClientCommand {
        static let configuration = CommandConfiguration(
            abstract: "Walk every chain from its first row and recompute each hash.",
            discussion: "Exit status 0: all chains are whole; 2: one is broken.")
        @OptionGroup(title: "Connection") var connection: ConnectionOptions

        func run(_ session: Session) async throws {
            let reply = try await ProgressBar("verifying").waiting {
                try await session.audit.verifyAudit(.init())
            }
            try session.show(reply) { terminal in
                var table = Table([
                    .left("chain"), .right("entries"), .left("state"), .left("last hash", mayShorten: true),
                ])
                for chain in reply.chains {
                    table.add(
                        Table.Cell(chain.store, style: .bold), Table.Cell(Wording.count(chain.entries)),
                        Table.Cell(
                            chain.whole ? "whole" : "broken at \(chain.brokenAt)",
                            style: chain.whole ? .good : .bad),
                        Table.Cell(chain.lastHash))
                }
                return table.rendered(for: terminal)
            }
            if !reply.whole { throw ExitCode(ExitStatus.unsound.rawValue) }
        }
    }

    struct List: ClientCommand {
        static let configuration = CommandConfiguration(abstract: "Rows of one chain, oldest first.")
        @Argument(help: "\"host\" or the name of a plugin.") var store: String
        @Option(help: "First row wanted.") var from: Int64 = 0
        @Option(help: "At most so many rows.") var limit: Int32 = 100
        @Option(help: "Only this organisation.") var organisation = ""
        @OptionGroup(title: "Connection") var connection: ConnectionOptions

        func run(_ session: Session) async throws {
            var request = Pcs_Host_V1_ListAuditEntriesRequest()
            request.store = store
            request.fromSequence = from
            request.limit = limit
            request.organisationCode = organisation.uppercased()
            let rows = try await session.audit.listAuditEntries(request)
            let table = Table([
                .right("row"), .left("at"), .left("person"), .left("system"), .left("for"), .left("method"),
                .left("object"), .left("outcome"), .left("detail", mayShorten: true),
                .left("correlation id", mayShorten: true),
            ])
            try await session.showEach(rows, table, nothing: "no rows") { row in
                [
                    Table.Cell("\(row.sequence)"), Table.Cell(Wording.moment(row.at, isSet: row.hasAt)),
                    Table.Cell(row.personID), Table.Cell(row.clientID), Table.Cell(row.actingFor),
                    Table.Cell(row.method.split(separator: ".").last.map(String.init) ?? row.method),
                    Table.Cell(row.object),
                    Table.Cell(row.outcome, style: row.outcome == "refused" ? .warning : .plain),
                    Table.Cell(row.detail), Table.Cell(row.correlationID),
                ]
            }
        }
    }
}
