import CommonContract
import HostContract
import PluginAPI

extension RequestFields {
    mutating func text(_ text: String, _ field: String, _ range: ClosedRange<Int>, _ rule: String) {
        if !range.contains(text.count) || text.trimmingSpaces.count < min(1, range.lowerBound) {
            refuse(field, rule, "\(field) has \(range.lowerBound) to \(range.upperBound) characters.")
        }
    }

    mutating func documents(_ ids: [String], _ field: String = "document_ids") {
        if ids.count > 10 { refuse(field, "14.1", "At most 10 documents.") }
        if ids.contains(where: { !(1...64).contains($0.utf8.count) || $0.contains(where: \.isWhitespace) }) {
            refuse(field, "14.1", "A document is named by its identifier.")
        }
    }

    mutating func organisations(_ codes: [String], _ field: String) {
        if codes.count > 5 { refuse(field, "14.1", "At most 5 organisations.") }
        for code in codes where ODSCode(code) == nil {
            refuse(field, "ODS code", "\(code.prefix(20)) is no ODS code: 3 to 12 of A-Z and 0-9.")
        }
    }

    mutating func people(_ ids: [String], _ field: String) {
        if ids.count > 20 { refuse(field, "14.2", "At most 20 people.") }
        if ids.contains(where: { !(1...64).contains($0.utf8.count) }) {
            refuse(field, "14.2", "A person is named by their account.")
        }
    }

    mutating func records(_ records: [Pcs_Common_V1_RecordReference], _ field: String) -> [RecordPointer] {
        if records.count > 20 { refuse(field, "14.1", "At most 20 records.") }
        return records.prefix(20).map { record in
            let pointer = RecordPointer(record)
            if !pointer.isSound { refuse(field, "14.1", "A record is named by area, kind and identifier.") }
            return pointer
        }
    }

    mutating func day(_ date: Pcs_Common_V1_Date, isSet: Bool, _ field: String, mayBeEmpty: Bool = false)
        -> CalendarDate?
    {
        guard isSet, date != Pcs_Common_V1_Date() else {
            if !mayBeEmpty { refuse(field, "day", "\(field) is needed.") }
            return nil
        }
        guard let day = date.calendarDate, (1990...2100).contains(day.year) else {
            refuse(field, "day", "\(field) is no day from 1990 to 2100.")
            return nil
        }
        return day
    }

    /// Rows of a page, 1 to 200; 0 = 50.
    mutating func pageSize(_ size: Int32, most: Int = 200, usual: Int = 50) -> Int {
        if size == 0 { return usual }
        if !(1...most).contains(Int(size)) { refuse("page_size", "page", "page_size is 1 to \(most).") }
        return Int(size)
    }
}

extension RecordPointer {
    init(_ record: Pcs_Common_V1_RecordReference) {
        self.init(
            area: record.area, kind: record.kind, id: record.recordID, organisation: record.organisationCode)
    }

    /// Named in full, in words of bearable length.
    var isSound: Bool {
        [area, kind, id].allSatisfy { (1...120).contains($0.utf8.count) } && organisation.utf8.count <= 12
    }

    var message: Pcs_Common_V1_RecordReference {
        .with {
            $0.area = area
            $0.kind = kind
            $0.recordID = id
            $0.organisationCode = organisation
        }
    }
}
