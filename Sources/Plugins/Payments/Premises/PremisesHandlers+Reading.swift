import CommonContract
import HostContract
import PaymentsContract
import PluginAPI
import SwiftProtobuf

extension PremisesHandlers {
    func listRents(
        _ request: Pcs_Payments_V1_ListRentsRequest, _ call: CallContext
    ) async throws -> Pcs_Payments_V1_ListRentsResponse {
        var fields = RequestFields()
        let practice = fields.practice(request.practiceCode)
        try fields.finish()
        guard let practice else { throw Failure(HostReasons.fieldInvalid) }
        return try context.store.read { reader in
            let messages = try RentStore.rents(of: practice, reader).map { try message($0, reader) }
            return .with { $0.rents = messages }
        }
    }

    func listRentReviews(
        _ request: Pcs_Payments_V1_ListRentReviewsRequest, _ call: CallContext
    ) async throws -> Pcs_Payments_V1_ListRentReviewsResponse {
        var fields = RequestFields()
        let commissioner = fields.payee(request.commissionerCode, field: "commissioner_code")
        if let commissioner,
            context.organisations.organisation(commissioner, at: call.today)?.kind != .subICBLocation
        {
            fields.refuse("commissioner_code", "6.3", "Name the Sub ICB Location of the practices.")
        }
        let day = fields.date(request.by, isSet: request.hasBy, field: "by") ?? call.today
        try fields.finish()
        guard let commissioner else { throw Failure(HostReasons.fieldInvalid) }
        let practices = Set(context.organisations.practices(commissionedBy: commissioner, at: call.today))
        return try context.store.read { reader in
            let book = RentBook(try RentStore.determinations(knownAt: .max, reader))
            let rates = try ReferenceStore.rates(knownAt: .max, reader)
            let months = try refusing { try rates.whole(.premisesReviewMonths, at: day) }
            let concerned = practices.intersection(book.practices)
            let due = RentReview.due(
                by: day, months: months, book, timelines: try ContractStore.timelines(of: concerned, reader))
            let messages = try due.map {
                try message(try RentStore.withDocuments($0.determination, reader), reader)
            }
            return .with { $0.rents = messages }
        }
    }

    func getGuaranteedUse(
        _ request: Pcs_Payments_V1_GetGuaranteedUseRequest, _ call: CallContext
    ) async throws -> Pcs_Payments_V1_GuaranteedUse {
        var fields = RequestFields()
        let day = fields.date(request.on, isSet: request.hasOn, field: "on") ?? call.today
        if !(1...GuaranteedUseBand.mostPence).contains(request.sumPence) {
            fields.refuse(
                "sum_pence", "6.3", "The sum is above nothing and at most \(Money(pence: GuaranteedUseBand.mostPence)).")
        }
        try fields.finish()
        let bands = try context.store.read { try GuaranteedUseStore.rows(knownAt: .max, $0) }
        guard let found = GuaranteedUseTable(bands).band(for: request.sumPence, on: day) else {
            throw Failure(PaymentsReasons.guaranteedUseMissing, "No table of guaranteed use holds on \(day).")
        }
        return .with {
            $0.years = Int32(clamping: found.band.years)
            ($0.abovePence, $0.upToPence) = (found.abovePence, found.band.upToPence ?? 0)
            $0.leastPercent = Int32(clamping: found.band.leastPercent)
            $0.mostPercent = Int32(clamping: found.band.mostPercent)
            $0.effectiveFrom = Pcs_Common_V1_Date(found.band.from)
            ($0.source, $0.grade, $0.version) = (found.band.source, found.band.grade, found.band.version)
        }
    }

    func message(
        _ rent: RentDetermination, _ reader: any Reader
    ) throws -> Pcs_Payments_V1_RentDetermination {
        let rates = try ReferenceStore.rates(knownAt: .max, reader)
        let months = try? rates.whole(.premisesReviewMonths, at: context.clock.today)
        let due = months.flatMap { rent.reviewDue(months: $0) }
        let end =
            rent.state == .approved
            ? RentBook(try RentStore.determinations(of: rent.practice, reader)).end(of: rent) : nil
        return .with {
            $0.rentID = rent.id
            $0.state = Pcs_Payments_V1_RentState(rawValue: Int(rent.state.rawValue)) ?? .unspecified
            $0.contents = Pcs_Payments_V1_ProposeRentRequest(rent)
            $0.proposedBy = rent.proposedBy
            $0.proposedAt = Google_Protobuf_Timestamp(rent.proposedAt)
            $0.decidedBy = rent.decidedBy
            if let at = rent.decidedAt { $0.decidedAt = Google_Protobuf_Timestamp(at) }
            ($0.decisionReason, $0.version) = (rent.decisionReason, rent.version)
            if let end { $0.effectiveTo = Pcs_Common_V1_Date(end) }
            if let due { $0.reviewDueOn = Pcs_Common_V1_Date(due) }
        }
    }
}

extension Pcs_Payments_V1_ProposeRentRequest {
    init(_ rent: RentDetermination) {
        self.init()
        (practiceCode, annualPence, reason) = (rent.practice.value, rent.annualPence, rent.reason)
        kind = Pcs_Payments_V1_RentKind(rawValue: Int(rent.kind.rawValue)) ?? .unspecified
        if let valuation = rent.valuation {
            valuer = Pcs_Payments_V1_RentValuer(rawValue: Int(valuation.valuer.rawValue)) ?? .unspecified
            (valuerName, lateAcceptanceReason) = (valuation.valuerName, valuation.lateReason)
            determinedOn = Pcs_Common_V1_Date(valuation.on)
            if let day = valuation.acceptedOn { acceptedOn = Pcs_Common_V1_Date(day) }
        }
        effectiveFrom = Pcs_Common_V1_Date(rent.from)
        privateUseHundredths = Int32(clamping: rent.privateUseHundredths)
        evidenceDocumentIds = rent.documents
    }
}
