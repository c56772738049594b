/// The life of an upload. Numbers follow `pcs.documents.v1.UploadState` and are stored.
enum UploadState: Int64, CaseIterable, Sendable {
    case open = 1
    case completed = 2
    case refused = 3
    case abandoned = 4
    case expired = 5

    var words: String {
        switch self {
        case .open: "is open"
        case .completed: "was completed"
        case .refused: "was refused"
        case .abandoned: "was abandoned"
        case .expired: "was not completed in time"
        }
    }
}

/// The life of a document. Numbers follow `pcs.documents.v1.DocumentState` and are stored.
///
/// scanning -> clean | infected; each of the three -> destroyed.
enum DocumentState: Int64, CaseIterable, Sendable {
    case scanning = 1
    case clean = 2
    case infected = 3
    case destroyed = 4

    func canBecome(_ next: DocumentState) -> Bool {
        switch (self, next) {
        case (.scanning, .clean), (.scanning, .infected): true
        case (.scanning, .destroyed), (.clean, .destroyed), (.infected, .destroyed): true
        default: false
        }
    }
}
