import CommonContract
import HostContract
import PaymentsContract
import PluginAPI
import SwiftProtobuf

// Between the domain's values and the contract's messages.

extension Pcs_Common_V1_Month {
    init(_ month: YearMonth) { self.init(year: month.year, month: month.month) }
}

extension Pcs_Payments_V1_ContractType {
    init(_ kind: ContractKind) {
        switch kind {
        case .gms: self = .gms
        case .pms: self = .pms
        case .apms: self = .apms
        }
    }

    /// `nil` = unspecified or unknown.
    var kind: ContractKind? { ContractKind(rawValue: Int64(rawValue)) }
}

extension Pcs_Payments_V1_ContractTerms {
    init(_ terms: ContractTerms) {
        self.init()
        let payment = terms.payment
        contractType = Pcs_Payments_V1_ContractType(payment.kind)
        practiceName = terms.practiceName
        commissionerCode = terms.commissioner
        regionCode = terms.region
        payeeCode = terms.payee.value
        outOfHoursOptOut = payment.outOfHoursOptOut
        minorSurgeryOptOut = payment.minorSurgeryOptOut
        temporaryPatientsAdjustmentPence = payment.temporaryPatientsPence
        correctionFactorPence = payment.correctionFactorPence
        londonBasis =
            switch payment.london {
            case .none: .none
            case .counted: .counted
            case .allRegistered: .allRegistered
            }
        switch payment.baseline {
        case nil: break
        case .fixed(let pence):
            baselineBasis = .fixed
            baselineAnnualPence = pence
        case .weighted(let price):
            baselineBasis = .weighted
            baselinePriceMicropounds = price
        case .raw(let price):
            baselineBasis = .raw
            baselinePriceMicropounds = price
        }
        paymentsStopped = payment.isStopped
    }

    /// The terms in the domain's words; what is wrong is added to `fields`. Empty codes are taken from `before`.
    func terms(practice: ODSCode, before: ContractTerms?, _ fields: inout RequestFields) -> ContractTerms? {
        func code(_ text: String, _ field: String, _ otherwise: String) -> String {
            if text.isEmpty { return otherwise }
            guard let code = ODSCode(text) else {
                fields.refuse(field, "CON09", "\(field) is no ODS code: 3 to 12 of A-Z and 0-9.")
                return ""
            }
            return code.value
        }
        guard let kind = contractType.kind else {
            fields.refuse("terms.contract_type", "CON03", "The contract type is GMS, PMS or APMS.")
            return nil
        }
        let commissioner = code(commissionerCode, "terms.commissioner_code", before?.commissioner ?? "")
        if commissioner.isEmpty {
            fields.refuse("terms.commissioner_code", "CON09", "The commissioner is needed.")
        }
        let region = code(regionCode, "terms.region_code", before?.region ?? "")
        let payee = code(payeeCode, "terms.payee_code", practice.value)
        var payment = PaymentTerms(kind: kind)
        payment.outOfHoursOptOut = outOfHoursOptOut
        payment.minorSurgeryOptOut = minorSurgeryOptOut
        payment.isStopped = paymentsStopped
        payment.temporaryPatientsPence = temporaryPatientsAdjustmentPence
        if !(0...100_000_000_00).contains(temporaryPatientsAdjustmentPence) {
            fields.refuse(
                "terms.temporary_patients_adjustment_pence", "CON07", "The adjustment is out of range.")
        }
        payment.correctionFactorPence = correctionFactorPence
        if !(0...10_000_000_00).contains(correctionFactorPence) {
            fields.refuse("terms.correction_factor_pence", "CON07", "The correction factor is out of range.")
        }
        switch londonBasis {
        case .unspecified, .none: payment.london = .none
        case .counted: payment.london = .counted
        case .allRegistered: payment.london = .allRegistered
        case .UNRECOGNIZED: fields.refuse("terms.london_basis", "CON07", "The London basis is not known.")
        }
        payment.baseline = baseline(&fields)
        return ContractTerms(
            payment: payment, practiceName: practiceName, commissioner: commissioner, region: region,
            payee: ODSCode(payee) ?? practice)
    }

    private func baseline(_ fields: inout RequestFields) -> Baseline? {
        let (annual, price) = (baselineAnnualPence, baselinePriceMicropounds)
        let annualIsSound = (0...1_000_000_000_00).contains(annual)
        // Up to four decimals (payments.md 4).
        let priceIsSound = (0...10_000_000_000).contains(price) && price % 100 == 0
        switch baselineBasis {
        case .unspecified where annual == 0 && price == 0: return nil
        case .fixed where price == 0 && annualIsSound: return .fixed(annualPence: annual)
        case .weighted where annual == 0 && priceIsSound: return .weighted(priceMicropounds: price)
        case .raw where annual == 0 && priceIsSound: return .raw(priceMicropounds: price)
        default:
            fields.refuse(
                "terms.baseline_basis", "CON08",
                "FIXED has an amount and no price; WEIGHTED and RAW a price of at most four decimals and no amount."
            )
            return nil
        }
    }
}

extension Pcs_Payments_V1_Contract {
    init(
        _ span: ContractSpan, of practice: ODSCode, _ recording: ContractStore.Recording?, _ status: ContractStatus?
    ) {
        self.init()
        self.status = Pcs_Payments_V1_ContractStatus(status)
        contractID = span.terms.contractID(of: practice)
        practiceCode = practice.value
        terms = Pcs_Payments_V1_ContractTerms(span.terms)
        validFrom = Pcs_Common_V1_Date(span.from)
        if let to = span.to { validTo = Pcs_Common_V1_Date(to) }
        version = span.version
        if let recording {
            recordedAt = Google_Protobuf_Timestamp(recording.at)
            recordedBy = recording.by
            reason = recording.reason
        }
    }
}

extension Pcs_Payments_V1_Run {
    init(
        _ run: RunRecord, _ counts: RunExceptionStore.Counts, _ approvals: [RunApprovalRecord],
        _ steps: [RunStepRecord] = []
    ) {
        self.init()
        runID = run.id
        month = Pcs_Common_V1_Month(run.month)
        state = Pcs_Payments_V1_RunState(rawValue: Int(run.state.rawValue)) ?? .unspecified
        paymentDate = Pcs_Common_V1_Date(run.paymentDate)
        cutOffOn = Pcs_Common_V1_Date(run.cutOffOn)
        openedBy = run.openedBy
        if let frozen = run.frozenAt { frozenAt = Google_Protobuf_Timestamp(frozen) }
        snapshot = run.snapshot
        calculation = Int32(clamping: run.calculation)
        calculatedBy = run.calculatedBy
        if let at = run.calculatedAt { calculatedAt = Google_Protobuf_Timestamp(at) }
        statements = run.figures.statements
        lines = run.figures.lines
        grossPence = run.figures.grossPence
        deductionsPence = run.figures.deductionsPence
        netPence = run.figures.netPence
        retroPence = run.figures.retroPence
        retroLines = run.figures.retroLines
        statementsSha256 = run.statementsSHA256
        blockingExceptionsOpen = counts.open
        blockingExceptionsAccepted = counts.accepted
        warnings = counts.warnings
        reviewedBy = run.reviewedBy
        self.approvals = approvals.map { approval in
            .with {
                $0.approvedBy = approval.by
                $0.approvedAt = Google_Protobuf_Timestamp(approval.at)
            }
        }
        if let paid = run.paidOn { paidOn = Pcs_Common_V1_Date(paid) }
        bankReference = run.bankReference
        abortRequestedBy = run.abortRequestedBy
        calculationMicroseconds = run.calculationMicroseconds
        history = steps.map { step in
            .with {
                $0.step = step.step
                $0.by = step.by
                $0.at = Google_Protobuf_Timestamp(step.at)
                $0.detail = step.detail
            }
        }
    }
}
