/// Life of a definition (cqrs.md 3.1): forward only; from published on it never changes.
enum ServiceState: Int, CaseIterable, Sendable {
    case draft = 1, published, closedToSubmission, closedToPayment, archived

    /// Whether the definition may go from here to `next`.
    func may(become next: ServiceState) -> Bool {
        next.rawValue > rawValue && (self != .draft || next == .published)
    }

    var takesSubmissions: Bool { self == .published }
    var isCalculated: Bool { self == .published || self == .closedToSubmission }
}
