import HostContract
import PaymentsContract
import PluginAPI
import Tabular

extension PaymentsError {
    /// What the caller is told.
    var failure: Failure {
        switch self {
        case .rateMissing(let name, let day):
            Failure(
                PaymentsReasons.rateMissing,
                "The rate \(name.rawValue) is not set for \(YearMonth(containing: day)).")
        case .figureMissing(let name, let day):
            Failure(
                PaymentsReasons.rateMissing,
                "The figure \(name) is not set for \(YearMonth(containing: day)).")
        case .amountOutOfRange(let place):
            Failure(
                PaymentsReasons.amountOutOfRange,
                "An amount of \(place) is too large to be calculated exactly.")
        case .calendarMissing(let year):
            Failure(PaymentsReasons.calendarMissing, "The bank holidays of \(year) are not loaded.")
        case .damaged(let what):
            Failure(PaymentsReasons.statementDamaged, "The stored \(what) does not match its hash.")
        }
    }
}

extension RunAction {
    /// The state to which the action leads, or the refusal that names the states in which it may be taken.
    func requireNext(from run: RunRecord) throws -> RunState {
        if let state = next(from: run.state) { return state }
        let allowed = allowedIn.map(\.name).joined(separator: ", ")
        throw Failure(
            PaymentsReasons.runStateWrong,
            "Run \(run.id) is \(run.state.name); this needs a run that is \(allowed).")
    }
}

/// Runs `body` and turns what the domain throws into what the caller is told.
func refusing<Result>(_ body: () throws -> Result) throws -> Result {
    do {
        return try body()
    } catch let error as PaymentsError {
        throw error.failure
    } catch let CalendarError.yearUnknown(year) {
        throw PaymentsError.calendarMissing(year).failure
    } catch is ArithmeticError {
        throw PaymentsError.amountOutOfRange("the run").failure
    }
}

extension Failure {
    static func file(_ violations: ViolationList) -> Failure { violations.failure(HostReasons.fileInvalid) }
}
