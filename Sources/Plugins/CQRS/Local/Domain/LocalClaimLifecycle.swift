/// States of a local claim (cqrs.md 10.4). The numbers are those of the contract.
enum LocalClaimState: Int, CaseIterable, Sendable {
    case draft = 1, `internal`, submitted, tier1Approved, queried, rejected, awaitingFinance, approved,
        sentToPCSE
    case inPaymentFile, paid, paymentFailed, withdrawn, bulkReview

    var name: String {
        switch self {
        case .draft: "Draft"
        case .internal: "With the provider's approver"
        case .submitted: "Submitted"
        case .tier1Approved: "Tier 1 approved"
        case .queried: "Queried"
        case .rejected: "Rejected"
        case .awaitingFinance: "Awaiting Finance"
        case .approved: "Approved"
        case .sentToPCSE: "Sent to PCSE"
        case .inPaymentFile: "In payment file"
        case .paid: "Paid"
        case .paymentFailed: "Payment failed"
        case .withdrawn: "Withdrawn"
        case .bulkReview: "Bulk review"
        }
    }

    /// Whether it stands in the way of another claim of the same window (LOC-7).
    var isLive: Bool { self != .rejected && self != .withdrawn }

    /// Whether its lines count against caps: from the commissioner's desk on. A failed payment still is owed.
    var counts: Bool {
        switch self {
        case .draft, .internal, .rejected, .withdrawn: false
        default: true
        }
    }

    static let counting = allCases.filter(\.counts)
}

enum LocalClaimEvent: CaseIterable, Sendable {
    case submit, submitInternally, returnInternally, check, query, reject, approve, approveForFinance,
        financeApprove
    case financeApproveFirst, financeReturn, send, putInFile, pay, failPayment, retryPayment, withdraw
    case acceptBulk, declineBulk
}

/// The table of 10.4. Whatever is not in it is refused. The steps of the internal level, of bulk claims (10.5), of the
/// two persons of the high band and of a payment tried again are ours.
enum LocalClaimLifecycle {
    struct Step: Hashable, Sendable {
        var from: LocalClaimState
        var event: LocalClaimEvent
        var to: LocalClaimState
    }

    static let table: [Step] = [
        .init(from: .draft, event: .submit, to: .submitted),
        .init(from: .draft, event: .submitInternally, to: .internal),
        .init(from: .draft, event: .withdraw, to: .withdrawn),
        .init(from: .internal, event: .submit, to: .submitted),
        .init(from: .internal, event: .returnInternally, to: .draft),
        .init(from: .submitted, event: .check, to: .tier1Approved),
        .init(from: .submitted, event: .query, to: .queried),
        .init(from: .submitted, event: .reject, to: .rejected),
        .init(from: .tier1Approved, event: .query, to: .queried),
        .init(from: .tier1Approved, event: .reject, to: .rejected),
        .init(from: .tier1Approved, event: .approve, to: .approved),
        .init(from: .tier1Approved, event: .approveForFinance, to: .awaitingFinance),
        .init(from: .queried, event: .submit, to: .submitted),
        .init(from: .queried, event: .submitInternally, to: .internal),
        .init(from: .awaitingFinance, event: .financeApproveFirst, to: .awaitingFinance),
        .init(from: .awaitingFinance, event: .financeApprove, to: .approved),
        .init(from: .awaitingFinance, event: .financeReturn, to: .tier1Approved),
        .init(from: .approved, event: .send, to: .sentToPCSE),
        .init(from: .approved, event: .putInFile, to: .inPaymentFile),
        .init(from: .approved, event: .failPayment, to: .paymentFailed),
        .init(from: .sentToPCSE, event: .pay, to: .paid),
        .init(from: .sentToPCSE, event: .failPayment, to: .paymentFailed),
        .init(from: .inPaymentFile, event: .pay, to: .paid),
        .init(from: .inPaymentFile, event: .failPayment, to: .paymentFailed),
        .init(from: .paymentFailed, event: .retryPayment, to: .approved),
        .init(from: .bulkReview, event: .acceptBulk, to: .tier1Approved),
        .init(from: .bulkReview, event: .declineBulk, to: .rejected),
    ]

    private struct Key: Hashable {
        var from: LocalClaimState
        var event: LocalClaimEvent
    }
    private static let index: [Key: LocalClaimState] = Dictionary(
        uniqueKeysWithValues: table.map { (Key(from: $0.from, event: $0.event), $0.to) })

    static func next(_ state: LocalClaimState, _ event: LocalClaimEvent) -> LocalClaimState? {
        index[Key(from: state, event: event)]
    }
}

/// By value (10.2); the bounds are figures of the service or of the nation.
enum LocalRiskBand: Int, CaseIterable, Sendable {
    case low = 1, medium, high

    init(pence: Int64, mediumFrom: Int64, highFrom: Int64) {
        self = pence >= highFrom ? .high : pence >= mediumFrom ? .medium : .low
    }

    /// How many persons of Finance approve.
    var financePersons: Int { rawValue - 1 }
}

/// States of a provider's part in a contract (10.3). The numbers are those of the contract.
enum LocalContractState: Int, CaseIterable, Sendable {
    case pending = 1, active, rejected, withdrawn, ended

    func may(become next: LocalContractState) -> Bool {
        switch (self, next) {
        case (.pending, .active), (.pending, .rejected), (.pending, .withdrawn), (.active, .ended): true
        default: false
        }
    }
}
