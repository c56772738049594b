import CommonContract
import Digests
import HostContract
import PaymentsContract
import PluginAPI
import SwiftProtobuf
import Tabular

// A calculation is proposed by one person; approved by another it becomes the quarter's lists.
extension AllocationHandlers {
    func calculateAllocation(
        _ request: Pcs_Payments_V1_CalculateAllocationRequest, _ call: CallContext
    ) async throws -> Pcs_Payments_V1_AllocationCalculation {
        var fields = RequestFields()
        let quarter = fields.quarter(request.quarterDay, isSet: request.hasQuarterDay, field: "quarter_day")
        try fields.finish()
        guard let quarter else { throw Failure(HostReasons.fieldInvalid) }
        let read = try context.store.read { try Reading(quarter, setID: request.setID, $0) }
        guard !call.isExpired else { throw Failure(HostReasons.deadlinePassed) }
        let allocation = try AllocationHandlers.refusingFormula {
            try Allocation(read.inputs, try read.set.formula.formula(read.coefficients))
        }
        guard allocation.isBalanced else {
            throw Failure(
                PaymentsReasons.amountOutOfRange,
                "Nationally the weighted lists do not add up to the registered ones.")
        }
        let warnings = allocation.practices.flatMap {
            read.bounds.warnings($0.practice, $0.indices, before: read.turnoverBefore[$0.practice])
        }
        guard !call.isExpired else { throw Failure(HostReasons.deadlinePassed) }
        return try await call.commit { transaction in
            let calculation = AllocationStore.Calculation(
                id: transaction.newIdentifier(), quarter: quarter, formula: read.set.formula,
                setID: read.set.id,
                loadID: read.load.id, practices: Int64(allocation.practices.count),
                registered: allocation.registered, weightedHundredths: allocation.weightedHundredths,
                normaliser: allocation.normaliser, means: allocation.means, warnings: Int64(warnings.count),
                calculatedBy: call.caller.responsible, calculatedAt: transaction.now)
            try AllocationStore.add(calculation, allocation, warnings, in: transaction)
            transaction.audit(
                AuditNote(
                    object: "allocation/\(calculation.id)",
                    detail: "\(quarter): \(calculation.practices) practices, \(warnings.count) warnings"))
            return Pcs_Payments_V1_AllocationCalculation(calculation, Array(warnings.prefix(1000)))
        }
    }

    /// What a calculation reads, from one snapshot.
    private struct Reading {
        let set: FormulaStore.Set
        let coefficients: FormulaCoefficients
        let load: AllocationStore.Load
        let inputs: [AllocationInput]
        let bounds: AllocationBounds
        let turnoverBefore: [ODSCode: PreciseDecimal]

        init(_ quarter: Quarter, setID: String, _ reader: any Reader) throws {
            let found =
                setID.isEmpty
                ? try FormulaStore.set(inEffectOn: quarter.quarterDay, reader)
                : try FormulaStore.set(setID, reader)
            guard let set = found, set.state == .approved, set.from <= quarter.quarterDay else {
                throw Failure(
                    PaymentsReasons.allocationUnknown,
                    "There is no approved set of coefficients in effect on \(quarter).")
            }
            guard let load = try AllocationStore.lastLoad(of: quarter, reader) else {
                throw Failure(
                    PaymentsReasons.allocationUnknown, "No inputs are loaded for the quarter of \(quarter).")
            }
            self.set = set
            self.load = load
            coefficients = try FormulaStore.coefficients(of: set.id, reader)
            inputs = try AllocationStore.inputs(of: load.id, reader)
            let rates = try ReferenceStore.rates(knownAt: .max, reader)
            bounds = try refusing { try AllocationBounds(rates, quarter) }
            let before = try AllocationStore.lastApproved(of: quarter.previous, reader)
            turnoverBefore = try before.map { try AllocationStore.turnoverIndices(of: $0.id, reader) } ?? [:]
        }
    }

    /// Turns what the formula throws into what the caller is told.
    static func refusingFormula<Result>(_ body: () throws -> Result) throws -> Result {
        do {
            return try body()
        } catch let error as AllocationError {
            switch error {
            case .coefficientsMissing(let cells):
                throw Failure(
                    PaymentsReasons.formulaCoefficientMissing,
                    "Only a parameter: \(cells.map(\.description).joined(separator: ", ")).",
                    violations: cells.map {
                        Violation(field: $0.description, rule: "3.3", message: "The set leaves \($0) empty.")
                    })
            case .arithmetic(_, let practice):
                throw PaymentsError.amountOutOfRange(practice?.value ?? "the country").failure
            }
        } catch is ArithmeticError {
            throw PaymentsError.amountOutOfRange("the formula").failure
        }
    }

    func decideAllocation(
        _ request: Pcs_Payments_V1_DecideAllocationRequest, _ call: CallContext
    ) async throws -> Pcs_Payments_V1_AllocationCalculation {
        var fields = RequestFields()
        fields.reason(request.reason, mayBeEmpty: request.approve && !request.acceptWarnings)
        try fields.finish()
        return try await call.commit { transaction in
            var calculation = try find(request.calculationID, transaction)
            guard calculation.state == .proposed else { throw Failure(PaymentsReasons.alreadyDecided) }
            try call.requireOtherPerson(than: calculation.calculatedBy, step: "deciding weighted lists")
            if let load = try AllocationStore.load(calculation.loadID, transaction),
                let evidence = try EvidenceStore.evidence(load.evidenceID, transaction)
            {
                try call.requireOtherPerson(
                    than: evidence.uploadedBy, step: "deciding weighted lists whose inputs one has loaded")
            }
            calculation.state = request.approve ? .approved : .returned
            calculation.decidedBy = call.caller.responsible
            calculation.decisionReason = request.reason
            if request.approve {
                try requireCurrent(calculation, acceptWarnings: request.acceptWarnings, transaction)
                calculation.seq = try record(calculation, by: calculation.decidedBy, in: transaction)
            }
            try AllocationStore.saveDecision(calculation, in: transaction)
            transaction.audit(
                AuditNote(
                    object: "allocation/\(calculation.id)",
                    detail: request.approve
                        ? "approved as lists \(calculation.seq ?? 0)" : "returned: \(request.reason)"))
            return Pcs_Payments_V1_AllocationCalculation(
                calculation, try AllocationStore.warnings(of: calculation.id, transaction))
        }
    }

    private func requireCurrent(
        _ calculation: AllocationStore.Calculation, acceptWarnings: Bool, _ reader: any Reader
    ) throws {
        guard try AllocationStore.lastLoad(of: calculation.quarter, reader)?.id == calculation.loadID else {
            throw Failure(
                PaymentsReasons.calculationChanged,
                "Inputs of \(calculation.quarter) were loaded since; calculate and look again.")
        }
        if calculation.warnings > 0, !acceptWarnings {
            throw Failure.field(
                "accept_warnings", "3.3",
                "There are \(calculation.warnings) warnings: look at them, then accept them with a reason.")
        }
    }

    /// The calculation's lists as a load of the quarter, with the file that they would have come in as evidence.
    private func record(
        _ calculation: AllocationStore.Calculation, by actor: String, in transaction: any Transaction
    ) throws -> Int64 {
        let rows = try AllocationStore.results(of: calculation.id, transaction)
        var writer = CSVWriter()
        writer.append(CapitationFile.columns.map { .plain($0) })
        for row in rows {
            writer.append([
                .plain(row.practice.value), .plain(String(row.registered)),
                .plain(ExactDecimal(mantissa: row.weightedHundredths, scale: 2).description),
                .plain(String(row.london)),
            ])
        }
        let bytes = writer.take()
        let file = UploadedFile(
            name: "formula \(calculation.formula.rawValue), calculation \(calculation.id)", bytes: bytes,
            sha256: Digest.hex(Digest.sha256(bytes)))
        var load = try CapitationHandlers.figures(rows, calculation.quarter, transaction)
        load.id = transaction.newIdentifier()
        load.evidenceID = try EvidenceStore.keep(file, kind: .capitation, by: actor, in: transaction)
        load.seq = try InputLog.record(
            .capitation, from: calculation.quarter.quarterDay, to: calculation.quarter.next.next.quarterDay,
            by: actor,
            detail: "allocation \(calculation.id)", in: transaction)
        try CapitationStore.add(load, rows, in: transaction)
        return load.seq
    }

    private func find(_ id: String, _ reader: any Reader) throws -> AllocationStore.Calculation {
        guard let calculation = try AllocationStore.calculation(id, reader) else {
            throw Failure(PaymentsReasons.allocationUnknown, "There is no such calculation.")
        }
        return calculation
    }

    func getAllocation(
        _ request: Pcs_Payments_V1_GetAllocationRequest, _ call: CallContext
    ) async throws -> Pcs_Payments_V1_AllocationCalculation {
        try context.store.read { reader in
            let calculation = try find(request.calculationID, reader)
            return Pcs_Payments_V1_AllocationCalculation(
                calculation, try AllocationStore.warnings(of: calculation.id, reader))
        }
    }

    func listAllocations(
        _ request: Pcs_Payments_V1_ListAllocationsRequest, _ call: CallContext
    ) async throws -> Pcs_Payments_V1_ListAllocationsResponse {
        var fields = RequestFields()
        let day = fields.date(request.quarterDay, isSet: request.hasQuarterDay, field: "quarter_day")
        try fields.finish()
        let calculations = try context.store.read { try AllocationStore.calculations($0) }
        return .with {
            $0.calculations = calculations.filter { day == nil || $0.quarter.quarterDay == day }
                .map { Pcs_Payments_V1_AllocationCalculation($0, []) }
        }
    }
}

extension Pcs_Payments_V1_AllocationCalculation {
    init(_ calculation: AllocationStore.Calculation, _ warnings: [AllocationWarning]) {
        self.init()
        calculationID = calculation.id
        quarterDay = Pcs_Common_V1_Date(calculation.quarter.quarterDay)
        (formula, setID, inputLoadID) = (calculation.formula.rawValue, calculation.setID, calculation.loadID)
        state = Pcs_Payments_V1_ProposalState(calculation.state)
        (practices, registeredPatients) = (calculation.practices, calculation.registered)
        weightedPatientsHundredths = calculation.weightedHundredths
        normaliser = calculation.normaliser.description
        nationalMeans = zip(FormulaComponent.allCases, calculation.means).map { component, mean in
            .with { ($0.component, $0.perHead) = (component.rawValue, mean.description) }
        }
        self.warnings = warnings.map { Pcs_Payments_V1_AllocationWarning($0) }
        warningCount = calculation.warnings
        calculatedBy = calculation.calculatedBy
        calculatedAt = Google_Protobuf_Timestamp(calculation.calculatedAt)
        (decidedBy, decisionReason) = (calculation.decidedBy, calculation.decisionReason)
        version = calculation.seq ?? 0
    }
}

extension Pcs_Payments_V1_AllocationWarning {
    init(_ warning: AllocationWarning) {
        self.init()
        (practiceCode, component) = (warning.practice.value, warning.component.rawValue)
        (rule, message) = (warning.rule.rawValue, warning.message)
        (index, before) = (warning.index.text(decimals: 6), warning.before?.text(decimals: 6) ?? "")
    }
}
