import ArgumentParser

/// A command that calls a host. Failures are printed here, in the format asked for, and become the exit status.
protocol ClientCommand: AsyncParsableCommand {
    var connection: ConnectionOptions { get }
    /// Whether it is for people who have not logged in: then no key and no session is used.
    var isAnonymous: Bool { get }
    func run(_ session: Session) async throws
}

extension ClientCommand {
    var isAnonymous: Bool { false }

    func run() async throws {
        var format = connection.output ?? .table
        do {
            let settings = try ClientSettings(connection)
            format = settings.output
            let session = try await Session.open(isAnonymous ? settings.anonymous : settings)
            do {
                try await run(session)
            } catch {
                await session.close()
                throw error
            }
            await session.close()
        } catch let exit as ExitCode {
            throw exit
        } catch {
            throw CommandFailures.report(error, format: format)
        }
    }
}

enum CommandFailures {
    /// Prints what went wrong on standard error; the result ends the process with the right status.
    static func report(_ error: any Error, format: OutputFormat = .table) -> ExitCode {
        let report = FailureReport(error)
        switch format {
        case .table: Console.error(report.text(for: .standardError))
        case .json: Console.error(report.json.compact)
        }
        return ExitCode(report.status.rawValue)
    }
}
