import CZlib
import Foundation
import Synchronization

/// A file that is sent in pieces; one that is compressed with gzip is sent decompressed.
package final class UploadFile: Sendable {
    /// Name without folder and without `.gz`.
    package let name: String
    /// Bytes on the disk, compressed or not.
    package let storedBytes: Int64

    private let path: String
    private let handle: Mutex<gzFile?>
    private static let pieceBytes = 512 * 1024

    package init(path: String) throws {
        let attributes = try? FileManager.default.attributesOfItem(atPath: path)
        guard let attributes, attributes[.type] as? FileAttributeType == .typeRegular else {
            throw CommandError(.noInput, "\(path) is not a file that can be read")
        }
        // gzread reads plain files as they are.
        guard let opened = gzopen(path, "rb") else { throw CommandError(.noInput, "\(path) cannot be read") }
        gzbuffer(opened, 128 * 1024)
        self.path = path
        handle = Mutex(opened)
        storedBytes = (attributes[.size] as? NSNumber)?.int64Value ?? 0
        let last = String(path.split(separator: "/").last ?? "")
        name = last.hasSuffix(".gz") ? String(last.dropLast(3)) : last
    }

    deinit { close() }

    /// The next piece, or `nil` at the end.
    package func next() throws -> [UInt8]? {
        try handle.withLock { file in
            guard let opened = file else { return nil }
            var piece = [UInt8](repeating: 0, count: Self.pieceBytes)
            let read = piece.withUnsafeMutableBytes { gzread(opened, $0.baseAddress, UInt32($0.count)) }
            // A gzip file that was cut short gives bytes first and the error at the end.
            var code: Int32 = 0
            let text = gzerror(opened, &code)
            if read < 0 || code < 0 {
                throw CommandError(
                    .data, "\(path) is damaged: \(text.map { String(cString: $0) } ?? "cannot be read")")
            }
            guard read > 0 else {
                gzclose(opened)
                file = nil
                return nil
            }
            piece.removeLast(piece.count - Int(read))
            return piece
        }
    }

    /// How much of the stored bytes has been read, 0 to 1.
    package var fractionRead: Double {
        handle.withLock { file in
            guard let file, storedBytes > 0 else { return 1 }
            return Double(gzoffset(file)) / Double(storedBytes)
        }
    }

    private func close() {
        handle.withLock { file in
            if let opened = file { gzclose(opened) }
            file = nil
        }
    }

    /// The messages of a client-streaming upload: the first made by `first` from the first piece, the others by `rest`.
    /// Read only as fast as they are asked for. A file without content gives one message.
    package func messages<Request: Sendable>(
        progress: ProgressBar, first: @escaping @Sendable ([UInt8]) -> Request,
        rest: @escaping @Sendable ([UInt8]) -> Request
    ) -> AsyncThrowingStream<Request, any Error> {
        let position = Mutex((isFirst: true, sent: 0))
        return AsyncThrowingStream {
            let piece = try self.next()
            let (isFirst, sent) = position.withLock { state in
                defer {
                    state.isFirst = false
                    state.sent += piece?.count ?? 0
                }
                return (state.isFirst, state.sent + (piece?.count ?? 0))
            }
            if piece == nil {
                progress.show(nil, note: "sent \(Wording.bytes(sent)), the host checks it", atOnce: true)
            } else {
                progress.show(self.fractionRead, note: Wording.bytes(sent))
            }
            if isFirst { return first(piece ?? []) }
            return piece.map(rest)
        }
    }
}
