import Foundation
import Synchronization

/// Pieces of a file, only as fast as they are asked for.
final class PieceReader: Sendable {
    private struct State: ~Copyable {
        let handle: FileHandle
        var sent: Int64
        var isFirst = true
    }

    private let state: Mutex<State>

    init(handle: sending FileHandle, sent: Int64) { state = Mutex(State(handle: handle, sent: sent)) }

    var sent: Int64 { state.withLock { $0.sent } }

    /// True once.
    func isFirst() -> Bool {
        state.withLock { state in
            defer { state.isFirst = false }
            return state.isFirst
        }
    }

    /// `nil` at the end.
    func next(_ most: Int) throws -> Data? {
        try state.withLock { state in
            guard let piece = try state.handle.read(upToCount: most), !piece.isEmpty else { return nil }
            state.sent += Int64(piece.count)
            return piece
        }
    }
}
