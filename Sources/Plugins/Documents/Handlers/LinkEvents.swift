import CommonContract
import DocumentsContract
import PluginAPI

/// The areas say which record a document belongs to and who may therefore read it.
enum LinkEvents {
    /// Everybody who may own records.
    static let publishers = [
        "host", "payments", "performers", "registrations", "supplies", "pensions", "cqrs", "casework",
        "changes",
    ]

    static func receive(
        _ event: Pcs_Documents_V1_DocumentLinked, _ envelope: EventEnvelope, _ transaction: any Transaction
    ) throws {
        // Nobody speaks for another area's records, and what names nothing changes nothing.
        guard let document = try DocumentStore.document(event.documentID, transaction),
            event.record.area == envelope.publisher, document.state != .destroyed
        else {
            transaction.audit(
                AuditNote(
                    object: "document/\(event.documentID.prefix(40))",
                    detail: "link from \(envelope.publisher) to a record of \(event.record.area) not taken"))
            return
        }
        let list = ReaderStore.List(
            version: document.version + 1,
            record: RecordKey(
                area: event.record.area, kind: event.record.kind, id: event.record.recordID,
                organisation: event.record.organisationCode),
            readers: event.readers.map {
                ReaderStore.Stored(role: Int64($0.role.rawValue), organisation: $0.organisationCode)
            },
            retainUntil: event.hasRetainUntil ? event.retainUntil.calendarDate : nil,
            statedBy: envelope.publisher,
            from: transaction.now)
        try ReaderStore.add(list, to: document.id, in: transaction)
        transaction.audit(
            AuditNote(
                object: "document/\(document.id)", organisation: document.organisation,
                detail: "readers \(list.version): \(list.readers.count) of "
                    + "\(list.record.area)/\(list.record.kind)/\(list.record.id)"))
    }
}
