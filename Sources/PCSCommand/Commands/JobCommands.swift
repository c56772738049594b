import ArgumentParser
import HostContract

struct JobCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "jobs", abstract: "Work that the host starts by the clock.",
        subcommands: [List.self, Run.self])

    struct List: ClientCommand {
        static let configuration = CommandConfiguration(abstract: "All jobs, with their last outcome.")
        @OptionGroup(title: "Connection") var connection: ConnectionOptions

        func run(_ session: Session) async throws {
            let reply = try await session.jobs.listJobs(.init())
            try session.show(reply) { terminal in
                var table = Table([
                    .left("plugin"), .left("job"), .left("schedule"), .left("last run"), .left("next run"),
                    .left("last outcome", mayShorten: true),
                ])
                for job in reply.jobs {
                    table.add(
                        Table.Cell(job.plugin), Table.Cell(job.name, style: .bold), Table.Cell(job.schedule),
                        Table.Cell(Wording.moment(job.lastRun, isSet: job.hasLastRun)),
                        Table.Cell(Wording.moment(job.nextRun, isSet: job.hasNextRun)),
                        Table.Cell(job.lastOutcome))
                }
                return table.isEmpty ? "no plugin has a job" : table.rendered(for: terminal)
            }
        }
    }

    struct Run: ClientCommand {
        static let configuration = CommandConfiguration(abstract: "Run a job now, beside its schedule.")
        @Argument(help: "Plugin whose job it is.") var plugin: String
        @Argument(help: "Name of the job.") var job: String
        @OptionGroup(title: "Connection") var connection: ConnectionOptions

        func run(_ session: Session) async throws {
            var request = Pcs_Host_V1_RunJobRequest()
            request.plugin = plugin
            request.name = job
            let reply = try await ProgressBar("running \(job)").waiting { [request] in
                try await session.jobs.runJob(request, options: session.change())
            }
            try session.show(reply) { _ in TextSafety.clean(reply.outcome) }
        }
    }
}
