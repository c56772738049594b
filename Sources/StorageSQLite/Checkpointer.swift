import Dispatch
import PluginAPI
import Synchronization

/// Moves the write-ahead log into the database file beside the writer.
///
/// The library would do it inside a commit, and that commit's callers would wait for thousands of pages. Here
/// a connection of its own moves the bulk while the writer goes on. The log can only start again from its
/// beginning when nothing is left to move, and a busy writer always adds to it; so the last few frames are
/// moved by the writer itself, between two groups.
final class Checkpointer: @unchecked Sendable {
    /// Frames (of 4 KiB) in the log that start a checkpoint: 8 MiB.
    private static let threshold = 2_048
    private let path: String
    private let queue: DispatchQueue
    /// Used on `queue` only.
    private var connection: SQLiteConnection?
    private let isScheduled = Atomic<Bool>(false)
    private let isFinishWanted = Atomic<Bool>(false)
    /// Used on the writer's thread only.
    private var nextThreshold = Checkpointer.threshold

    init(path: String, queue: DispatchQueue) {
        self.path = path
        self.queue = queue
    }

    /// Takes over the checkpoints of the writer's connection, which must not outlive this object.
    func watch(_ writer: SQLiteConnection) {
        writer.onCommit(Unmanaged.passUnretained(self).toOpaque()) { context, _, _, frames in
            if let context {
                Unmanaged<Checkpointer>.fromOpaque(context).takeUnretainedValue().logGrew(to: Int(frames))
            }
            return 0
        }
    }

    /// On the writer's thread, after a commit.
    private func logGrew(to frames: Int) {
        if frames < Checkpointer.threshold { nextThreshold = Checkpointer.threshold }
        // A long read can keep the log from shrinking: then try again only after it has grown as much again.
        guard frames >= nextThreshold, !isScheduled.exchange(true, ordering: .relaxed) else { return }
        nextThreshold = frames + Checkpointer.threshold
        queue.async { self.moveBulk() }
    }

    private func moveBulk() {
        defer { isScheduled.store(false, ordering: .relaxed) }
        do {
            let connection = try self.connection ?? openedConnection()
            self.connection = connection
            // A pass moves what was there when it began. The second one has only what was added during the
            // first.
            for _ in 0..<2 where try !connection.checkpoint() { return }
            isFinishWanted.store(true, ordering: .relaxed)
        } catch {
            // Nothing is lost: the log keeps what was not moved, and the next commit past the threshold tries
            // again.
            connection = nil
        }
    }

    private func openedConnection() throws -> SQLiteConnection {
        let connection = try SQLiteConnection(path: path, mode: .writer)
        // The library finds out that there is a log at the first read; before it, a checkpoint does nothing.
        _ = try connection.texts("SELECT count(*) FROM sqlite_schema")
        return connection
    }

    /// On the writer's thread, between two groups.
    func finishIfWanted(on writer: SQLiteConnection) {
        guard isFinishWanted.exchange(false, ordering: .relaxed) else { return }
        _ = try? writer.checkpoint()
    }

    /// Returns when no checkpoint is at work and the connection is closed.
    func close() async {
        await withCheckedContinuation { caller in
            queue.async {
                self.connection?.close()
                self.connection = nil
                caller.resume()
            }
        }
    }
}
