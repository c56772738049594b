import ArgumentParser
import HostContract
import PluginAPI

struct HealthCommand: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "health", abstract: "Whether the host serves, and what a person should look at.",
        discussion: "Exit status 0: it serves and no plugin has failed; 2 otherwise.")
    @Flag(help: "Only whether it serves: needs no identity.") var quick = false
    @OptionGroup(title: "Connection") var connection: ConnectionOptions

    func run(_ session: Session) async throws {
        let check = try await session.health.check(.init())
        if quick {
            try session.show(check) {
                $0.styled(check.serving ? "serving" : "not serving", check.serving ? .good : .bad)
            }
            if !check.serving { throw ExitCode(ExitStatus.unsound.rawValue) }
            return
        }
        let status = try await session.health.getStatus(.init())
        try session.show(status) { HealthView.text(status, serving: check.serving, for: $0) }
        if !check.serving || status.plugins.contains(where: { $0.state == .failed }) {
            throw ExitCode(ExitStatus.unsound.rawValue)
        }
    }
}
