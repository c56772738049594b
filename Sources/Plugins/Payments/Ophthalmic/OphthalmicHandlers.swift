import CommonContract
import HostContract
import PaymentsContract
import PluginAPI
import SwiftProtobuf

/// General Ophthalmic Services: contractors, and claims as they come in (payments.md 10.2).
struct OphthalmicHandlers: Pcs_Payments_V1_OphthalmicService {
    let context: PluginContext

    /// Claims of one batch.
    static let mostClaims = 20_000

    func registerContractor(
        _ request: Pcs_Payments_V1_RegisterOphthalmicContractorRequest, _ call: CallContext
    ) async throws -> Pcs_Payments_V1_OphthalmicContractor {
        var fields = RequestFields()
        let code = fields.payee(request.contractorCode, field: "contractor_code")
        let commissioner = fields.payee(request.commissionerCode, field: "commissioner_code")
        let from = fields.date(
            request.effectiveFrom, isSet: request.hasEffectiveFrom, field: "effective_from", mayBeEmpty: false
        )
        if !(1...100).contains(request.name.count) {
            fields.refuse("name", "payments 10.2", "A name has 1 to 100 characters.")
        }
        if request.committeeName.count > 100 {
            fields.refuse("committee_name", "payments 10.2", "A committee's name has at most 100 characters.")
        }
        try fields.finish()
        guard let code, let commissioner, let from else { throw Failure(HostReasons.fieldInvalid) }
        return try await call.commit { transaction in
            try OphthalmicContractorStore.add(
                OphthalmicContractor(
                    code: code, name: request.name, commissioner: commissioner,
                    committee: request.committeeName,
                    from: from), by: call.caller.responsible, in: transaction)
            transaction.audit(
                AuditNote(
                    object: "ophthalmic-contractor/\(code)", organisation: code.value,
                    detail: "\(request.name) from \(from), commissioner \(commissioner)"))
            return .with {
                ($0.contractorCode, $0.name) = (code.value, request.name)
                ($0.commissionerCode, $0.committeeName) = (commissioner.value, request.committeeName)
                $0.effectiveFrom = Pcs_Common_V1_Date(from)
            }
        }
    }

    func submitOphthalmicClaims(
        _ requests: RequestStream<Pcs_Payments_V1_SubmitOphthalmicClaimsRequest>, _ call: CallContext
    ) async throws -> Pcs_Payments_V1_OphthalmicBatch {
        let contractor = try code(requests.first.contractorCode)
        let (rates, known) = try context.store.read { reader in
            (
                try ReferenceStore.rates(knownAt: .max, reader),
                try OphthalmicContractorStore.contractor(contractor, on: call.today, reader)
            )
        }
        guard known != nil else { throw Failure(PaymentsReasons.ophthalmicContractorUnknown) }
        let check = GOSCheck(today: call.today, deadline: ClaimDeadline(rates: rates))
        var incoming: [OphthalmicIntake.Incoming] = []
        for try await request in requests {
            guard request.contractorCode.isEmpty || request.contractorCode == contractor.value else {
                throw Failure.field("contractor_code", "payments 10.2", "A batch is of one contractor.")
            }
            guard incoming.count + request.claims.count <= OphthalmicHandlers.mostClaims else {
                throw Failure(PaymentsReasons.ophthalmicBatchTooLarge)
            }
            for contents in request.claims { incoming.append(try judged(contents, check)) }
        }
        guard !incoming.isEmpty else {
            throw Failure.field("claims", "payments 10.2", "The batch has no claims.")
        }
        let claims = incoming
        return try await call.commit { transaction in
            try take(claims, of: contractor, rates, call, in: transaction)
        }
    }

    func judged(
        _ contents: Pcs_Payments_V1_OphthalmicClaimContents, _ check: GOSCheck
    ) throws -> OphthalmicIntake.Incoming {
        let claim = GOSClaim(contents)
        return OphthalmicIntake.Incoming(
            claim: claim, contents: try contents.serializedBytes(),
            rejections: try refusing { try check.rejections(claim) })
    }

    func take(
        _ claims: [OphthalmicIntake.Incoming], of contractor: ODSCode, _ rates: RateTable,
        _ call: CallContext,
        in transaction: any Transaction
    ) throws -> Pcs_Payments_V1_OphthalmicBatch {
        var intake = try OphthalmicIntake(contractor, rates: rates, in: transaction)
        for claim in claims { try intake.take(claim) }
        let reply = try intake.finish(by: call.caller.responsible)
        transaction.audit(
            AuditNote(
                object: "ophthalmic-batch/\(reply.batchID)", organisation: contractor.value,
                detail: "\(reply.accepted) accepted, \(reply.rejected) rejected, \(reply.known) known"))
        return reply
    }

    // MARK: By hand

    func saveOphthalmicDraft(
        _ request: Pcs_Payments_V1_SaveOphthalmicDraftRequest, _ call: CallContext
    ) async throws -> Pcs_Payments_V1_OphthalmicClaim {
        let contractor = try code(request.contractorCode)
        var contents = request.claim
        // A draft is signed by its own step only.
        contents.clearPatientSignedOn()
        contents.clearPerformerSignedOn()
        contents.clearContractorSignedOn()
        guard (1...40).contains(contents.reference.utf8.count) else {
            throw Failure.field("claim.reference", "GOS19", GOSRejection.referenceTaken.message)
        }
        guard GOSForm(rawValue: UInt8(clamping: contents.form.rawValue)) != nil else {
            throw Failure.field("claim.form", "GOS25", GOSRejection.formUnknown.message)
        }
        let draft = contents
        return try await call.commit { transaction in
            guard try OphthalmicContractorStore.contractor(contractor, on: call.today, transaction) != nil
            else {
                throw Failure(PaymentsReasons.ophthalmicContractorUnknown)
            }
            let stored = try OphthalmicStore.claim(contractor, draft.reference, transaction)
            if let stored { try require([.draft, .signed, .rejected], stored) }
            return try save(draft, .draft, in: contractor, over: stored, transaction)
        }
    }

    func signOphthalmicClaim(
        _ request: Pcs_Payments_V1_SignOphthalmicClaimRequest, _ call: CallContext
    ) async throws -> Pcs_Payments_V1_OphthalmicClaim {
        let contractor = try code(request.contractorCode)
        var fields = RequestFields()
        for (date, isSet, field) in [
            (request.patientSignedOn, request.hasPatientSignedOn, "patient_signed_on"),
            (request.performerSignedOn, request.hasPerformerSignedOn, "performer_signed_on"),
            (request.contractorSignedOn, request.hasContractorSignedOn, "contractor_signed_on"),
        ] {
            let day = fields.date(date, isSet: isSet, field: field)
            if let day, day > call.today {
                fields.refuse(field, "payments 10.2", "It cannot be signed after today.")
            }
        }
        try fields.finish()
        return try await call.commit { transaction in
            let stored = try find(contractor, request.reference, transaction)
            try require([.draft], stored)
            var contents = try Pcs_Payments_V1_OphthalmicClaimContents(serializedBytes: stored.contents)
            if request.hasPatientSignedOn { contents.patientSignedOn = request.patientSignedOn }
            if request.hasPerformerSignedOn { contents.performerSignedOn = request.performerSignedOn }
            if request.hasContractorSignedOn { contents.contractorSignedOn = request.contractorSignedOn }
            let isGrant = GOSForm(rawValue: UInt8(clamping: contents.form.rawValue))?.isGrant == true
            guard contents.hasPerformerSignedOn, contents.hasContractorSignedOn,
                isGrant || contents.hasPatientSignedOn, GOSCheck.isPerformerNumber(contents.performerNumber)
            else {
                throw Failure.field(
                    "performer_signed_on", "payments 10.2",
                    "Patient, performer and contractor sign, and the performer's number is on the claim.")
            }
            return try save(contents, .signed, in: contractor, over: stored, transaction)
        }
    }

    func submitSignedOphthalmicClaim(
        _ request: Pcs_Payments_V1_OphthalmicClaimRequest, _ call: CallContext
    ) async throws -> Pcs_Payments_V1_OphthalmicClaim {
        let contractor = try code(request.contractorCode)
        return try await call.commit { transaction in
            let stored = try find(contractor, request.reference, transaction)
            try require([.signed], stored)
            let rates = try ReferenceStore.rates(knownAt: .max, transaction)
            let check = GOSCheck(today: call.today, deadline: ClaimDeadline(rates: rates))
            let contents = try Pcs_Payments_V1_OphthalmicClaimContents(serializedBytes: stored.contents)
            _ = try take([try judged(contents, check)], of: contractor, rates, call, in: transaction)
            return try message(try find(contractor, request.reference, transaction), transaction)
        }
    }

    private func save(
        _ contents: Pcs_Payments_V1_OphthalmicClaimContents, _ state: OphthalmicStore.State,
        in contractor: ODSCode, over stored: OphthalmicStore.Claim?, _ transaction: any Transaction
    ) throws -> Pcs_Payments_V1_OphthalmicClaim {
        let claim = GOSClaim(contents)
        let record = OphthalmicStore.Claim(
            contractor: contractor, reference: contents.reference, version: (stored?.version ?? 0) + 1,
            state: state,
            person: claim.personKey, performedOn: Int64(claim.performedOn?.daysSince1970 ?? 0),
            form: Int64(claim.form?.rawValue ?? 0), contents: try contents.serializedBytes())
        if let stored {
            try OphthalmicStore.keepPast(stored, in: transaction)
            try OphthalmicStore.update(record, in: transaction)
        } else {
            try OphthalmicStore.add([record], in: transaction)
        }
        note(record, state.name, in: transaction)
        return try message(record, transaction)
    }
}
