import ChangesContract
import CommonContract
import PluginAPI

extension Pcs_Changes_V1_Step {
    init(_ row: ChecklistRow) {
        self.init()
        number = Int32(row.number)
        title = row.title
        ownerArea = row.ownerArea
        precondition = row.precondition
        act = row.act
        proofWanted = row.proofWanted
        compensation = row.compensation
        after = row.after.map { Int32($0) }
    }
}

/// A case as its parties see it.
enum CaseMessages {
    static func message(_ record: CaseRecord, _ context: PluginContext, _ reader: any Reader) throws
        -> Pcs_Changes_V1_Case
    {
        let steps = try StepStore.steps(of: record.id, reader).map { step in
            var message = Pcs_Changes_V1_Step(step.row)
            message.dueOn = Pcs_Common_V1_Date(step.dueOn)
            message.state = Pcs_Changes_V1_StepState(rawValue: Int(step.state.rawValue)) ?? .unspecified
            message.failures = Int32(step.failures)
            message.byHand = step.isByHand
            message.reports = try StepStore.reports(of: step.number, in: record.id, reader)
            return message
        }
        var message = Pcs_Changes_V1_Case()
        message.caseID = record.id
        message.state = Pcs_Changes_V1_CaseState(rawValue: Int(record.state.rawValue)) ?? .unspecified
        message.notice = record.notice
        message.openedBy = record.openedBy
        message.submittedBy = record.submittedBy
        if let day = record.receivedOn { message.receivedOn = Pcs_Common_V1_Date(day) }
        message.decisions = try CaseStore.decisions(of: record.id, countingOnly: false, reader)
        message.gates = try CaseStore.gates(of: record.id, reader)
        message.quarterAligned = QuarterAlignment.isAligned(record.effectiveOn)
        message.globalSumMovesOn = Pcs_Common_V1_Date(QuarterAlignment.globalSumMoves(record.effectiveOn))
        message.steps = steps
        message.goDecisions = try CaseStore.goes(of: record, reader)
        message.log = try CaseStore.log(of: record.id, reader)
        message.version = record.version
        if !record.state.isEnded, record.plan == 0 {
            message.approvalsMissing = try Commissioners.missing(record, context, reader)
        }
        return message
    }

    /// The case, when the practice named is one of its own. Without a practice only the coordinator gets here.
    static func record(_ id: String, practice: String, _ reader: any Reader) throws -> CaseRecord {
        guard let record = try CaseStore.record(id, reader),
            practice.isEmpty || record.practices.contains(practice)
        else { throw Failure.noSuchCase }
        return record
    }
}

/// Who must approve, and who did.
enum Commissioners {
    /// Sub ICB Location of each practice today; empty where there is none in England.
    static func byPractice(_ record: CaseRecord, _ context: PluginContext) -> [String: String] {
        let today = context.clock.today
        return Dictionary(
            record.practices.map { practice in
                let code = ODSCode(practice).flatMap { context.organisations.commissioner(of: $0, at: today) }
                let isEnglish = code.map { context.organisations.region(of: $0, at: today) != nil } ?? false
                return (practice, isEnglish ? code?.value ?? "" : "")
            }, uniquingKeysWith: { first, _ in first })
    }

    static func approved(_ record: CaseRecord, _ reader: any Reader) throws -> Set<String> {
        Set(
            try CaseStore.decisions(of: record.id, countingOnly: true, reader)
                .filter { $0.decision == .approve }.flatMap(\.covers))
    }

    static func missing(_ record: CaseRecord, _ context: PluginContext, _ reader: any Reader) throws
        -> [String]
    {
        Set(byPractice(record, context).values).subtracting(try approved(record, reader)).sorted()
    }

    /// Commissioners for whom an organisation may speak: itself, or those of its region.
    static func covered(by organisation: String, _ record: CaseRecord, _ context: PluginContext) -> Set<
        String
    > {
        let today = context.clock.today
        return Set(
            byPractice(record, context).filter { practice, commissioner in
                commissioner == organisation
                    || ODSCode(practice).flatMap { context.organisations.region(of: $0, at: today) }?.value
                        == organisation
            }.values)
    }
}
