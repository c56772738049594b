import HostContract
import PaymentsContract
import PluginAPI

// What the steps of a claim share.
extension AdditionalRolesHandlers {
    /// The access rule was checked on the network of the request, so it must be that of the claim.
    func find(_ id: String, of network: String, _ reader: any Reader) throws -> AdditionalRolesClaim {
        guard let claim = try AdditionalRolesStore.claim(id, reader), claim.network.value == network else {
            throw Failure(
                PaymentsReasons.additionalRolesClaimUnknown,
                "There is no such claim of \(network.prefix(12)).")
        }
        return claim
    }

    func step(_ action: AdditionalRolesAction, _ claim: AdditionalRolesClaim) throws -> AdditionalRolesStage {
        if let next = action.next(from: claim.stage) { return next }
        let allowed = AdditionalRolesStage.allCases.filter { action.next(from: $0) != nil }.map(\.name)
        throw Failure(
            PaymentsReasons.additionalRolesClaimStateWrong,
            "Claim \(claim.id) is \(claim.stage.name); this needs one that is \(allowed.joined(separator: " or "))."
        )
    }

    func require(_ version: Int32, _ claim: AdditionalRolesClaim) throws {
        guard Int64(version) == claim.version else {
            throw Failure(
                PaymentsReasons.additionalRolesClaimStateWrong,
                "Claim \(claim.id) is at version \(claim.version), not \(version).")
        }
    }

    /// Everybody who drafted or amended it.
    func requireOtherThanPreparers(
        of claim: AdditionalRolesClaim, step: String, _ call: CallContext, _ reader: any Reader
    ) throws {
        let prepared = try AdditionalRolesStore.history(of: claim.id, reader).filter {
            $0.step == "drafted" || $0.step == "amended"
        }
        for person in Set(prepared.map(\.by)).sorted() {
            try call.requireOtherPerson(than: person, step: step)
        }
    }

    /// Holds the rows against the rules as they are now.
    func recheck(
        _ claim: AdditionalRolesClaim, _ fields: inout RequestFields, _ reader: any Reader
    ) throws {
        var check = try check(claim.network, claim.month, reader)
        for row in try AdditionalRolesStore.rows(of: claim, reader) {
            let (_, breaches) = try check.check(
                ClaimedRoleFields(
                    employee: row.employee, role: row.role, from: row.from, to: row.to,
                    wholeTimeHundredths: row.wholeTimeHundredths, salaryPence: row.salaryPence,
                    insurancePence: row.insurancePence, pensionPence: row.pensionPence))
            for breach in breaches {
                fields.refuse("rows[\(row.number - 1)].\(breach.column.field)", breach.rule, breach.message)
            }
        }
    }

    /// Where a network lies as the register says on the first day of the month, nearest first: itself, its Sub ICB
    /// Location, ICB and region. Decides whose role maxima hold (London weighting).
    func areas(of network: ODSCode, _ month: YearMonth) -> [String] {
        let (day, register) = (month.firstDay, context.organisations)
        return [
            network, register.commissioner(of: network, at: day), register.icb(of: network, at: day),
            register.region(of: network, at: day),
        ].compactMap { $0?.value }
    }

    func commissioner(of claim: AdditionalRolesClaim) -> ODSCode? {
        context.organisations.commissioner(of: claim.network, at: context.clock.today)
    }

    /// What the rules come to, under what is left of the maximum sum or without looking at it.
    func assess(
        _ claim: AdditionalRolesClaim, besides adjustments: [RoleAdjustment] = [], under maximum: MaximumSum?,
        _ reader: any Reader
    ) throws -> [AssessedRole] {
        let assessment = AdditionalRolesAssessment(
            month: claim.month, rows: try AdditionalRolesStore.rows(of: claim, reader),
            maxima: RoleMaxima(try RoleMaximumStore.rows(knownAt: .max, reader)),
            areas: areas(of: claim.network, claim.month),
            adjustments: try AdditionalRolesStore.adjustments(of: claim, reader) + adjustments,
            leftPence: maximum?.leftPence)
        return try refusing { try assessment.assess() }
    }

    /// The maximum sum of the claim's year, with what is in force for the other months. Refused, by name, while the rate
    /// or the list is not known.
    func maximumSum(
        of network: ODSCode, besides month: YearMonth?, _ year: FinancialYear, _ reader: any Reader
    ) throws -> MaximumSum {
        let rates = try ReferenceStore.rates(knownAt: .max, reader)
        let rate = try refusing { try rates.rate(.networkAdditionalRoles, at: year.firstDay) }
        guard let sizes = try NetworkStore.sizes(of: network, in: year, reader) else {
            throw Failure(
                PaymentsReasons.networkPopulationMissing, "The list of \(network) for \(year) is not loaded.")
        }
        let inForce = AdditionalRolesYear(
            try AdditionalRolesStore.claims(of: network, year.span, reader)
        ).inForce
        let approved = inForce.filter { $0.month != month }.reduce(Int64(0)) { $0 + $1.approvedPence }
        return try refusing { try MaximumSum(year: year, rate: rate, sizes: sizes, approvedPence: approved) }
    }

    /// Approved claim of the month on which its amounts rest.
    func inForce(
        _ network: ODSCode, _ month: YearMonth, _ reader: any Reader
    ) throws -> AdditionalRolesClaim? {
        AdditionalRolesYear(try AdditionalRolesStore.claims(of: network, month...month, reader)).inForce.first
    }

    /// What a decided claim was approved for, by role.
    func approved(_ claim: AdditionalRolesClaim, _ reader: any Reader) throws -> [String: Int64] {
        let roles = Dictionary(
            uniqueKeysWithValues: try AdditionalRolesStore.rows(of: claim, reader).map {
                ($0.number, $0.role)
            })
        return try AdditionalRolesStore.decided(claim.id, reader).reduce(into: [:]) { sums, row in
            sums[roles[row.number] ?? "", default: 0] += row.payablePence
        }
    }

    func notices(_ claim: AdditionalRolesClaim) -> AdditionalRolesNotices {
        AdditionalRolesNotices(claim: claim, commissioner: commissioner(of: claim))
    }

    func note(_ claim: AdditionalRolesClaim, _ detail: String, in transaction: any Transaction) {
        transaction.audit(
            AuditNote(
                object: "additional-roles-claim/\(claim.id)", organisation: claim.network.value,
                detail: "\(claim.month): \(detail)"))
    }
}

/// The claims of one network, as they count.
struct AdditionalRolesYear {
    let claims: [AdditionalRolesClaim]

    /// - Parameter claims: by month and number.
    init(_ claims: [AdditionalRolesClaim]) { self.claims = claims }

    /// Of each month the last one that was approved.
    var inForce: [AdditionalRolesClaim] { last { $0.isInForce } }

    /// Of each month the last one that waits for the commissioner or was approved.
    var claimed: [AdditionalRolesClaim] { last { $0.isInForce || $0.isWaiting } }

    private func last(_ counts: (AdditionalRolesStage) -> Bool) -> [AdditionalRolesClaim] {
        Dictionary(grouping: claims.filter { counts($0.stage) }, by: \.month).values
            .compactMap { $0.max { $0.number < $1.number } }.sorted { $0.month < $1.month }
    }
}

extension FinancialYear {
    /// Its first and last month.
    var span: ClosedRange<YearMonth> { YearMonth(containing: firstDay)...YearMonth(containing: lastDay) }
}
