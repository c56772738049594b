import CommonContract
import HostContract
import PaymentsContract
import PluginAPI

/// What an instruction would record.
enum LevyChange: Sendable {
    case committee(LevyCommittee)
    case rate(LevyBook.RateKey, LevyRate)
    case memberships([(practice: ODSCode, membership: LevyMembership)])
}

/// Reads an instruction, refusing every field that breaks a rule (LEV01 to LEV07) at once.
struct LevyInstructionCheck {
    let organisations: any OrganisationDirectory
    let today: CalendarDate
    let book: LevyBook
    /// Ophthalmic contractors of today.
    let contractors: [ODSCode: OphthalmicContractor]

    static let mostMembers = 5_000
    private static let mostPence: Int64 = 1_000

    private typealias Request = Pcs_Payments_V1_ProposeLevyInstructionRequest

    /// The commissioner and the change. Throws one refusal that names all violations.
    func read(_ request: Pcs_Payments_V1_ProposeLevyInstructionRequest) throws -> (ODSCode, LevyChange) {
        var fields = RequestFields()
        let commissioner = commissioner(request.commissionerCode, &fields)
        if !(3...200).contains(request.authority.count) {
            fields.refuse(
                "authority", "LEV07",
                "Name the committee's request and the authorisation: 3 to 200 characters.")
        }
        fields.reason(request.reason)
        let change: LevyChange? =
            switch request.instruction {
            case .committee(let terms): committee(terms, commissioner, &fields)
            case .rate(let rate): self.rate(rate, commissioner, &fields)
            case .memberships(let list): memberships(list, commissioner, &fields)
            case nil: nil
            }
        if request.instruction == nil {
            fields.refuse("instruction", "LEV02", "Give a committee, a rate or memberships.")
        }
        try fields.finish()
        guard let commissioner, let change else { throw Failure(HostReasons.fieldInvalid) }
        return (commissioner, change)
    }

    private func commissioner(_ text: String, _ fields: inout RequestFields) -> ODSCode? {
        guard let code = ODSCode(text), organisations.organisation(code, at: today)?.kind == .subICBLocation
        else {
            fields.refuse("commissioner_code", "LEV01", "Name the Sub ICB Location that authorises it.")
            return nil
        }
        return code
    }

    /// LEV01: a committee's instructions are authorised by one commissioner; another takes over when it is closed.
    private func requireAuthority(
        over code: ODSCode, _ commissioner: ODSCode?, _ fields: inout RequestFields
    ) {
        guard let commissioner, let known = book.committees[code]?.last, known.commissioner != commissioner,
            organisations.organisation(known.commissioner, at: today)?.status == .active
        else { return }
        fields.refuse(
            "commissioner_code", "LEV01", "Instructions of \(code) are authorised by \(known.commissioner).")
    }

    private func committee(
        _ terms: Pcs_Payments_V1_LevyCommitteeTerms, _ commissioner: ODSCode?, _ fields: inout RequestFields
    ) -> LevyChange? {
        let code = ODSCode(terms.committeeCode)
        let isPractice =
            code.map { $0.looksLikePractice || organisations.organisation($0, at: today)?.kind == .practice }
            ?? true
        if isPractice {
            fields.refuse(
                "committee.committee_code", "LEV02",
                "A committee's code has 3 to 12 capital letters and digits, and is no practice's.")
        }
        if !(1...100).contains(terms.name.count) {
            fields.refuse("committee.name", "LEV02", "A name has 1 to 100 characters.")
        }
        let payee = terms.payeeCode.isEmpty ? code : ODSCode(terms.payeeCode)
        if payee == nil, code != nil {
            fields.refuse(
                "committee.payee_code", "LEV02", "An ODS code has 3 to 12 capital letters and digits.")
        }
        if terms.runBy != .payments && terms.runBy != .commissioner {
            fields.refuse("committee.run_by", "LEV05", "Say who runs the levy: payments or the commissioner.")
        }
        let family: LevyFamily = terms.family == .optical ? .optical : .medical
        if let known = code.flatMap({ book.committees[$0]?.last }), known.family != family {
            fields.refuse("committee.family", "LEV02", "A committee stays medical or optical.")
        }
        var collection = LevyCollection(rawValue: Int64(terms.collection.rawValue))
        if family == .optical {
            if collection ?? .eachMonth != .eachMonth {
                fields.refuse("committee.collection", "LEV05", "A levy on fees is deducted each month.")
            }
            collection = .eachMonth
        }
        if collection == nil {
            fields.refuse("committee.collection", "LEV05", "Say in which months of a quarter it is deducted.")
        }
        let from = quarterDay(
            terms.effectiveFrom, isSet: terms.hasEffectiveFrom, field: "committee.effective_from", &fields)
        if let code { requireAuthority(over: code, commissioner, &fields) }
        guard let code, let payee, let collection, let commissioner, let from else { return nil }
        return .committee(
            LevyCommittee(
                code: code, name: terms.name, payee: payee, isRunByCommissioner: terms.runBy == .commissioner,
                collection: collection, commissioner: commissioner, from: from, family: family))
    }

    private func rate(
        _ rate: Pcs_Payments_V1_LevyRate, _ commissioner: ODSCode?, _ fields: inout RequestFields
    ) -> LevyChange? {
        let code = known(rate.committeeCode, field: "rate.committee_code", &fields)
        if let code { requireAuthority(over: code, commissioner, &fields) }
        let kind = LevyKind(rawValue: Int64(rate.kind.rawValue))
        let family: LevyFamily = code.flatMap { book.committees[$0]?.last?.family } ?? .medical
        if kind?.family != family {
            fields.refuse(
                "rate.kind", "LEV05",
                family == .medical
                    ? "A levy is statutory or voluntary." : "A Local Optical Committee has the optical levy.")
        }
        let period = LevyRatePeriod(rawValue: Int64(rate.period.rawValue))
        if period == nil || (period == .sightTestFees) != (family == .optical) {
            fields.refuse(
                "rate.period", "LEV05",
                family == .medical
                    ? "A rate is for a year or a quarter." : "A rate is a percentage of sight-test fees.")
        }
        let pence = amount(rate, family, &fields)
        let from = quarterDay(
            rate.effectiveFrom, isSet: rate.hasEffectiveFrom, field: "rate.effective_from", &fields)
        guard let code, let kind, let period, let pence, let from else { return nil }
        return .rate(
            LevyBook.RateKey(committee: code, kind: kind),
            LevyRate(pence: pence, period: period, from: from, version: 0))
    }

    /// Pence a patient, or percent.
    private func amount(
        _ rate: Pcs_Payments_V1_LevyRate, _ family: LevyFamily, _ fields: inout RequestFields
    ) -> ExactDecimal? {
        let isOptical = family == .optical
        let most = isOptical ? 100 : Self.mostPence
        let value = ExactDecimal(
            isOptical ? rate.percentOfFees : rate.pencePerPatient, maximumScale: LevyRate.mostDecimals)
        if value?.scaled(to: 6).map({ (0...most * 1_000_000).contains($0) }) != true {
            fields.refuse(
                isOptical ? "rate.percent_of_fees" : "rate.pence_per_patient", "LEV04",
                "A rate is 0 to \(most) \(isOptical ? "percent" : "pence") with at most 4 decimals.")
        }
        return value
    }

    private func memberships(
        _ list: Pcs_Payments_V1_LevyMemberships, _ commissioner: ODSCode?, _ fields: inout RequestFields
    ) -> LevyChange? {
        let code =
            list.committeeCode.isEmpty
            ? nil : known(list.committeeCode, field: "memberships.committee_code", &fields)
        let from = quarterDay(
            list.effectiveFrom, isSet: list.hasEffectiveFrom, field: "memberships.effective_from", &fields)
        if !(1...Self.mostMembers).contains(list.members.count) {
            fields.refuse(
                "memberships.members", "LEV06", "An instruction names 1 to \(Self.mostMembers) practices.")
        }
        let family: LevyFamily =
            code.map { book.committees[$0]?.last?.family ?? .medical }
            ?? (list.family == .optical ? .optical : .medical)
        var seen: Set<ODSCode> = []
        var members: [(practice: ODSCode, membership: LevyMembership)] = []
        for (index, member) in list.members.prefix(Self.mostMembers).enumerated() {
            let field = "memberships.members[\(index)].practice_code"
            guard let practice = self.member(member.practiceCode, family, field, &fields) else { continue }
            let own =
                family == .optical
                ? contractors[practice]?.commissioner : organisations.commissioner(of: practice, at: today)
            if !seen.insert(practice).inserted {
                fields.refuse(field, "LEV06", "\(practice) stands above.")
            } else if let commissioner, own != commissioner {
                fields.refuse(field, "LEV06", "\(practice) is not commissioned by \(commissioner).")
            }
            guard let from else { continue }
            members.append(
                (
                    practice,
                    LevyMembership(
                        committee: code, family: family, hasMandate: member.mandate, isVoluntary: member.voluntary,
                        from: from)
                ))
        }
        return .memberships(members)
    }

    private func member(
        _ text: String, _ family: LevyFamily, _ field: String, _ fields: inout RequestFields
    ) -> ODSCode? {
        let code = ODSCode(text)
        switch family {
        case .medical:
            if let code, code.looksLikePractice { return code }
            fields.refuse(field, "LEV06", "A practice code is one letter and five digits.")
        case .optical:
            if let code, contractors[code] != nil { return code }
            fields.refuse(field, "LEV06", "No ophthalmic contractor is registered under this code.")
        }
        return nil
    }

    private func known(_ text: String, field: String, _ fields: inout RequestFields) -> ODSCode? {
        guard let code = ODSCode(text), book.committees[code] != nil else {
            fields.refuse(field, "LEV02", "No committee is recorded under this code.")
            return nil
        }
        return code
    }

    /// LEV03: levies are based anew each quarter, so that is when anything about them changes.
    private func quarterDay(
        _ date: Pcs_Common_V1_Date, isSet: Bool, field: String, _ fields: inout RequestFields
    ) -> CalendarDate? {
        guard let day = fields.date(date, isSet: isSet, field: field, mayBeEmpty: false) else { return nil }
        let earliest = YearMonth(containing: today).adding(months: -RunInputs.retroMonths).firstDay
        guard Quarter(quarterDay: day) != nil, day >= earliest else {
            fields.refuse(field, "LEV03", "Give the first day of a quarter, at most six years back.")
            return nil
        }
        return day
    }
}
