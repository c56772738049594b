import CommonContract
import DocumentsContract
import PluginAPI
import SwiftProtobuf

extension Pcs_Documents_V1_FileType {
    init(_ type: FileType) { self = Pcs_Documents_V1_FileType(rawValue: Int(type.rawValue)) ?? .unspecified }
}

extension Pcs_Common_V1_RecordReference {
    init(_ key: RecordKey) {
        self.init()
        area = key.area
        kind = key.kind
        recordID = key.id
        organisationCode = key.organisation
    }
}

extension Pcs_Documents_V1_Upload {
    init(_ upload: UploadRecord) {
        self.init()
        uploadID = upload.id
        state = Pcs_Documents_V1_UploadState(rawValue: Int(upload.state.rawValue)) ?? .unspecified
        kind = upload.kind
        fileName = upload.fileName
        fileType = Pcs_Documents_V1_FileType(upload.type)
        sizeBytes = upload.size
        confirmedOffset = upload.confirmed
        expiresAt = Google_Protobuf_Timestamp(upload.expiresAt)
        documentID = upload.documentID
        refusedBecause = upload.refused
    }
}

extension Pcs_Documents_V1_Reader {
    init(_ reader: ReaderStore.Stored) {
        self.init()
        role = Pcs_Access_V1_Role(rawValue: Int(reader.role)) ?? .unspecified
        organisationCode = reader.organisation
    }
}

extension Pcs_Documents_V1_Document {
    init(_ document: DocumentRecord, _ reader: any PluginAPI.Reader) throws {
        self.init()
        documentID = document.id
        state = Pcs_Documents_V1_DocumentState(rawValue: Int(document.state.rawValue)) ?? .unspecified
        kind = document.kind
        fileName = document.fileName
        fileType = Pcs_Documents_V1_FileType(document.type)
        sizeBytes = document.size
        sha256 = document.sha256
        uploadedBy = document.uploadedBy
        uploadedForOrganisationCode = document.organisation
        uploadedAt = Google_Protobuf_Timestamp(document.uploadedAt)
        scanFinding = document.scanFinding
        patientIdentifiersConfirmed = Int32(document.identifiers)
        confirmationReason = document.confirmation
        onHold = try RetentionStore.isHeld(document.id, reader)
        let lists = try ReaderStore.lists(of: document.id, reader)
        retainUntil = Pcs_Common_V1_Date(lists.first?.retainUntil ?? document.retainByKind)
        if let present = lists.first {
            record = Pcs_Common_V1_RecordReference(present.record)
            readers = present.readers.map { Pcs_Documents_V1_Reader($0) }
        }
        earlierReaders = zip(lists.dropFirst(), lists).map { earlier, next in
            .with {
                $0.record = Pcs_Common_V1_RecordReference(earlier.record)
                $0.readers = earlier.readers.map { Pcs_Documents_V1_Reader($0) }
                $0.from = Google_Protobuf_Timestamp(earlier.from)
                $0.to = Google_Protobuf_Timestamp(next.from)
                $0.statedBy = earlier.statedBy
            }
        }
    }
}
