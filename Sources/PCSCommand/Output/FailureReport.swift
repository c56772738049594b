import PluginAPI

/// A failed command as it is shown: the reason, what to do next, every broken rule.
package struct FailureReport: Sendable {
    package let status: ExitStatus
    private let reason: String
    private let message: String
    private let nextStep: String
    private var violations: [Violation] = []
    private var violationCount = 0
    private var progress = ""
    private var correlationID = ""
    private var settings: [SettingsComplaint] = []

    package init(_ error: any Error) {
        switch error {
        case let failure as Failure:
            status =
                failure.reason.name == "CONNECTION_FAILED" ? .unreachable : ExitStatus(failure.reason.code)
            reason = failure.reason.name
            message = failure.message
            nextStep = failure.reason.nextStep
            violations = failure.violations
            violationCount = max(failure.violationCount, failure.violations.count)
            progress = Self.words(failure.progress, failure.reason.code)
            correlationID = failure.correlationID ?? ""
        case let error as CommandError:
            (status, reason, message, nextStep) = (error.status, "", error.message, error.nextStep)
        case let error as SettingsError:
            (status, reason, message, nextStep) = (.configuration, "", error.description, "")
            settings = error.complaints
        case let error as DynamicError:
            (status, reason, message, nextStep) = (.data, "", error.description, "")
        case let error as TextFormatError:
            (status, reason, message, nextStep) = (.data, "", error.description, "")
        case let error as JSONSyntaxError:
            (status, reason, message, nextStep) = (.data, "", "the input is not JSON: \(error)", "")
        default:
            (status, reason, message, nextStep) = (.failed, "", "\(error)", "")
        }
    }

    /// A refusal says by itself that nothing was done; how far a call got matters where it was cut off.
    private static func words(_ progress: Progress?, _ code: StatusCode) -> String {
        switch progress {
        case .notStarted: return "not started"
        case .committed: return "committed: the effect is durable"
        case .started:
            let wasCutOff: [StatusCode] = [
                .cancelled, .unknown, .deadlineExceeded, .aborted, .internal, .unavailable,
            ]
            return wasCutOff.contains(code) ? "started: whether it changed anything is not known" : ""
        case nil: return ""
        }
    }

    /// For people, on standard error.
    package func text(for terminal: Terminal) -> String {
        if !settings.isEmpty {
            return settings.map { "pcs: " + TextSafety.clean($0.description) }.joined(separator: "\n")
        }
        let title = terminal.styled(reason.isEmpty ? "error" : reason, .bad)
        var lines = ["\(title): \(TextSafety.clean(message))"]
        if !violations.isEmpty { lines += ["", violationTable(for: terminal)] }
        if violationCount > violations.count {
            lines.append("  ... and \(Wording.count(violationCount - violations.count)) more")
        }
        if !violations.isEmpty { lines.append("") }
        if !progress.isEmpty, progress != "not started" { lines.append("progress: \(progress)") }
        if !nextStep.isEmpty { lines.append("next: \(TextSafety.clean(nextStep))") }
        if !correlationID.isEmpty {
            lines.append(terminal.styled("correlation id: \(TextSafety.clean(correlationID))", .faint))
        }
        return lines.joined(separator: "\n")
    }

    private func violationTable(for terminal: Terminal) -> String {
        let isFile = violations.contains { $0.row > 0 }
        var table = Table(
            (isFile ? [.right("row"), .right("column")] : []) + [
                .left("field"), .left("rule"), .left("problem"),
            ])
        for violation in violations {
            let place: [Table.Cell] = [
                Table.Cell(violation.row > 0 ? "\(violation.row)" : ""),
                Table.Cell(violation.column > 0 ? "\(violation.column)" : ""),
            ]
            table.add(
                (isFile ? place : []) + [
                    Table.Cell(violation.field), Table.Cell(violation.rule), Table.Cell(violation.message),
                ])
        }
        return table.rendered(for: terminal, indentation: 2)
    }

    /// For programs: one object on standard error.
    package var json: JSONValue {
        var members = [
            JSONValue.Member("reason", .string(reason)),
            JSONValue.Member("message", .string(message)),
            JSONValue.Member("nextStep", .string(nextStep)),
            JSONValue.Member("exitStatus", .number(String(status.rawValue))),
        ]
        if !progress.isEmpty { members.append(JSONValue.Member("progress", .string(progress))) }
        if !correlationID.isEmpty {
            members.append(JSONValue.Member("correlationId", .string(correlationID)))
        }
        let rows = violations.map { violation in
            JSONValue.object([
                JSONValue.Member("row", .number(String(violation.row))),
                JSONValue.Member("column", .number(String(violation.column))),
                JSONValue.Member("field", .string(violation.field)),
                JSONValue.Member("rule", .string(violation.rule)),
                JSONValue.Member("message", .string(violation.message)),
            ])
        }
        members.append(JSONValue.Member("violations", .array(rows)))
        members.append(JSONValue.Member("violationCount", .number(String(violationCount))))
        return .object([JSONValue.Member("error", .object(members))])
    }
}
