import ArgumentParser

struct CompletionsCommand: AsyncParsableCommand {
    enum Shell: String, ExpressibleByArgument, CaseIterable { case bash, zsh, fish }

    static let configuration = CommandConfiguration(
        commandName: "completions", abstract: "Print a completion script for a shell.",
        discussion: "bash: pcs completions bash > /etc/bash_completion.d/pcs")
    @Argument(help: "bash, zsh or fish.") var shell: Shell

    func run() async throws {
        let shell: CompletionShell =
            switch shell {
            case .bash: .bash
            case .zsh: .zsh
            case .fish: .fish
            }
        Console.out(PCSCommandLine.completionScript(for: shell))
    }
}
