/// The life of a payment run (payments.md 12.1). Numbers follow `pcs.payments.v1.RunState` and are stored.
///
/// open -> cut off -> calculated -> reviewed -> approved -> paid -> closed; back from calculated and reviewed by
/// reopening; aborted from every state before paid.
enum RunState: Int64, CaseIterable, Sendable {
    case open = 1
    case cutOff = 2
    case calculated = 3
    case reviewed = 4
    case approved = 5
    case paid = 6
    case closed = 7
    case aborted = 8

    var name: String {
        switch self {
        case .open: "open"
        case .cutOff: "cut off"
        case .calculated: "calculated"
        case .reviewed: "reviewed"
        case .approved: "approved"
        case .paid: "paid"
        case .closed: "closed"
        case .aborted: "aborted"
        }
    }

    /// Lines exist.
    var isCalculated: Bool { [.calculated, .reviewed, .approved, .paid, .closed].contains(self) }
    /// Lines and statements are final and can be read by practices.
    var isPublished: Bool { [.approved, .paid, .closed].contains(self) }
}

enum RunAction: String, CaseIterable, Sendable {
    case freeze, calculate, acceptException, review, approve, reopen, thaw, abort, recordPaid, close

    /// What state each action leads to, by the state in which it may be taken.
    func next(from state: RunState) -> RunState? {
        switch (self, state) {
        case (.freeze, .open): .cutOff
        case (.calculate, .open), (.calculate, .cutOff), (.calculate, .calculated): .calculated
        case (.acceptException, .calculated): .calculated
        case (.review, .calculated): .reviewed
        case (.approve, .reviewed): .approved
        case (.reopen, .reviewed): .calculated
        case (.thaw, .cutOff), (.thaw, .calculated), (.thaw, .reviewed): .open
        case (.abort, .open), (.abort, .cutOff), (.abort, .calculated), (.abort, .reviewed),
            (.abort, .approved):
            .aborted
        case (.recordPaid, .approved): .paid
        case (.close, .paid): .closed
        default: nil
        }
    }

    /// States in which the action may be taken.
    var allowedIn: [RunState] { RunState.allCases.filter { next(from: $0) != nil } }
}
