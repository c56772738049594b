import ArgumentParser
import CommonContract
import DocumentsContract
import Foundation

struct DocumentCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "document",
        abstract: "Evidence files: upload and download, going on after an interruption.",
        subcommands: [Limits.self, Upload.self, Abandon.self, Download.self, Show.self, List.self])

    struct Limits: ClientCommand {
        static let configuration = CommandConfiguration(
            abstract: "What may be uploaded: kinds, sizes, types.")
        @OptionGroup(title: "Connection") var connection: ConnectionOptions

        func run(_ session: Session) async throws {
            let reply = try await session.uploads.getUploadLimits(.init())
            try session.show(reply, rows: reply.kinds, nothing: "nothing may be uploaded")
        }
    }

    struct Upload: ClientCommand {
        static let configuration = CommandConfiguration(
            abstract: "Upload a file; with --resume go on where an earlier upload stopped.",
            discussion: """
                pcs document upload invoice.pdf --kind claim_evidence
                pcs document upload invoice.pdf --resume UPLOAD     after a broken connection
                Text that looks as if it held identifiers of patients is refused until --confirm-identifiers says why it may.
                """)
        @Argument(help: "File.") var file: String
        @Option(help: "Kind of document (pcs document limits).") var kind: String?
        @Option(help: "Id of an upload to go on with.") var resume: String?
        @Option(help: "You have looked, and what looks like identifiers of patients may be there: why.")
        var confirmIdentifiers = ""
        @OptionGroup(title: "Connection") var connection: ConnectionOptions

        func validate() throws {
            if (kind == nil) == (resume == nil) { throw ValidationError("Say one of --kind and --resume.") }
        }

        func run(_ session: Session) async throws {
            let upload = try DocumentUpload(path: file, session)
            let document = try await upload.run(kind: kind, resume: resume, confirmation: confirmIdentifiers)
            try session.show(document)
        }
    }

    struct Abandon: ClientCommand {
        static let configuration = CommandConfiguration(abstract: "Discard an upload and its bytes.")
        @Argument(help: "Id of the upload.") var upload: String
        @OptionGroup(title: "Connection") var connection: ConnectionOptions

        func run(_ session: Session) async throws {
            try session.show(
                try await session.uploads.abandonUpload(
                    .with { $0.uploadID = upload }, options: session.change()))
        }
    }

    struct Download: ClientCommand {
        static let configuration = CommandConfiguration(
            abstract: "Download a document; what an interrupted download left behind is gone on with.",
            discussion:
                "The bytes lie in FILE.part until all are there and their SHA-256 is right. Each read is recorded."
        )
        @Argument(help: "Id of the document.") var document: String
        @Option(help: "File. Default: the document's name, here.") var to: String?
        @OptionGroup(title: "Connection") var connection: ConnectionOptions

        func run(_ session: Session) async throws {
            let known = try await session.documents.getDocument(.with { $0.documentID = document })
            let name = known.fileName.split(separator: "/").last.map(String.init) ?? document
            try await DocumentDownload(document: known, path: to ?? name, session).run()
        }
    }

    struct Show: ClientCommand {
        static let configuration = CommandConfiguration(
            abstract: "What is known of a document, and who may read it.")
        @Argument(help: "Id of the document.") var document: String
        @OptionGroup(title: "Connection") var connection: ConnectionOptions

        func run(_ session: Session) async throws {
            try session.show(try await session.documents.getDocument(.with { $0.documentID = document }))
        }
    }

    struct List: ClientCommand {
        static let configuration = CommandConfiguration(
            abstract: "Documents of one record, oldest first.",
            discussion: "Example: pcs document list casework enquiry 01M829... --organisation A81001")
        @Argument(help: "Area whose record it is.") var area: String
        @Argument(help: "What it is there.") var kind: String
        @Argument(help: "Its id.") var record: String
        @Option(help: "ODS code of the organisation that it is about.") var organisation = ""
        @OptionGroup(title: "Connection") var connection: ConnectionOptions

        func run(_ session: Session) async throws {
            var request = Pcs_Documents_V1_ListDocumentsRequest()
            request.record.area = area
            request.record.kind = kind
            request.record.recordID = record
            request.record.organisationCode = organisation.uppercased()
            let reply = try await session.documents.listDocuments(request)
            try session.show(
                reply, rows: reply.documents,
                columns: [
                    "document_id", "state", "kind", "file_name", "size_bytes", "uploaded_by", "uploaded_at",
                ],
                nothing: "no document")
        }
    }
}
