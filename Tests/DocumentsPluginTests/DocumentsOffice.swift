import CaseworkContract
import CommonContract
import Crypto
import DocumentsContract
import DocumentsPlugin
import Foundation
import PluginAPI
import PluginTestKit
import Testing

/// An area that owns records and links documents to them.
struct ClaimsArea: Plugin {
    static let manifest = PluginManifest(
        name: "payments", version: "0.1.0", summary: "Links documents in tests", owners: ["tests"],
        publishes: [Pcs_Documents_V1_DocumentLinked.protoMessageName])
    init(_ context: PluginContext) throws {}
    static var migrations: [Migration] { [] }
    var methods: [BoundMethod] { [] }
}

/// Another area, which speaks for records that are not its own.
struct ForeignArea: Plugin {
    static let manifest = PluginManifest(
        name: "supplies", version: "0.1.0", summary: "Links what is not its own in tests", owners: ["tests"],
        publishes: [Pcs_Documents_V1_DocumentLinked.protoMessageName])
    init(_ context: PluginContext) throws {}
    static var migrations: [Migration] { [] }
    var methods: [BoundMethod] { [] }
}

/// Two practices, their commissioner, a scanner and the people who look after documents, on a test host.
struct DocumentsOffice {
    let host: TestHost
    let fidelity: TestHost.Fidelity
    /// At practice C84101, commissioned by 02Q.
    let practice: TestSubject
    /// At practice B81101.
    let otherPractice: TestSubject
    /// At 02Q.
    let commissioner: TestSubject
    let scanner: TestSubject
    let governor: TestSubject
    let secondGovernor: TestSubject
    let auditor: TestSubject
    let editor: TestSubject
    let secondEditor: TestSubject

    static func with(
        _ fidelity: TestHost.Fidelity = .inProcess, _ body: (DocumentsOffice) async throws -> Void
    ) async throws {
        try await TestHost.with([DocumentsPlugin.self, ClaimsArea.self, ForeignArea.self]) { host in
            try await host.loadOrganisations()
            let office = DocumentsOffice(
                host: host, fidelity: fidelity,
                practice: try await member(host, "petra", Roles.practiceClaimsAdmin, "C84101"),
                otherPractice: try await member(host, "oscar", Roles.practiceClaimsAdmin, "B81101"),
                commissioner: try await member(host, "carla", Roles.commissionerApprover, "02Q"),
                scanner: try await host.client("scanner", roles: [Roles.documentScanner]),
                governor: try await member(host, "gina", Roles.informationGovernance, "PCS"),
                secondGovernor: try await member(host, "gus", Roles.informationGovernance, "PCS"),
                auditor: try await member(host, "abby", Roles.auditor, "PCS"),
                editor: try await member(host, "edith", Roles.referenceDataEditor, "PCS"),
                secondEditor: try await member(host, "fred", Roles.referenceDataEditor, "PCS"))
            try await body(office)
        }
    }

    /// Whoever works at an organisation is a member there.
    private static func member(
        _ host: TestHost, _ id: String, _ role: Role, _ organisation: String
    ) async throws -> TestSubject {
        try await host.person(id, roles: [role], at: organisation)
    }

    func uploads(_ subject: TestSubject? = nil) async throws -> Pcs_Documents_V1_UploadServiceClient {
        Pcs_Documents_V1_UploadServiceClient(try await host.transport(fidelity, as: subject ?? practice))
    }
    func documents(_ subject: TestSubject? = nil) async throws -> Pcs_Documents_V1_DocumentServiceClient {
        Pcs_Documents_V1_DocumentServiceClient(try await host.transport(fidelity, as: subject ?? practice))
    }
    func scans() async throws -> Pcs_Documents_V1_ScanServiceClient {
        Pcs_Documents_V1_ScanServiceClient(try await host.transport(fidelity, as: scanner))
    }
    func retention(_ subject: TestSubject? = nil) async throws -> Pcs_Documents_V1_RetentionServiceClient {
        Pcs_Documents_V1_RetentionServiceClient(try await host.transport(fidelity, as: subject ?? governor))
    }
    func rules(_ subject: TestSubject? = nil) async throws -> Pcs_Documents_V1_DocumentRulesServiceClient {
        Pcs_Documents_V1_DocumentRulesServiceClient(try await host.transport(fidelity, as: subject ?? editor))
    }

    static func sha256(_ bytes: some Sequence<UInt8>) -> String {
        SHA256.hash(data: Array(bytes)).map { String(format: "%02x", $0) }.joined()
    }

    func start(
        _ name: String = "evidence.pdf", _ type: Pcs_Documents_V1_FileType = .pdf, size: Int,
        kind: String = "claim_evidence", record: String = "", as subject: TestSubject? = nil
    ) async throws -> Pcs_Documents_V1_Upload {
        try await uploads(subject).startUpload(
            .with {
                $0.kind = kind
                $0.fileName = name
                $0.fileType = type
                $0.sizeBytes = Int64(size)
                if !record.isEmpty { $0.intendedRecord = Self.claim(record) }
            })
    }

    static func claim(_ id: String) -> Pcs_Common_V1_RecordReference {
        .with {
            $0.area = "payments"
            $0.kind = "claim"
            $0.recordID = id
            $0.organisationCode = "C84101"
        }
    }

    static func chunks(
        _ bytes: [UInt8], of upload: String, from offset: Int = 0, by size: Int = 200_000
    ) -> [Pcs_Documents_V1_AppendChunksRequest] {
        var messages = stride(from: offset, to: bytes.count, by: size).map { start in
            Pcs_Documents_V1_AppendChunksRequest.with {
                if start == offset { ($0.uploadID, $0.offset) = (upload, Int64(offset)) }
                $0.data = Data(bytes[start..<min(start + size, bytes.count)])
            }
        }
        if messages.isEmpty { messages = [.with { ($0.uploadID, $0.offset) = (upload, Int64(offset)) }] }
        return messages
    }

    /// From start to document.
    func upload(
        _ bytes: [UInt8], _ name: String = "evidence.pdf", _ type: Pcs_Documents_V1_FileType = .pdf,
        kind: String = "claim_evidence", confirmed: String = "", as subject: TestSubject? = nil
    ) async throws -> Pcs_Documents_V1_Document {
        let upload = try await start(name, type, size: bytes.count, kind: kind, as: subject)
        _ = try await uploads(subject).appendChunks(Self.chunks(bytes, of: upload.uploadID))
        return try await complete(upload.uploadID, bytes, confirmed: confirmed, as: subject)
    }

    func complete(
        _ upload: String, _ bytes: [UInt8], confirmed: String = "", as subject: TestSubject? = nil
    ) async throws -> Pcs_Documents_V1_Document {
        try await uploads(subject).completeUpload(
            .with {
                $0.uploadID = upload
                $0.sha256 = Self.sha256(bytes)
                $0.patientIdentifiersConfirmed = !confirmed.isEmpty
                $0.confirmationReason = confirmed
            })
    }

    /// The scanner's next turn.
    @discardableResult
    func scan(_ verdict: Pcs_Documents_V1_ScanVerdict = .clean) async throws -> Pcs_Documents_V1_Document {
        let claim = try await scans().claimScan(.init())
        return try await scans().reportScan(
            .with {
                $0.claimID = claim.claimID
                $0.sha256 = claim.sha256
                $0.verdict = verdict
                $0.engine = "engine 1.2, signatures 2026-03-16"
                if verdict == .infected { $0.finding = "Test.Signature" }
            })
    }

    func link(
        _ document: String, to claim: String, from area: String = "payments", until: CalendarDate? = nil,
        _ readers: (Pcs_Access_V1_Role, String)...
    ) async throws {
        let event = Pcs_Documents_V1_DocumentLinked.with {
            $0.documentID = document
            $0.record = Self.claim(claim)
            $0.readers = readers.map { reader in
                .with { ($0.role, $0.organisationCode) = (reader.0, reader.1) }
            }
            if let until { $0.retainUntil = Pcs_Common_V1_Date(until) }
        }
        try await host.store(of: area).write(actor: "test") { try $0.publish(event, key: document) }
        try await host.eventsDelivered()
    }

    func read(_ document: String, from offset: Int64 = 0, as subject: TestSubject? = nil) async throws
        -> [UInt8]
    {
        var bytes: [UInt8] = []
        let stream = try await documents(subject).readDocument(
            .with { ($0.documentID, $0.offset) = (document, offset) })
        for try await chunk in stream { bytes += Array(chunk.data) }
        return bytes
    }
}

/// The refusal that `body` ends with.
func refusal(_ body: () async throws -> Void) async throws -> Failure {
    do {
        try await body()
    } catch let failure as Failure {
        return failure
    }
    Issue.record("nothing was refused")
    throw NothingRefused()
}

struct NothingRefused: Error {}
