import CommonContract
package import FrameProtocol
import HostContract
import Logging
import PluginAPI
import SwiftProtobuf

extension Dispatcher {
    /// What the caller learns of an error, and what only the log does.
    func refusal(of session: CallSession, for error: any Error) -> Refusal {
        let progress = session.progress
        func answer(_ failure: Failure) -> Refusal {
            // A durable effect stays one, whatever the handler says. That nothing was started is believed of
            // a plugin that calls no other: elsewhere the failure may speak of the call that it made.
            let untouched =
                failure.progress == .notStarted && progress != .committed
                && session.entry.slot.manifest.calls.isEmpty
            let told = untouched ? .notStarted : progress
            return Refusal(failure: failure, progress: told, correlationID: session.correlationID)
        }
        switch error {
        case let failure as Failure:
            if let cause = failure.cause, !(cause is AuditedCause) {
                log(session, "call refused", cause, .warning)
            }
            return answer(failure)
        case let refusal as Refusal:
            return refusal
        case let malformed as RequestDecodingFailure:
            return answer(
                Failure(
                    HostReasons.requestMalformed, "The request is no encoding of \(malformed.messageType)."))
        case is CancellationError:
            return answer(Failure(HostReasons.callCancelled))
        case let storage as StorageError:
            return answer(failure(for: storage, session))
        default:
            log(session, "handler failed", error, .error)
            return answer(internalFailure(session))
        }
    }

    private func failure(for error: StorageError, _ session: CallSession) -> Failure {
        switch error {
        case .overloaded:
            return Failure(HostReasons.overloaded)
        case .constraint(let message) where message.contains("UNIQUE"):
            // Handlers check before they write; this one lost a race against another call.
            log(session, "unique constraint refused", error, .notice)
            return Failure(HostReasons.alreadyExists)
        case .constraint:
            log(session, "constraint refused", error, .error)
            return internalFailure(session)
        case .closed, .engine, .unusable:
            log(session, "storage failed", error, .error)
            return Failure(HostReasons.storageUnavailable)
        }
    }

    private func internalFailure(_ session: CallSession) -> Failure {
        Failure(
            HostReasons.internal,
            "The host failed in a way it did not foresee. Report the correlation id \(session.correlationID)."
        )
    }

    private func log(
        _ session: CallSession, _ message: Logger.Message, _ error: any Error, _ level: Logger.Level
    ) {
        session.entry.slot.logger.log(
            level: level, message,
            metadata: [
                "method": .string(session.entry.descriptor.path),
                "correlation": .string(session.correlationID),
                "error": .string(String(describing: error)),
            ])
    }
}

extension Refusal {
    /// Whether the refusal belongs into the audit chain: a right was missing, or an intended change was
    /// turned away. Overload and failures of ours are for the log and the counters.
    func isForAudit(changesState: Bool) -> Bool {
        if failure.cause is AuditedCause { return true }
        return switch failure.reason.code {
        case .permissionDenied, .unauthenticated: true
        case .invalidArgument, .failedPrecondition, .alreadyExists, .notFound, .aborted, .outOfRange:
            changesState
        case .resourceExhausted: failure.reason == HostReasons.requestTooLarge
        default: false
        }
    }

    /// As it goes over the wire, with at most `violations` of the broken rules listed.
    package func status(violations: Int) -> FrameStatus {
        var detail = Pcs_Common_V1_FailureDetail()
        detail.reason = failure.reason.name
        detail.nextStep = failure.reason.nextStep
        detail.correlationID = correlationID
        detail.violationCount = Int64(max(failure.violationCount, failure.violations.count))
        detail.violations = failure.violations.prefix(violations).map { violation in
            var message = Pcs_Common_V1_Violation()
            message.field = violation.field
            message.rule = violation.rule
            message.message = violation.message
            message.row = Int64(violation.row)
            message.column = Int32(clamping: violation.column)
            return message
        }
        // Encoding a message of ours without required fields cannot fail.
        let bytes: [UInt8] = (try? detail.serializedBytes()) ?? []
        return FrameStatus(
            code: Int32(failure.reason.code.rawValue), message: failure.message,
            details: [
                FrameStatus.Detail(
                    typeURL: "type.googleapis.com/" + Pcs_Common_V1_FailureDetail.protoMessageName,
                    value: bytes)
            ])
    }
}
