import CommonContract
import HostContract
import PaymentsContract
import PluginAPI

// Visits notified before, and claims taken back after.
extension OphthalmicHandlers {
    func notifyVisit(
        _ request: Pcs_Payments_V1_NotifyVisitRequest, _ call: CallContext
    ) async throws -> Pcs_Payments_V1_VisitNotice {
        let contractor = try code(request.contractorCode)
        var fields = RequestFields()
        if !(1...40).contains(request.visitReference.count) {
            fields.refuse("visit_reference", "payments 10.2", "A reference has 1 to 40 characters.")
        }
        if !(3...300).contains(request.address.count) || !(5...8).contains(request.postcode.count) {
            fields.refuse("address", "payments 10.2", "Give address and postcode.")
        }
        let day = fields.date(
            request.visitOn, isSet: request.hasVisitOn, field: "visit_on", mayBeEmpty: false)
        visitFigures(request.startsAtMinute, request.patients, &fields)
        guard let day else { throw Failure(HostReasons.fieldInvalid, violations: fields.violations) }
        let visit = VisitStore.Visit(
            contractor: contractor, reference: request.visitReference, address: request.address,
            postcode: request.postcode, on: day, startsAt: Int64(request.startsAtMinute),
            patients: Int64(request.patients))
        try fields.finish()
        return try await call.commit { transaction in
            guard try OphthalmicContractorStore.contractor(contractor, on: call.today, transaction) != nil
            else {
                throw Failure(PaymentsReasons.ophthalmicContractorUnknown)
            }
            guard try VisitStore.visit(contractor, visit.reference, transaction) == nil else {
                throw Failure(
                    PaymentsReasons.ophthalmicClaimStateWrong,
                    "Visit \(visit.reference) is notified already; change it.")
            }
            try requireNotice(visit, call, transaction)
            try VisitStore.add(
                visit, by: call.caller.responsible, reason: "", isChange: false, in: transaction)
            note(visit, "notified for \(visit.on), \(visit.patients) patients", in: transaction)
            return message(visit)
        }
    }

    func changeVisit(
        _ request: Pcs_Payments_V1_ChangeVisitRequest, _ call: CallContext
    ) async throws -> Pcs_Payments_V1_VisitNotice {
        let contractor = try code(request.contractorCode)
        var fields = RequestFields()
        let day = fields.date(
            request.visitOn, isSet: request.hasVisitOn, field: "visit_on", mayBeEmpty: false)
        visitFigures(request.startsAtMinute, request.patients, &fields)
        fields.reason(request.reason)
        try fields.finish()
        guard let day else { throw Failure(HostReasons.fieldInvalid) }
        return try await call.commit { transaction in
            guard var visit = try VisitStore.visit(contractor, request.visitReference, transaction) else {
                throw Failure(PaymentsReasons.ophthalmicClaimUnknown)
            }
            let most = try refusing {
                try VisitRules(try ReferenceStore.rates(knownAt: .max, transaction), on: visit.on).mostChanges
            }
            guard visit.changes < most, visit.on >= call.today else {
                throw Failure(
                    PaymentsReasons.ophthalmicClaimStateWrong,
                    "A visit changes \(most) times at most, until its day.")
            }
            let isSubstitution =
                visit.on == call.today && day == call.today && Int64(request.patients) <= visit.patients
            let before = visit
            (visit.on, visit.startsAt) = (day, Int64(request.startsAtMinute))
            visit.patients = Int64(request.patients)
            visit.version += 1
            visit.changes += 1
            if isSubstitution { visit.awaitsApproval = true }
            // Fewer people on the same day need no new notice.
            let isSmaller =
                visit.on == before.on && visit.startsAt >= before.startsAt
                && visit.patients <= before.patients
            var fields = RequestFields()
            if try visit.patients < VisitStore.taken(contractor, visit.reference, transaction) {
                fields.refuse("patients", "payments 10.2", "More patients of the visit are claimed already.")
            }
            try fields.finish()
            if !isSmaller { try requireNotice(visit, call, transaction) }
            try VisitStore.add(
                visit, by: call.caller.responsible, reason: request.reason, isChange: true, in: transaction)
            note(
                visit, "changed to \(visit.on), \(visit.patients) patients: \(request.reason)",
                in: transaction)
            return message(visit)
        }
    }

    func approveVisitSubstitution(
        _ request: Pcs_Payments_V1_VisitRequest, _ call: CallContext
    ) async throws -> Pcs_Payments_V1_VisitNotice {
        let contractor = try code(request.contractorCode)
        return try await call.commit { transaction in
            let known = try OphthalmicContractorStore.contractor(contractor, on: call.today, transaction)
            guard known?.commissioner.value == request.commissionerCode,
                var visit = try VisitStore.visit(contractor, request.visitReference, transaction)
            else { throw Failure(PaymentsReasons.ophthalmicClaimUnknown) }
            guard visit.awaitsApproval else {
                throw Failure(
                    PaymentsReasons.ophthalmicClaimStateWrong,
                    "Visit \(visit.reference) waits for no approval.")
            }
            visit.version += 1
            visit.awaitsApproval = false
            try VisitStore.add(
                visit, by: call.caller.responsible, reason: "substitution approved", isChange: false,
                in: transaction)
            note(visit, "substitution approved", in: transaction)
            return message(visit)
        }
    }

    private func visitFigures(_ minute: Int32, _ patients: Int32, _ fields: inout RequestFields) {
        if !(0...1_439).contains(minute) {
            fields.refuse(
                "starts_at_minute", "payments 10.2", "The time is 0 to 1,439 minutes after midnight.")
        }
        if !(1...500).contains(patients) {
            fields.refuse("patients", "payments 10.2", "A visit is to 1 to 500 patients.")
        }
    }

    /// Patients count over all notices for the address and day: two notices of two are four patients.
    private func requireNotice(_ visit: VisitStore.Visit, _ call: CallContext, _ reader: any Reader) throws {
        let rules = try refusing {
            try VisitRules(try ReferenceStore.rates(knownAt: .max, reader), on: visit.on)
        }
        let others = try VisitStore.together(with: visit, reader).filter { $0.reference != visit.reference }
        let patients = others.reduce(visit.patients) { $0 + $1.patients }
        guard !rules.isInTime(visit, patients: patients, at: call.now) else { return }
        throw Failure.field("visit_on", "payments 10.2 PVN", rules.words)
    }

    private func note(_ visit: VisitStore.Visit, _ detail: String, in transaction: any Transaction) {
        transaction.audit(
            AuditNote(
                object: "ophthalmic-visit/\(visit.contractor)/\(visit.reference)",
                organisation: visit.contractor.value, detail: detail))
    }

    private func message(_ visit: VisitStore.Visit) -> Pcs_Payments_V1_VisitNotice {
        .with {
            $0.contractorCode = visit.contractor.value
            ($0.visitReference, $0.postcode) = (visit.reference, visit.postcode)
            $0.visitOn = Pcs_Common_V1_Date(visit.on)
            $0.startsAtMinute = Int32(clamping: visit.startsAt)
            $0.patients = Int32(clamping: visit.patients)
            $0.changes = Int32(clamping: visit.changes)
            $0.awaitsApproval = visit.awaitsApproval
        }
    }

    // MARK: Post-payment verification

    func recoverOphthalmicClaim(
        _ request: Pcs_Payments_V1_RecoverOphthalmicClaimRequest, _ call: CallContext
    ) async throws -> Pcs_Payments_V1_OphthalmicClaim {
        let contractor = try code(request.contractorCode)
        var fields = RequestFields()
        fields.reason(request.reason)
        try fields.finish()
        return try await call.commit { transaction in
            var claim = try find(contractor, request.reference, transaction)
            try require([.accepted], claim)
            guard let taken = claim.seq, try OphthalmicRuns(transaction).run(of: taken) != nil else {
                throw Failure(
                    PaymentsReasons.ophthalmicClaimStateWrong, "Claim \(claim.reference) has not been paid.")
            }
            let actor = call.caller.responsible
            let seq = try InputLog.record(
                .ophthalmic, from: nil, to: nil, by: actor,
                detail: "recovery of \(contractor)/\(claim.reference)",
                in: transaction)
            let contents = try Pcs_Payments_V1_OphthalmicClaimContents(serializedBytes: claim.contents)
            var totals = GOSTotals()
            totals.add(
                GOSEntitlement.of(GOSClaim(contents), place: claim.place).map(\.recovered), count: -1)
            try OphthalmicStore.add(
                OphthalmicStore.Batch(
                    number: try OphthalmicStore.nextBatchNumber(transaction), id: transaction.newIdentifier(),
                    contractor: contractor, seq: seq, accepted: 0, rejected: 0, by: actor, totals: totals),
                in: transaction)
            claim.state = .recovered
            claim.recoveredSeq = seq
            claim.recoveryReason = request.reason
            try OphthalmicStore.update(claim, in: transaction)
            note(claim, "recovered: \(request.reason)", in: transaction)
            return try message(claim, transaction)
        }
    }
}
