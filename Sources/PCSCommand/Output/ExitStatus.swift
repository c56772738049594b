package import PluginAPI

/// What the process ends with; docs/cli.md lists it. From 64 on the numbers are those of sysexits.h.
package enum ExitStatus: Int32, Sendable {
    case ok = 0
    /// The host refused the call or failed it.
    case failed = 1
    /// The command ran, and what it checked is not sound: a broken audit chain, a backup that does not verify.
    case unsound = 2
    /// No such record.
    case notFound = 3
    /// The command line is wrong.
    case usage = 64
    /// The input breaks rules: a field, a file, JSON that does not fit the contract.
    case data = 65
    /// A file named on the command line cannot be read.
    case noInput = 66
    /// The host cannot be reached.
    case unreachable = 69
    /// Nothing is wrong with the call; the host cannot take it now. Trying again later is right.
    case later = 75
    /// Who calls may not do this, or is not known.
    case denied = 77
    /// The settings are wrong.
    case configuration = 78

    package init(_ code: StatusCode) {
        self =
            switch code {
            case .ok: .ok
            case .notFound: .notFound
            case .invalidArgument, .outOfRange: .data
            case .unavailable, .resourceExhausted, .deadlineExceeded: .later
            case .permissionDenied, .unauthenticated: .denied
            case .dataLoss: .unsound
            case .unimplemented, .cancelled, .unknown, .alreadyExists, .failedPrecondition, .aborted,
                .internal:
                .failed
            }
    }
}

/// The command cannot go on, for a reason of its own rather than the host's.
package struct CommandError: Error, CustomStringConvertible {
    package let status: ExitStatus
    package let message: String
    package let nextStep: String

    package init(_ status: ExitStatus, _ message: String, nextStep: String = "") {
        self.status = status
        self.message = message
        self.nextStep = nextStep
    }

    package var description: String { nextStep.isEmpty ? message : "\(message)\n\(nextStep)" }
}
