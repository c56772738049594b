package import PluginAPI
import Synchronization

/// A plugin's store before, while and after its file is open. A plugin is made before its file is opened, so
/// that its methods are known even when the file cannot be opened; it holds this, and reads and writes go
/// through once the Host has put the open store in.
package final class DeferredStore: Store, Sendable {
    private let inner = Mutex<HostStore?>(nil)

    package init(_ store: HostStore? = nil) { inner.withLock { $0 = store } }

    /// The open store, or `nil`.
    package var opened: HostStore? { inner.withLock { $0 } }

    package func open(_ store: HostStore?) { inner.withLock { $0 = store } }

    /// - Throws: `StorageError.closed` while there is no open store.
    package func current() throws -> HostStore {
        guard let store = opened else { throw StorageError.closed }
        return store
    }

    package func read<T>(_ body: (any Reader) throws -> T) throws -> T { try current().read(body) }

    package func write<T: Sendable>(
        actor: String, _ body: @escaping @Sendable (any Transaction) throws -> T
    ) async throws -> T {
        try await current().write(actor: actor, body)
    }
}
