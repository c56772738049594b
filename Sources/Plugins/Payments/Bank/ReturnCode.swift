/// Why the bank sent a credit back (ARUCS, payments.md 12.7).
enum ReturnCode: String, CaseIterable, Sendable {
    case invalidDetails = "0"
    case beneficiaryDeceased = "2"
    case accountTransferred = "3"
    case noAccount = "5"
    case accountClosed = "B"
    case requestedByRemitter = "C"

    var words: String {
        switch self {
        case .invalidDetails: "invalid details"
        case .beneficiaryDeceased: "beneficiary deceased"
        case .accountTransferred: "account transferred"
        case .noAccount: "no account"
        case .accountClosed: "account closed"
        case .requestedByRemitter: "requested by the remitter"
        }
    }

    /// The account cannot be paid again as it is.
    var freezesAccount: Bool {
        switch self {
        case .invalidDetails, .accountTransferred, .noAccount, .accountClosed: true
        case .beneficiaryDeceased, .requestedByRemitter: false
        }
    }
}
