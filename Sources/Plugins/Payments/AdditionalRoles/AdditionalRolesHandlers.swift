import CommonContract
import HostContract
import PaymentsContract
import PluginAPI
import SwiftProtobuf

/// Claims for additional roles (payments.md 8.2): the network's side.
struct AdditionalRolesHandlers: Pcs_Payments_V1_AdditionalRolesService {
    let context: PluginContext

    func draftClaim(
        _ request: Pcs_Payments_V1_DraftAdditionalRolesClaimRequest, _ call: CallContext
    ) async throws -> Pcs_Payments_V1_AdditionalRolesClaim {
        try await call.commit { transaction in
            var fields = RequestFields()
            let (network, month) = try claimed(
                request.pcnCode, request.month, call.today, &fields, transaction)
            let check = try check(network, month, transaction)
            let rows = try fields.claimedRoles(request.rows, check)
            try fields.finish()
            let claim = try keep(
                rows, of: network, month, claimID: request.claimID, file: nil, by: call.caller.responsible,
                in: transaction)
            return try message(claim, transaction)
        }
    }

    func uploadClaim(
        _ requests: RequestStream<Pcs_Payments_V1_UploadAdditionalRolesClaimRequest>, _ call: CallContext
    ) async throws -> Pcs_Payments_V1_AdditionalRolesClaim {
        let first = requests.first
        let file = try await Upload.collect(requests, name: first.fileName) { Array($0.data) }
        return try await call.commit { transaction in
            var fields = RequestFields()
            let (network, month) = try claimed(first.pcnCode, first.month, call.today, &fields, transaction)
            try fields.finish()
            if let known = try standing(on: file, of: network, month, claimID: first.claimID, transaction) {
                var reply = try message(known, transaction)
                reply.alreadyLoaded = true
                return reply
            }
            let check = try check(network, month, transaction)
            let (rows, violations) = try AdditionalRolesFile.read(file.bytes, check)
            guard violations.isEmpty else { throw Failure.file(violations) }
            let claim = try keep(
                rows, of: network, month, claimID: first.claimID, file: file, by: call.caller.responsible,
                in: transaction)
            return try message(claim, transaction)
        }
    }

    func submitClaim(
        _ request: Pcs_Payments_V1_AdditionalRolesStepRequest, _ call: CallContext
    ) async throws -> Pcs_Payments_V1_AdditionalRolesClaim {
        try await call.commit { transaction in
            var claim = try find(request.claimID, of: request.pcnCode, transaction)
            let next = try step(.submit, claim)
            try require(request.version, claim)
            try requireOtherThanPreparers(
                of: claim, step: "submitting a claim that one has prepared", call, transaction)
            var fields = RequestFields()
            try checkMonth(claim.month, call.today, &fields, transaction)
            try recheck(claim, &fields, transaction)
            try fields.finish()
            claim.stage = next
            (claim.submittedBy, claim.submittedAt) = (call.caller.responsible, transaction.now)
            (claim.reviewedBy, claim.reason) = ("", "")
            try AdditionalRolesStore.save(
                claim, step: "submitted", by: claim.submittedBy, detail: "version \(claim.version)",
                in: transaction)
            try notices(claim).submitted(in: transaction)
            note(
                claim, "submitted version \(claim.version): \(Money(pence: claim.claimedPence))",
                in: transaction)
            return try message(claim, transaction)
        }
    }

    func withdrawClaim(
        _ request: Pcs_Payments_V1_AdditionalRolesStepRequest, _ call: CallContext
    ) async throws -> Pcs_Payments_V1_AdditionalRolesClaim {
        var fields = RequestFields()
        fields.reason(request.reason)
        try fields.finish()
        return try await call.commit { transaction in
            var claim = try find(request.claimID, of: request.pcnCode, transaction)
            let (before, next) = (claim.stage, try step(.withdraw, claim))
            try require(request.version, claim)
            let actor = call.caller.responsible
            (claim.stage, claim.reason) = (next, request.reason)
            try AdditionalRolesStore.save(
                claim, step: "withdrawn", by: actor, detail: request.reason, in: transaction)
            try notices(claim).left(before, outcome: "withdrawn", by: actor, in: transaction)
            note(claim, "withdrawn: \(request.reason)", in: transaction)
            return try message(claim, transaction)
        }
    }

    // MARK: Drafting

    /// Network and month of a claim. A month that cannot be claimed is refused with the rows.
    private func claimed(
        _ code: String, _ month: Pcs_Common_V1_Month, _ today: CalendarDate, _ fields: inout RequestFields,
        _ reader: any Reader
    ) throws -> (ODSCode, YearMonth) {
        let network = network(code, &fields)
        let month = fields.month(month)
        guard let network, let month else {
            try fields.finish()
            throw Failure(HostReasons.fieldInvalid)
        }
        try checkMonth(month, today, &fields, reader)
        return (network, month)
    }

    func network(_ text: String, field: String = "pcn_code", _ fields: inout RequestFields) -> ODSCode? {
        guard let code = ODSCode(text),
            context.organisations.organisation(code, at: context.clock.today)?.kind == .pcn
        else {
            fields.refuse(field, "payments 1", "There is no such primary care network.")
            return nil
        }
        return code
    }

    /// ARR01: neither ahead nor too long ago.
    private func checkMonth(
        _ month: YearMonth, _ today: CalendarDate, _ fields: inout RequestFields, _ reader: any Reader
    ) throws {
        let current = YearMonth(containing: today)
        let rates = try ReferenceStore.rates(knownAt: .max, reader)
        let most = try refusing { try rates.whole(.networkAdditionalRolesMonths, at: current.firstDay) }
        if month > current {
            fields.refuse("month", "ARR01", "\(month) lies ahead.")
        } else if current.months(since: month) > Int(most) {
            fields.refuse("month", "ARR01", "A month can be claimed for \(most) months after it.")
        }
    }

    func check(_ network: ODSCode, _ month: YearMonth, _ reader: any Reader) throws -> ClaimedRoleCheck {
        ClaimedRoleCheck(
            month: month, maxima: RoleMaxima(try RoleMaximumStore.rows(knownAt: .max, reader)),
            areas: areas(of: network, month)
        ) { employee in
            try AdditionalRolesStore.rows(of: employee, in: month, besides: network, reader)
        }
    }

    /// The claim of the month that stands on this very file.
    private func standing(
        on file: UploadedFile, of network: ODSCode, _ month: YearMonth, claimID: String, _ reader: any Reader
    ) throws -> AdditionalRolesClaim? {
        let last = try AdditionalRolesStore.claims(of: network, month...month, reader).last {
            $0.stage != .withdrawn && $0.stage != .rejected
        }
        guard let last, last.sha256 == file.sha256, claimID.isEmpty || claimID == last.id else { return nil }
        return last
    }

    private func keep(
        _ rows: [ClaimedRole], of network: ODSCode, _ month: YearMonth, claimID: String, file: UploadedFile?,
        by actor: String, in transaction: any Transaction
    ) throws -> AdditionalRolesClaim {
        var claim: AdditionalRolesClaim
        if claimID.isEmpty {
            claim = try newClaim(of: network, month, by: actor, in: transaction)
        } else {
            claim = try find(claimID, of: network.value, transaction)
            guard claim.month == month else {
                throw Failure.field("month", "ARR01", "Claim \(claim.id) is for \(claim.month).")
            }
            claim.stage = try step(.amend, claim)
        }
        claim.version += 1
        claim.rowCount = Int64(rows.count)
        claim.claimedPence = rows.reduce(0) { $0 + $1.actualPence }
        (claim.fileName, claim.sha256) = (file?.name ?? "", file?.sha256 ?? "")
        claim.evidenceID = try file.map {
            try EvidenceStore.keep($0, kind: .additionalRoles, by: actor, in: transaction)
        }
        if claimID.isEmpty { try AdditionalRolesStore.add(claim, in: transaction) }
        try AdditionalRolesStore.addRows(rows, of: claim, in: transaction)
        let detail = "\(rows.count) rows, \(Money(pence: claim.claimedPence))"
        try AdditionalRolesStore.save(
            claim, step: claim.version == 1 ? "drafted" : "amended", by: actor,
            detail: file.map { detail + ", sha256 " + $0.sha256 } ?? detail, in: transaction)
        note(claim, "version \(claim.version): \(detail)", in: transaction)
        return claim
    }

    private func newClaim(
        of network: ODSCode, _ month: YearMonth, by actor: String, in transaction: any Transaction
    ) throws -> AdditionalRolesClaim {
        let known = try AdditionalRolesStore.claims(of: network, month...month, transaction)
        if let open = known.first(where: { !$0.stage.isFinal }) {
            throw Failure(
                PaymentsReasons.additionalRolesClaimOpen,
                "Claim \(open.id) of \(network) for \(month) is \(open.stage.name).")
        }
        return AdditionalRolesClaim(
            id: transaction.newIdentifier(), network: network, month: month, number: Int64(known.count) + 1,
            version: 0, stage: .draft, rowCount: 0, claimedPence: 0, createdBy: actor)
    }
}
