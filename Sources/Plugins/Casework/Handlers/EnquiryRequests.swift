import CaseworkContract
import CommonContract
import HostContract
import PluginAPI
import SwiftProtobuf

/// Enquiries that people raise through another area, about one of its records.
struct EnquiryRequests: Sendable {
    let book: CaseBook

    func receive(
        _ event: Pcs_Casework_V1_EnquiryRequested, from area: String, in transaction: any Transaction
    ) throws {
        guard try EnquiryStore.find(event.enquiryID, transaction) == nil else { return }
        let category = try check(event)
        var record = CaseRecord(
            id: event.enquiryID, kind: .enquiry, organisation: event.organisationCode,
            category: category.category,
            subCategory: event.subCategory, subject: event.subject, body: event.body,
            raisedBy: event.personID,
            raisedAt: transaction.now, clockFrom: transaction.now, team: category.team,
            resolveBy: transaction.now)
        if event.hasRaisedAt {
            // The clocks began when the person asked, not when the event came.
            record.raisedAt = Swift.min(Instant(event.raisedAt), transaction.now)
            record.clockFrom = record.raisedAt
        }
        try book.save(&record, in: transaction)
        for pointer in event.records.map({ RecordPointer($0) }) {
            try EnquiryStore.link(pointer, to: record.id, in: transaction)
        }
        for code in event.copyTo where code != record.organisation {
            try EnquiryStore.copy(record.id, to: code, in: transaction)
        }
        transaction.audit(
            AuditNote(
                object: "enquiry/\(record.id)", organisation: record.organisation,
                detail: "raised through \(area), category \(record.category)"))
        try book.tellAreas(record, in: transaction)
    }

    /// The same bounds as when it is raised here; what breaks them is parked for an operator.
    private func check(_ event: Pcs_Casework_V1_EnquiryRequested) throws -> CategoryRow {
        func require(_ isSound: Bool, _ message: String) throws {
            if !isSound {
                throw TaskBook.UnsoundRequest(
                    description: "enquiry \(event.enquiryID.prefix(100)): \(message)")
            }
        }
        try require((1...100).contains(event.enquiryID.utf8.count), "the identifier has 1 to 100 bytes")
        try require(!event.personID.isEmpty, "it names no person")
        try require(ODSCode(event.organisationCode) != nil, "it names no organisation")
        try require((5...120).contains(event.subject.count), "the subject has 5 to 120 characters")
        try require((1...4_000).contains(event.body.count), "the body has 1 to 4,000 characters")
        try require(event.records.count <= 20, "it has at most 20 records")
        try require(
            event.copyTo.count <= 5 && event.copyTo.allSatisfy { ODSCode($0) != nil },
            "it is copied to at most five organisations")
        let category = book.reference.categories(on: book.context.clock.today)
            .first { $0.category == event.category }
        guard let category, category.subCategories.contains(event.subCategory) else {
            throw TaskBook.UnsoundRequest(
                description:
                    "enquiry \(event.enquiryID): there is no category \(event.category), \(event.subCategory)"
            )
        }
        return category
    }
}

extension CaseBook {
    /// Areas whose records the case is about hear of each state, and of the clock.
    func tellAreas(_ record: CaseRecord, in transaction: any Transaction) throws {
        guard try !EnquiryStore.records(of: record.id, transaction).isEmpty else { return }
        try transaction.publish(
            Pcs_Casework_V1_EnquiryProgressed.with {
                $0.enquiryID = record.id
                $0.state = record.state.words
                $0.resolveBy = .init(record.resolveBy)
                $0.ended = record.state.isAnswered
                $0.at = .init(transaction.now)
            }, key: record.id)
    }
}

extension CaseState {
    /// `in progress`
    fileprivate var words: String {
        name.reduce(into: "") { words, letter in
            words += letter.isUppercase ? " " + letter.lowercased() : String(letter)
        }
    }
}
