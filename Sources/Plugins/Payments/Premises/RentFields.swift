import CommonContract
import HostContract
import PaymentsContract
import PluginAPI

/// A determination as it was proposed, read into typed values, with everything that is wrong.
struct RentFields {
    var fields = RequestFields()
    let today: CalendarDate
    let rates: RateTable

    private static let rule = "6.3"
    static let mostPence: Int64 = 1_000_000_000
    private static let mostDocuments = 10

    private mutating func refuse(_ field: String, _ message: String) {
        fields.refuse(field, Self.rule, message)
    }

    mutating func determination(
        _ request: Pcs_Payments_V1_ProposeRentRequest, id: String, by actor: String, at now: Instant,
        _ reader: any Reader
    ) throws -> RentDetermination? {
        let practice = fields.practice(request.practiceCode)
        let kind = RentDetermination.Kind(rawValue: Int64(request.kind.rawValue))
        if kind == nil { refuse("kind", "Say whether it is a notional rent or a market rent.") }
        if !(0...Self.mostPence).contains(request.annualPence) {
            refuse("annual_pence", "A rent is from nothing to \(Money(pence: Self.mostPence)) pounds a year.")
        }
        let from = fields.date(
            request.effectiveFrom, isSet: request.hasEffectiveFrom, field: "effective_from", mayBeEmpty: false)
        if let from { checkFirstDay(from) }
        if let practice, let from { try checkContract(practice, from, reader) }
        fields.reason(request.reason)
        let ends = request.annualPence == 0
        let valuation = ends ? nil : try valuation(request, kind)
        if ends { checkEnd(request) }
        guard let practice, let kind, let from else { return nil }
        return RentDetermination(
            id: id, practice: practice, kind: kind, annualPence: request.annualPence, valuation: valuation,
            from: from, privateUseHundredths: Int64(request.privateUseHundredths),
            documents: request.evidenceDocumentIds, reason: request.reason, proposedBy: actor, proposedAt: now)
    }

    private mutating func checkFirstDay(_ from: CalendarDate) {
        let earliest = YearMonth(containing: today).adding(months: -RunInputs.retroMonths).firstDay
        if from < earliest { refuse("effective_from", "Corrections reach back six years, to \(earliest).") }
        if from > today.adding(days: 366) { refuse("effective_from", "The day lies more than a year ahead.") }
    }

    private mutating func checkContract(
        _ practice: ODSCode, _ from: CalendarDate, _ reader: any Reader
    ) throws {
        let spans = try ContractStore.timeline(of: practice, knownAt: .max, reader).spans
        if !spans.contains(where: { $0.to.map { $0 > from } ?? true }) {
            refuse("practice_code", "\(practice) has no contract on \(from) or later.")
        }
    }

    private mutating func valuation(
        _ request: Pcs_Payments_V1_ProposeRentRequest, _ kind: RentDetermination.Kind?
    ) throws -> RentDetermination.Valuation? {
        let valuer = RentDetermination.Valuer(rawValue: Int64(request.valuer.rawValue))
        if valuer == nil { refuse("valuer", "The District Valuer or an appointed surveyor values a rent.") }
        if !(3...100).contains(request.valuerName.count) {
            refuse("valuer_name", "Name the valuer in 3 to 100 characters.")
        }
        let determined = fields.date(
            request.determinedOn, isSet: request.hasDeterminedOn, field: "determined_on", mayBeEmpty: false)
        if let determined, determined > today { refuse("determined_on", "The day lies ahead.") }
        let accepted = fields.date(
            request.acceptedOn, isSet: request.hasAcceptedOn, field: "accepted_on",
            mayBeEmpty: kind != .notional)
        if !(0...10_000).contains(request.privateUseHundredths) {
            refuse("private_use_hundredths", "Private use is 0 to 10,000 hundredths of a percent.")
        }
        let documents = request.evidenceDocumentIds
        let areNamed = documents.allSatisfy { (1...60).contains($0.count) }
        if !(1...Self.mostDocuments).contains(documents.count) || !areNamed {
            refuse("evidence_document_ids", "One to ten documents are needed.")
        }
        fields.reason(request.lateAcceptanceReason, field: "late_acceptance_reason", mayBeEmpty: true)
        if let determined, let accepted {
            try checkAcceptance(determined, accepted, isExcused: !request.lateAcceptanceReason.isEmpty)
        }
        guard let valuer, let determined else { return nil }
        return .init(
            valuer: valuer, valuerName: request.valuerName, on: determined, acceptedOn: accepted,
            lateReason: request.lateAcceptanceReason)
    }

    /// So many weeks from the determination, else it is refused unless the commissioner says why it is not.
    private mutating func checkAcceptance(
        _ determined: CalendarDate, _ accepted: CalendarDate, isExcused: Bool
    ) throws {
        if accepted < determined || accepted > today {
            refuse("accepted_on", "A practice accepts on or after the determination, and not ahead of today.")
            return
        }
        let weeks = try refusing { try rates.whole(.premisesAcceptanceWeeks, at: determined) }
        let last = determined.adding(days: Int(weeks) * 7)
        if accepted > last, !isExcused {
            refuse(
                "accepted_on",
                "A practice accepts within \(weeks) weeks of the determination, by \(last); give a reason to take it later.")
        }
    }

    /// A rent that ends has nothing to value.
    private mutating func checkEnd(_ request: Pcs_Payments_V1_ProposeRentRequest) {
        let isBare =
            request.valuer == .unspecified && request.valuerName.isEmpty && !request.hasDeterminedOn
            && !request.hasAcceptedOn && request.lateAcceptanceReason.isEmpty
            && request.privateUseHundredths == 0 && request.evidenceDocumentIds.isEmpty
        if !isBare {
            refuse("annual_pence", "A rent of nothing ends it: then valuer, days and evidence stay empty.")
        }
    }
}
