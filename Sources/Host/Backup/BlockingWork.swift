import Dispatch

/// Runs work that waits for the disk for long on a thread of its own, so that it takes none of the few
/// threads that all calls share.
func offThePool<T: Sendable>(_ work: @escaping @Sendable () throws -> T) async throws -> T {
    try await withCheckedThrowingContinuation { caller in
        DispatchQueue.global(qos: .utility).async { caller.resume(with: Result { try work() }) }
    }
}

extension Result where Failure == any Error {
    /// What `body` returns or throws, for when something has to happen in between.
    static func of(_ body: () async throws -> Success) async -> Result {
        do { return .success(try await body()) } catch { return .failure(error) }
    }
}
