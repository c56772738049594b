import CommonContract
import HostContract
import PaymentsContract
import PluginAPI
import SwiftProtobuf

/// Levies of Local Medical Committees: instructions, and what follows from them (payments.md 9.6).
struct LevyHandlers: Pcs_Payments_V1_LevyService {
    let context: PluginContext

    func proposeLevyInstruction(
        _ request: Pcs_Payments_V1_ProposeLevyInstructionRequest, _ call: CallContext
    ) async throws -> Pcs_Payments_V1_LevyInstruction {
        let today = call.today
        return try await call.commit { transaction in
            let check = LevyInstructionCheck(
                organisations: context.organisations, today: today,
                book: try LevyStore.book(knownAt: .max, transaction),
                contractors: try OphthalmicContractorStore.contractors(on: today, transaction))
            let (commissioner, change) = try check.read(request)
            let instruction = LevyStore.Instruction(
                id: transaction.newIdentifier(), commissioner: commissioner, state: .proposed,
                contents: try request.serializedBytes(), proposedBy: call.caller.responsible,
                proposedAt: transaction.now)
            try LevyStore.add(instruction, in: transaction)
            try DecisionTasks(kind: "levy-instruction", id: instruction.id).request(
                "Decide an instruction about levies", detail: change.words, of: commissioner,
                about: commissioner,
                in: transaction)
            note(instruction, "proposed: \(change.words): \(request.reason)", in: transaction)
            return try message(instruction)
        }
    }

    func decideLevyInstruction(
        _ request: Pcs_Payments_V1_DecideLevyInstructionRequest, _ call: CallContext
    ) async throws -> Pcs_Payments_V1_LevyInstruction {
        var fields = RequestFields()
        fields.reason(request.reason, mayBeEmpty: request.approve)
        try fields.finish()
        let today = call.today
        return try await call.commit { transaction in
            // The access rule was checked on the commissioner of the request, so it must be that of the instruction.
            guard var instruction = try LevyStore.instruction(request.instructionID, transaction),
                instruction.commissioner.value == request.commissionerCode
            else {
                throw Failure(
                    HostReasons.notFound, "There is no such instruction of \(request.commissionerCode).")
            }
            guard instruction.state == .proposed else { throw Failure(PaymentsReasons.alreadyDecided) }
            let actor = call.caller.responsible
            try call.requireOtherPerson(
                than: instruction.proposedBy, step: "deciding an instruction about levies")
            instruction.state = request.approve ? .approved : .returned
            instruction.decidedBy = actor
            instruction.decidedAt = transaction.now
            instruction.decisionReason = request.reason
            if request.approve {
                let book = try LevyStore.book(knownAt: .max, transaction)
                let check = LevyInstructionCheck(
                    organisations: context.organisations, today: today, book: book,
                    contractors: try OphthalmicContractorStore.contractors(on: today, transaction))
                let contents = try Pcs_Payments_V1_ProposeLevyInstructionRequest(
                    serializedBytes: instruction.contents)
                // Read again: what held when it was proposed may not hold now.
                let (_, change) = try check.read(contents)
                instruction.seq = try record(change, of: instruction, book, by: actor, in: transaction)
            }
            try LevyStore.saveDecision(instruction, in: transaction)
            try DecisionTasks(kind: "levy-instruction", id: instruction.id).settle(
                approved: request.approve, by: actor, reason: request.reason, in: transaction)
            note(
                instruction,
                request.approve ? "approved as version \(instruction.seq)" : "returned: \(request.reason)",
                in: transaction)
            return try message(instruction)
        }
    }

    /// Puts an approved change in force; returns its number in the input log.
    private func record(
        _ change: LevyChange, of instruction: LevyStore.Instruction, _ book: LevyBook, by actor: String,
        in transaction: any Transaction
    ) throws -> Int64 {
        func log(_ from: CalendarDate?, _ later: CalendarDate?) throws -> Int64 {
            try InputLog.record(
                .levies, from: from, to: later, by: actor, detail: "instruction \(instruction.id)",
                in: transaction)
        }
        switch change {
        case .committee(let committee):
            let later = book.committees[committee.code]?.first { $0.from > committee.from }
            let seq = try log(committee.from, later?.from)
            try LevyStore.add(committee, seq: seq, in: transaction)
            return seq
        case .rate(let key, var rate):
            let later = book.rates[key]?.first { $0.from > rate.from }
            rate.version = try log(rate.from, later?.from)
            try LevyStore.add(rate, key, in: transaction)
            return rate.version
        case .memberships(let members):
            let seq = try log(members.first?.membership.from, nil)
            try LevyStore.add(members, seq: seq, in: transaction)
            return seq
        }
    }

    private func note(_ instruction: LevyStore.Instruction, _ detail: String, in transaction: any Transaction)
    {
        transaction.audit(
            AuditNote(
                object: "levy-instruction/\(instruction.id)", organisation: instruction.commissioner.value,
                detail: detail))
    }

    func message(_ instruction: LevyStore.Instruction) throws -> Pcs_Payments_V1_LevyInstruction {
        let contents = try Pcs_Payments_V1_ProposeLevyInstructionRequest(
            serializedBytes: instruction.contents)
        return .with {
            $0.instructionID = instruction.id
            $0.state =
                Pcs_Payments_V1_LevyInstructionState(rawValue: Int(instruction.state.rawValue))
                ?? .unspecified
            $0.contents = contents
            $0.proposedBy = instruction.proposedBy
            $0.proposedAt = Google_Protobuf_Timestamp(instruction.proposedAt)
            ($0.decidedBy, $0.decisionReason) = (instruction.decidedBy, instruction.decisionReason)
            if let at = instruction.decidedAt { $0.decidedAt = Google_Protobuf_Timestamp(at) }
            $0.version = instruction.seq
        }
    }
}

extension LevyChange {
    /// For tasks and the audit chain.
    var words: String {
        switch self {
        case .committee(let committee):
            "\(committee.code) \(committee.name), paid to \(committee.payee), from \(committee.from)"
        case .rate(let key, let rate):
            "\(key.kind.name) levy of \(key.committee): \(rate.pence) "
                + (rate.period == .sightTestFees
                    ? "percent of sight-test fees" : "pence a patient a \(rate.period.name.lowercased())")
                + " from \(rate.from)"
        case .memberships(let members):
            "\(members.count) members to \(members.first?.membership.committee?.value ?? "no committee") from "
                + (members.first?.membership.from.description ?? "")
        }
    }
}
