import Digests
import HostContract
import PaymentsContract
import PluginAPI
import SwiftProtobuf

/// Puts the pieces of an uploaded file together.
enum Upload {
    /// Largest file taken.
    static let limit = 32 * 1024 * 1024

    /// - Parameter bytes: the file's bytes in one message.
    static func collect<Request>(
        _ requests: RequestStream<Request>, name: String, bytes: @Sendable (Request) -> [UInt8]
    ) async throws -> UploadedFile {
        guard name.count <= 200 else {
            throw Failure.field("file_name", "UP07", "A file name has at most 200 characters.")
        }
        var content: [UInt8] = []
        for try await request in requests {
            let piece = bytes(request)
            guard content.count + piece.count <= limit else { throw Failure(PaymentsReasons.fileTooLarge) }
            content += piece
        }
        return UploadedFile(name: name, bytes: content, sha256: Digest.hex(Digest.sha256(content)))
    }
}
