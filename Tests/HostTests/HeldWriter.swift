import Dispatch
import PluginAPI
import Synchronization

/// A writer that stands still inside a body until the test lets it go on, so that a test decides what comes into one
/// group.
final class HeldWriter: Sendable {
    private let gate = DispatchSemaphore(value: 0)
    private let hasBegun = Mutex(false)
    private let body = Mutex<Task<Void, any Error>?>(nil)

    /// Returns when the body has begun: what is written from now on waits behind it.
    static func hold(_ database: any Database) async throws -> HeldWriter {
        let held = HeldWriter()
        let task = Task {
            try await database.write { _ in
                held.hasBegun.withLock { $0 = true }
                held.gate.wait()
            }
        }
        held.body.withLock { $0 = task }
        try await until { held.hasBegun.withLock { $0 } }
        return held
    }

    /// Lets the writer go on, and returns when the body's own write is durable.
    func letGo() async throws {
        gate.signal()
        try await body.withLock { $0 }?.value
    }
}
