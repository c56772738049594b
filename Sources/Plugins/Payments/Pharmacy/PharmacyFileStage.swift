/// Where a file of local payments stands. Numbers are stored and follow `pcs.payments.v1.PharmacyFileState`.
enum PharmacyFileStage: Int64, CaseIterable, Sendable {
    case received = 1
    case validated = 2
    case authorised = 3
    case sent = 4
    case confirmed = 5
    case queried = 6
    case replaced = 7

    var name: String {
        switch self {
        case .received: "received"
        case .validated: "validated"
        case .authorised: "authorised"
        case .sent: "sent"
        case .confirmed: "confirmed"
        case .queried: "queried"
        case .replaced: "replaced"
        }
    }

    /// Its levies hold.
    var isInForce: Bool { [.authorised, .sent, .confirmed, .queried].contains(self) }
}

enum PharmacyFileAction: CaseIterable, Sendable {
    case validate, authorise, send, confirm, query, replace

    func next(from stage: PharmacyFileStage) -> PharmacyFileStage? {
        switch (self, stage) {
        case (.validate, .received): .validated
        case (.authorise, .validated): .authorised
        case (.send, .authorised): .sent
        case (.confirm, .sent), (.confirm, .queried): .confirmed
        case (.query, .sent): .queried
        case (.replace, .validated): .replaced
        default: nil
        }
    }
}
