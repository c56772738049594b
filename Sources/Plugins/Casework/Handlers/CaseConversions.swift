import CaseworkContract
import CommonContract
import PluginAPI

extension Pcs_Casework_V1_Enquiry {
    init(_ record: CaseRecord) {
        self.init()
        enquiryID = record.id
        kind = record.kind == .complaint ? .complaint : .enquiry
        state = Pcs_Casework_V1_EnquiryState(rawValue: Int(record.state.rawValue)) ?? .unspecified
        organisationCode = record.organisation
        category = record.category
        subCategory = record.subCategory
        subject = record.subject
        body = record.body
        documentIds = record.documents
        urgent = record.isUrgent
        urgencyReason = record.urgencyReason
        patientSafety = record.isPatientSafety
        restricted = record.isRestricted
        raisedBy = record.raisedBy
        raisedAt = .init(record.raisedAt)
        team = record.team
        handler = record.handler
        escalationPercent = Int32(clamping: record.escalatedPercent)
        closingReason = record.closingReason
        duplicateOf = record.duplicateOf
        complaintProposed = record.isComplaintProposed
    }
}

extension Pcs_Casework_V1_EnquiryClocks {
    init(_ clocks: CaseClocks) {
        self.init()
        if let reading = clocks.readings[.acknowledge] {
            acknowledgeBy = .init(reading.due)
            if let at = reading.doneAt { acknowledgedAt = .init(at) }
        }
        if let reading = clocks.readings[.firstAnswer] {
            firstAnswerBy = .init(reading.due)
            if let at = reading.doneAt { firstAnsweredAt = .init(at) }
        }
        if let reading = clocks.readings[.resolve] {
            resolveBy = .init(reading.due)
            usedPercent = Int32(clamping: reading.usedPercent)
            if let at = reading.doneAt { resolvedAt = .init(at) }
        }
        remainingWorkingMinutes = Int64(clocks.remainingMinutes)
        stopped = clocks.isStopped
        if let day = clocks.explainAfter { explainAfter = Pcs_Common_V1_Date(day) }
    }
}

extension Pcs_Casework_V1_EnquiryEntry {
    init(_ entry: CaseEntry) {
        self.init()
        at = .init(entry.at)
        by = entry.by
        action =
            entry.action.flatMap { Pcs_Casework_V1_EnquiryAction(rawValue: Int($0.rawValue)) } ?? .unspecified
        state = Pcs_Casework_V1_EnquiryState(rawValue: Int(entry.state.rawValue)) ?? .unspecified
        text = entry.text
        `internal` = entry.isInternal
        documentIds = entry.documents
    }
}

extension CaseAction {
    init?(_ action: Pcs_Casework_V1_EnquiryAction) { self.init(rawValue: Int64(action.rawValue)) }
}
