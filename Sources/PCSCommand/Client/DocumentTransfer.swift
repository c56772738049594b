import Crypto
import DocumentsContract
import Foundation
import PluginAPI

enum FileDigest {
    /// Lower-case hexadecimal.
    static func sha256(_ bytes: some DataProtocol) -> String { hexadecimal(SHA256.hash(data: bytes)) }

    static func hexadecimal(_ digest: SHA256.Digest) -> String {
        digest.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    /// Of a whole file, read in pieces.
    static func sha256(of path: String) throws -> String {
        guard let handle = FileHandle(forReadingAtPath: path) else {
            throw CommandError(.noInput, "\(path) cannot be read")
        }
        var hash = SHA256()
        while let piece = try handle.read(upToCount: 1 << 20), !piece.isEmpty { hash.update(data: piece) }
        return hexadecimal(hash.finalize())
    }
}

/// A file on its way to the host: announced, sent from the confirmed offset on, completed.
struct DocumentUpload {
    private let path: String
    private let size: Int64
    private let session: Session

    private static let types: [String: Pcs_Documents_V1_FileType] = [
        "pdf": .pdf, "png": .png, "jpg": .jpeg, "jpeg": .jpeg, "tif": .tiff, "tiff": .tiff, "txt": .text,
        "csv": .csv, "docx": .docx, "xlsx": .xlsx, "ods": .ods,
    ]

    init(path: String, _ session: Session) throws {
        guard let attributes = try? FileManager.default.attributesOfItem(atPath: path),
            attributes[.type] as? FileAttributeType == .typeRegular
        else { throw CommandError(.noInput, "\(path) is not a file that can be read") }
        self.path = path
        size = (attributes[.size] as? NSNumber)?.int64Value ?? 0
        self.session = session
    }

    func run(kind: String?, resume: String?, confirmation: String) async throws -> Pcs_Documents_V1_Document {
        var upload: Pcs_Documents_V1_Upload
        if let resume {
            upload = try await session.uploads.getUpload(.with { $0.uploadID = resume })
            guard upload.sizeBytes == size else {
                throw CommandError(
                    .data, "\(path) has \(size) bytes; the upload was announced with \(upload.sizeBytes)")
            }
        } else {
            upload = try await start(kind ?? "")
        }
        let most = try await session.uploads.getUploadLimits(.init()).maximumChunkBytes
        do {
            if upload.confirmedOffset < size { upload = try await send(upload, piece: max(1, Int(most))) }
            var request = Pcs_Documents_V1_CompleteUploadRequest()
            request.uploadID = upload.uploadID
            request.sha256 = try FileDigest.sha256(of: path)
            request.patientIdentifiersConfirmed = !confirmation.isEmpty
            request.confirmationReason = confirmation
            return try await session.uploads.completeUpload(request, options: session.change())
        } catch {
            session.note("go on with: pcs document upload \(path) --resume \(upload.uploadID)")
            throw error
        }
    }

    private func start(_ kind: String) async throws -> Pcs_Documents_V1_Upload {
        let name = path.split(separator: "/").last.map(String.init) ?? path
        let ending = name.split(separator: ".").last.map { $0.lowercased() } ?? ""
        guard let type = Self.types[ending] else {
            throw CommandError(
                .usage, "\(name) has no ending of a known type",
                nextStep: "Known are: " + Self.types.keys.sorted().joined(separator: ", "))
        }
        var request = Pcs_Documents_V1_StartUploadRequest()
        request.kind = kind
        request.fileName = name
        request.fileType = type
        request.sizeBytes = size
        return try await session.uploads.startUpload(request, options: session.change())
    }

    private func send(
        _ upload: Pcs_Documents_V1_Upload, piece most: Int
    ) async throws -> Pcs_Documents_V1_Upload {
        guard let handle = FileHandle(forReadingAtPath: path) else {
            throw CommandError(.noInput, "\(path) cannot be read")
        }
        try handle.seek(toOffset: UInt64(upload.confirmedOffset))
        let progress = ProgressBar(upload.fileName)
        defer { progress.finish() }
        let reader = PieceReader(handle: handle, sent: upload.confirmedOffset)
        let (size, uploadID) = (size, upload.uploadID)
        let messages = AsyncThrowingStream<Pcs_Documents_V1_AppendChunksRequest, any Error> {
            let offset = reader.sent
            guard let piece = try reader.next(most) else { return nil }
            progress.show(Double(reader.sent) / Double(max(1, size)), note: Wording.bytes(reader.sent))
            var request = Pcs_Documents_V1_AppendChunksRequest()
            if reader.isFirst() {
                request.uploadID = uploadID
                request.offset = offset
            }
            request.data = piece
            return request
        }
        return try await session.uploads.appendChunks(messages, options: session.change())
    }
}

/// A document on its way here: into `FILE.part` first, from its end on.
struct DocumentDownload {
    private let document: Pcs_Documents_V1_Document
    private let path: String
    private let session: Session

    init(document: Pcs_Documents_V1_Document, path: String, _ session: Session) {
        self.document = document
        self.path = path
        self.session = session
    }

    func run() async throws {
        let part = path + ".part"
        if !FileManager.default.fileExists(atPath: part) { try PrivateFile.write("", to: part) }
        guard let handle = FileHandle(forWritingAtPath: part) else {
            throw CommandError(.noInput, "\(part) cannot be written")
        }
        var offset = Int64(try handle.seekToEnd())
        let progress = ProgressBar(document.fileName)
        defer { progress.finish() }
        if offset < document.sizeBytes {
            var request = Pcs_Documents_V1_ReadDocumentRequest()
            request.documentID = document.documentID
            request.offset = offset
            for try await chunk in try await session.documents.readDocument(request) {
                try handle.write(contentsOf: chunk.data)
                offset += Int64(chunk.data.count)
                progress.show(
                    Double(offset) / Double(max(1, document.sizeBytes)), note: Wording.bytes(offset))
            }
        }
        try handle.synchronize()
        try handle.close()
        guard try FileDigest.sha256(of: part) == document.sha256 else {
            try? FileManager.default.removeItem(atPath: part)
            throw CommandError(
                .unsound, "what came is not the document: its SHA-256 differs", nextStep: "Download it again."
            )
        }
        guard rename(part, path) == 0 else { throw CommandError(.noInput, "\(path) cannot be written") }
        try session.show(document)
        session.note("\(Wording.bytes(document.sizeBytes)) in \(path)")
    }
}
