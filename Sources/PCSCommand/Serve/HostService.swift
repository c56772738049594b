package import Host
import ServiceLifecycle

/// A host under the service lifecycle: serves until it is told to stop, then lets calls in flight end.
package struct HostService: Service {
    /// What the process does once the host serves.
    package enum Afterwards: Sendable { case goOnServing, stop }

    private let process: HostProcess
    private let graceMilliseconds: Int
    private let whenServing: @Sendable (HostProcess) async throws -> Afterwards

    /// - Parameter whenServing: runs once the host serves; cancelled when the process is told to stop.
    package init(
        _ process: HostProcess, graceMilliseconds: Int,
        whenServing: @escaping @Sendable (HostProcess) async throws -> Afterwards
    ) {
        self.process = process
        self.graceMilliseconds = graceMilliseconds
        self.whenServing = whenServing
    }

    package func run() async throws {
        try await process.start()
        do {
            let afterwards = try await cancelWhenGracefulShutdown { [process, whenServing] in
                try await whenServing(process)
            }
            if afterwards == .goOnServing { try await gracefulShutdown() }
        } catch {
            await process.stop(graceMilliseconds: graceMilliseconds)
            // Told to stop in the middle of its work: that is no failure.
            if Task.isShuttingDownGracefully { return }
            throw error
        }
        await process.stop(graceMilliseconds: graceMilliseconds)
    }
}
