import CaseworkContract
import CommonContract
import HostContract
import PaymentsContract
import PluginAPI
import SwiftProtobuf

/// Months that a new payment can still go into.
struct OpenMonths: Sendable {
    /// First month whose run is not published: nothing can be added to those before.
    let first: YearMonth
    /// First month whose inputs are not frozen.
    let next: YearMonth

    init(_ reader: any Reader, today: CalendarDate) throws {
        let runs = try RunStore.runs(reader).filter { $0.state != .aborted }
        let published = runs.filter { $0.state.isPublished }.map(\.month).max()
        first = published?.adding(months: 1) ?? runs.map(\.month).min() ?? YearMonth(containing: today)
        let frozen = runs.filter { $0.frozenAt != nil || $0.cutOffOn < today }.map(\.month).max()
        next = Swift.max(first, frozen?.adding(months: 1) ?? first)
    }

    /// Whether the month's run is still to be paid, and its inputs are closed.
    func isPastCutOff(_ month: YearMonth) -> Bool { month >= first && month < next }
}

// What the steps of an upload share.
extension VariationHandlers {
    func find(
        _ request: Pcs_Payments_V1_VariationStepRequest, _ reader: any Reader
    ) throws -> VariationStore.Upload {
        guard let upload = try VariationStore.upload(request.uploadID, reader),
            upload.commissioner.value == request.commissionerCode
        else { throw Failure(HostReasons.notFound, "There is no such upload of \(request.commissionerCode).") }
        return upload
    }

    func require(_ upload: VariationStore.Upload, _ states: [VariationStore.State]) throws {
        guard states.contains(upload.state) else {
            throw Failure(
                PaymentsReasons.variationStateWrong,
                "Upload \(upload.id) is \(upload.state); this needs one that is "
                    + states.map { "\($0)" }.joined(separator: " or ") + ".")
        }
    }

    func note(_ upload: VariationStore.Upload, _ detail: String, in transaction: any Transaction) {
        transaction.audit(
            AuditNote(
                object: "variations/\(upload.id)", organisation: upload.commissioner.value, detail: detail))
    }

    func message(
        _ upload: VariationStore.Upload, _ approvals: [String], late: Int, _ effects: VariationEffects? = nil
    ) throws -> Pcs_Payments_V1_VariationUpload {
        .with {
            $0.uploadID = upload.id
            $0.commissionerCode = upload.commissioner.value
            $0.state = upload.shownState
            ($0.fileName, $0.sha256, $0.rows) = (upload.fileName, upload.sha256, upload.rows)
            ($0.oneOffPence, $0.monthlyPence) = (upload.oneOffPence, upload.monthlyPence)
            ($0.uploadedBy, $0.submittedBy, $0.approvedBy) = (upload.uploadedBy, upload.submittedBy, approvals)
            $0.approvalsNeeded = Int32(clamping: upload.approvalsNeeded)
            $0.reason = upload.reason
            if late > 0 {
                $0.warnings = [
                    .with {
                        ($0.field, $0.rule) = ("firstPaymentMonth", "CV011")
                        $0.message = "\(late) rows come after the cut-off and are paid in the next run"
                    }
                ]
            }
            $0.warnings += (effects?.warnings ?? []).map { warning in
                Pcs_Common_V1_Violation.with {
                    ($0.field, $0.rule, $0.message) = (warning.field, warning.rule, warning.message)
                }
            }
        }
    }

    func variation(
        _ stored: VariationStore.Stored, _ upload: VariationStore.Upload, _ runs: VariationRuns, _ reader: any Reader
    ) throws -> Pcs_Payments_V1_Variation {
        let state = try runs.state(of: stored, upload, reader)
        return .with {
            ($0.variationID, $0.uploadID) = (stored.id, stored.uploadID)
            ($0.practiceCode, $0.paycode) = (stored.row.practice.value, stored.row.paycode.code)
            ($0.narrative, $0.monthly) = (stored.row.narrative, stored.row.isMonthly)
            $0.amountPence = stored.row.pence
            $0.firstMonth = Pcs_Common_V1_Month(stored.row.first)
            if let last = stored.row.last { $0.lastMonth = Pcs_Common_V1_Month(last) }
            $0.state = state
            if let month = stored.row.nppMonth { $0.nppPaymentMonth = Pcs_Common_V1_Month(month) }
            $0.financialYear = stored.row.year?.description ?? ""
            if let stopped = stored.stoppedFrom { $0.stoppedFrom = Pcs_Common_V1_Month(stopped) }
            $0.uploadedAt = Google_Protobuf_Timestamp(upload.uploadedAt)
            switch stored.row.grounds {
            case nil: break
            case .reason(let reason): $0.recoveryReason = reason
            case .line(let line): $0.recoveredLine = line.text
            }
        }
    }
}

/// Work for the approver.
enum VariationNotices {
    private static func key(_ upload: VariationStore.Upload) -> String { "payments/variations/\(upload.id)/decide" }

    static func submitted(_ upload: VariationStore.Upload, in transaction: any Transaction) throws {
        try transaction.publish(
            Pcs_Casework_V1_TaskRequested.with {
                $0.taskKey = key(upload)
                $0.role = .commissionerApprover
                $0.organisationCode = upload.commissioner.value
                $0.title = "Decide an upload of contract variations"
                $0.detail =
                    "\(upload.rows) rows, \(Money(pence: upload.oneOffPence)) once, "
                    + "\(Money(pence: upload.monthlyPence)) a month"
                $0.record = .with {
                    ($0.area, $0.kind, $0.recordID) = ("payments", "variations", upload.id)
                    $0.organisationCode = upload.commissioner.value
                }
                $0.outcomes = ["approved", "rejected"]
            }, key: key(upload))
    }

    static func settled(_ upload: VariationStore.Upload, by actor: String, in transaction: any Transaction) throws {
        try transaction.publish(
            Pcs_Casework_V1_TaskSettled.with {
                ($0.taskKey, $0.outcome, $0.settledBy) = (key(upload), "\(upload.state)", actor)
                $0.reason = upload.reason
            }, key: key(upload))
    }
}
