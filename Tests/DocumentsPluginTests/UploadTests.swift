import CommonContract
import DocumentsContract
import Foundation
import HostContract
import PluginAPI
import PluginTestKit
import Testing

@Suite("Uploads")
struct UploadTests {
    @Test(
        "a file goes up, is scanned, and comes down the same, at every fidelity",
        arguments: TestHost.Fidelity.allCases)
    func upAndDown(_ fidelity: TestHost.Fidelity) async throws {
        try await DocumentsOffice.with(fidelity) { office in
            let bytes = SampleFiles.pdf(bytes: 700_000)
            let document = try await office.upload(bytes)
            #expect(document.state == .scanning)
            #expect(document.uploadedForOrganisationCode == "C84101")
            #expect(document.retainUntil.calendarDate == CalendarDate(year: 2034, month: 3, day: 16))
            #expect(try await office.scan().state == .clean)
            #expect(try await office.read(document.documentID) == bytes)
            #expect(try await office.read(document.documentID, from: 699_990) == Array(bytes[699_990...]))
        }
    }

    @Test("an upload goes on at the confirmed offset, across a restart of the host")
    func resumption() async throws {
        try await DocumentsOffice.with(.unixSocket) { office in
            let bytes = SampleFiles.pdf(bytes: 900_000)
            let upload = try await office.start(size: bytes.count)
            let first = Array(bytes[..<600_000])
            let half = try await office.uploads().appendChunks(
                DocumentsOffice.chunks(first, of: upload.uploadID))
            #expect(half.confirmedOffset == 600_000)
            try await office.host.restart()
            let found = try await office.uploads().getUpload(.with { $0.uploadID = upload.uploadID })
            #expect(found.confirmedOffset == 600_000)
            let wrong = try await refusal {
                _ = try await office.uploads().appendChunks(
                    DocumentsOffice.chunks(bytes, of: upload.uploadID, from: 500_000))
            }
            #expect(wrong.reason == DocumentsReasons.uploadOffsetWrong)
            #expect(wrong.violations.first?.message == "600000")
            _ = try await office.uploads().appendChunks(
                DocumentsOffice.chunks(bytes, of: upload.uploadID, from: 600_000))
            let document = try await office.complete(upload.uploadID, bytes)
            #expect(try await office.complete(upload.uploadID, bytes).documentID == document.documentID)
            try await office.scan()
            try await office.host.restart()
            #expect(try await office.read(document.documentID) == bytes)
        }
    }

    struct Broken: Error {}

    @Test("what a broken call has left is confirmed, and the upload goes on from there")
    func interrupted() async throws {
        try await DocumentsOffice.with(.tcp) { office in
            let bytes = SampleFiles.pdf(bytes: 800_000)
            let upload = try await office.start(size: bytes.count)
            let messages = DocumentsOffice.chunks(bytes, of: upload.uploadID, by: 100_000)
            let breaking = AsyncThrowingStream<Pcs_Documents_V1_AppendChunksRequest, any Error> {
                continuation in
                for message in messages.prefix(6) { continuation.yield(message) }
                continuation.finish(throwing: Broken())
            }
            await #expect(throws: (any Error).self) { _ = try await office.uploads().appendChunks(breaking) }
            let left = try await office.uploads().getUpload(.with { $0.uploadID = upload.uploadID })
            #expect(left.state == .open)
            #expect((0...600_000).contains(left.confirmedOffset))
            _ = try await office.uploads().appendChunks(
                DocumentsOffice.chunks(bytes, of: upload.uploadID, from: Int(left.confirmedOffset)))
            #expect(try await office.complete(upload.uploadID, bytes).sha256 == DocumentsOffice.sha256(bytes))
        }
    }

    @Test("an upload that nobody completes is discarded after a day, with its bytes")
    func abandoned() async throws {
        try await DocumentsOffice.with { office in
            let upload = try await office.start(size: SampleFiles.pdf.count)
            _ = try await office.uploads().appendChunks(
                DocumentsOffice.chunks(SampleFiles.pdf, of: upload.uploadID))
            try await office.host.advance(days: 1, milliseconds: 1)
            let ended = try await office.uploads().getUpload(.with { $0.uploadID = upload.uploadID })
            #expect(ended.state == .expired)
            let late = try await refusal { _ = try await office.complete(upload.uploadID, SampleFiles.pdf) }
            #expect(late.reason == DocumentsReasons.uploadEnded)
            let left = try office.host.store(of: "documents").read {
                try $0.all(Statement("SELECT position FROM piece")) { $0.integer(0) }
            }
            #expect(left.isEmpty)
        }
    }

    @Test("a file that lies about its type is refused, its bytes are discarded, and the audit chain says so")
    func lies() async throws {
        try await DocumentsOffice.with { office in
            let lies: [([UInt8], String, Pcs_Documents_V1_FileType, Reason)] = [
                (SampleFiles.program, "evidence.pdf", .pdf, DocumentsReasons.fileDangerous),
                (PackedFiles.docx, "evidence.pdf", .pdf, DocumentsReasons.fileTypeUntrue),
                (SampleFiles.pdf, "photo.jpg", .jpeg, DocumentsReasons.fileTypeUntrue),
                (SampleFiles.html, "note.txt", .text, DocumentsReasons.fileDangerous),
                (SampleFiles.svg, "photo.png", .png, DocumentsReasons.fileDangerous),
                (PackedFiles.docxWithMacros, "letter.docx", .docx, DocumentsReasons.fileDangerous),
                (PackedFiles.plainZip, "sheet.xlsx", .xlsx, DocumentsReasons.fileTypeUntrue),
                (PackedFiles.bomb, "sheet.xlsx", .xlsx, DocumentsReasons.fileExpandsTooFar),
                (
                    SampleFiles.pdf(with: "/Encrypt 5 0 R"), "evidence.pdf", .pdf,
                    DocumentsReasons.fileEncrypted
                ),
            ]
            for (bytes, name, type, reason) in lies {
                let upload = try await office.start(name, type, size: bytes.count)
                _ = try await office.uploads().appendChunks(
                    DocumentsOffice.chunks(bytes, of: upload.uploadID))
                let failure = try await refusal { _ = try await office.complete(upload.uploadID, bytes) }
                #expect(failure.reason == reason, "\(name): \(failure)")
                let ended = try await office.uploads().getUpload(.with { $0.uploadID = upload.uploadID })
                #expect(ended.state == .refused)
            }
            let store = try office.host.store(of: "documents")
            let left = try store.read {
                try $0.all(Statement("SELECT 1 FROM piece UNION ALL SELECT 1 FROM document")) {
                    $0.integer(0)
                }
            }
            #expect(left.isEmpty)
            let audited = try store.read {
                try $0.all(Statement("SELECT detail FROM pcs_audit WHERE detail LIKE '%Bytes discarded.'")) {
                    $0.text(0)
                }
            }
            #expect(audited.count == lies.count)
        }
    }

    @Test("name, type, size and number are checked before the first byte")
    func beforeTheFirstByte() async throws {
        try await DocumentsOffice.with { office in
            let wrong = try await refusal {
                _ = try await office.uploads().startUpload(
                    .with { ($0.kind, $0.fileName, $0.fileType) = ("nothing", "../x.exe", .pdf) })
            }
            #expect(wrong.reason == HostReasons.fieldInvalid)
            #expect(Set(wrong.violations.map(\.field)) == ["kind", "file_name", "size_bytes"])
            let ending = try await refusal { _ = try await office.start("evidence.png", .pdf, size: 10) }
            #expect(ending.violations.map(\.rule) == ["DOC10"])
            let large = try await refusal { _ = try await office.start(size: 3_355_444) }
            #expect(large.reason == DocumentsReasons.uploadTooLarge)
            let largest = try await refusal {
                _ = try await office.start(size: 10_485_761, kind: "contract_document")
            }
            #expect(largest.reason == DocumentsReasons.uploadTooLarge)
            let type = try await refusal {
                _ = try await office.start("form.csv", .csv, size: 10, kind: "bank_declaration")
            }
            #expect(type.reason == DocumentsReasons.fileTypeNotAllowed)
            for _ in 0..<10 { _ = try await office.start(size: 10, record: "claim-1") }
            let eleventh = try await refusal { _ = try await office.start(size: 10, record: "claim-1") }
            #expect(eleventh.reason == DocumentsReasons.tooManyDocuments)
            let more = try await office.start(size: 10)
            let over = try await refusal {
                _ = try await office.uploads().appendChunks(
                    DocumentsOffice.chunks(SampleFiles.pdf, of: more.uploadID))
            }
            #expect(over.reason == DocumentsReasons.uploadTooLarge)
            let early = try await refusal { _ = try await office.complete(more.uploadID, SampleFiles.pdf) }
            #expect(early.reason == DocumentsReasons.uploadIncomplete)
        }
    }

    @Test("identifiers of patients need the uploader's confirmation, which is recorded (LOC-6)")
    func patientIdentifiers() async throws {
        try await DocumentsOffice.with { office in
            let bytes = Array("note,number\nseen,943 476 5919\nreference,1234567890\n".utf8)
            let upload = try await office.start("list.csv", .csv, size: bytes.count)
            _ = try await office.uploads().appendChunks(DocumentsOffice.chunks(bytes, of: upload.uploadID))
            let failure = try await refusal { _ = try await office.complete(upload.uploadID, bytes) }
            #expect(failure.reason == DocumentsReasons.patientIdentifiers)
            #expect(failure.violations.map(\.rule) == ["LOC-6"])
            let document = try await office.complete(
                upload.uploadID, bytes, confirmed: "these are order numbers")
            #expect(document.patientIdentifiersConfirmed == 1)
            #expect(document.confirmationReason == "these are order numbers")
        }
    }

    @Test("another organisation does not even find the upload")
    func anotherOrganisation() async throws {
        try await DocumentsOffice.with { office in
            let upload = try await office.start(size: SampleFiles.pdf.count)
            for attempt in 0..<3 {
                let failure = try await refusal {
                    let uploads = try await office.uploads(office.otherPractice)
                    switch attempt {
                    case 0: _ = try await uploads.getUpload(.with { $0.uploadID = upload.uploadID })
                    case 1:
                        _ = try await uploads.appendChunks(
                            DocumentsOffice.chunks(SampleFiles.pdf, of: upload.uploadID))
                    default: _ = try await uploads.abandonUpload(.with { $0.uploadID = upload.uploadID })
                    }
                }
                #expect(failure.reason == HostReasons.notFound)
            }
            #expect(
                try await office.uploads().getUpload(.with { $0.uploadID = upload.uploadID }).state == .open)
        }
    }

    @Test("10 MB up and down over the socket")
    func tenMegabytes() async throws {
        try await DocumentsOffice.with(.unixSocket) { office in
            let bytes = SampleFiles.pdf(bytes: 10_485_760)
            let upload = try await office.start(size: bytes.count, kind: "contract_document")
            let clock = ContinuousClock()
            let messages = DocumentsOffice.chunks(bytes, of: upload.uploadID, by: 500_000)
            let up = try await clock.measure { _ = try await office.uploads().appendChunks(messages) }
            var document = Pcs_Documents_V1_Document()
            let looking = try await clock.measure {
                document = try await office.complete(upload.uploadID, bytes)
            }
            try await office.scan()
            var received: [UInt8] = []
            let down = try await clock.measure { received = try await office.read(document.documentID) }
            #expect(received == bytes)
            print("documents: 10 MiB up \(up), inspected \(looking), down \(down)")
        }
    }
}
