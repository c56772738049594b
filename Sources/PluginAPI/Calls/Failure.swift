/// gRPC status codes, with their numbers.
public enum StatusCode: UInt32, Sendable, CaseIterable {
    case ok = 0
    case cancelled, unknown, invalidArgument, deadlineExceeded, notFound, alreadyExists, permissionDenied
    case resourceExhausted, failedPrecondition, aborted, outOfRange, unimplemented, `internal`, unavailable, dataLoss
    case unauthenticated
}

/// How far a failed call got; the numbers are those of `pcs.frame.v1.Progress`.
public enum Progress: UInt32, Sendable {
    case notStarted = 1
    case started = 2
    case committed = 3
}

/// An entry of the error catalogue; the constants are generated from the `...Reason` enums in proto.
public struct Reason: Hashable, Sendable {
    /// Stable name, for example `RUN_STATE_WRONG`.
    public let name: String
    public let code: StatusCode
    public let summary: String
    public let nextStep: String

    public init(name: String, code: StatusCode, summary: String, nextStep: String) {
        self.name = name
        self.code = code
        self.summary = summary
        self.nextStep = nextStep
    }

    // By name: a reason that came over a socket carries the words of the host that sent it.
    public static func == (left: Reason, right: Reason) -> Bool { left.name == right.name }
    public func hash(into hasher: inout Hasher) { hasher.combine(name) }
}

/// One field or row that broke a rule.
public struct Violation: Hashable, Sendable {
    /// Path of the field, or name of the column.
    public var field: String
    /// Name of the rule, for example `CV005`.
    public var rule: String
    public var message: String
    /// Line in the file, header = 1; 0 when not a file.
    public var row: Int
    /// Column in the file, first = 1; 0 when the whole row or not a file.
    public var column: Int

    public init(field: String, rule: String, message: String, row: Int = 0, column: Int = 0) {
        self.field = field
        self.rule = rule
        self.message = message
        self.row = row
        self.column = column
    }
}

/// A typed refusal. Handlers throw it; the Host carries it to the caller with nothing added but the correlation id.
/// Any other error that a handler throws reaches the caller as `INTERNAL` without its text.
public struct Failure: Error, Sendable, CustomStringConvertible {
    public var reason: Reason
    /// One English sentence for the caller. Never SQL, a path or a secret.
    public var message: String
    public var violations: [Violation]
    /// Number of violations found, when more than are listed.
    public var violationCount: Int
    public var progress: Progress?
    /// Set on the caller's side of a socket: ties the failure to the host's log and audit. Handlers leave it `nil`.
    public var correlationID: String?
    /// For the log only.
    public var cause: (any Error)?

    /// - Parameter message: defaults to the reason's summary.
    public init(
        _ reason: Reason, _ message: String? = nil, violations: [Violation] = [], violationCount: Int? = nil,
        progress: Progress? = nil, cause: (any Error)? = nil
    ) {
        self.reason = reason
        self.message = message ?? reason.summary
        self.violations = violations
        self.violationCount = violationCount ?? violations.count
        self.progress = progress
        self.cause = cause
    }

    public var description: String {
        let listed = violations.prefix(5).map { violation in
            let place = violation.row > 0 ? "row \(violation.row) " : ""
            return "\(place)\(violation.field): \(violation.message) [\(violation.rule)]"
        }
        return ([reason.name + ": " + message] + listed).joined(separator: "; ")
    }
}
