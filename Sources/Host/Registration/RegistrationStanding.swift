import HostContract

/// Where an organisation's registration stands (identity-and-organisations.md 6); numbers as in
/// `pcs.host.v1.RegistrationState`.
enum RegistrationStanding: Int, Sendable, CaseIterable {
    /// May become: invited, registered (a branch, under its main practice).
    case notInvited = 1
    /// May become: invited (a new letter), expired, revoked, code accepted, closed.
    case invited
    /// May become: invited, closed.
    case expired
    /// May become: registered, closed.
    case codeAccepted
    /// May become: suspended, closed.
    case registered
    /// May become: registered, closed.
    case suspended
    /// May become: invited, when the organisation opens again.
    case closed
    /// May become: invited, closed.
    case revoked

    func mayBecome(_ next: RegistrationStanding) -> Bool {
        switch (self, next) {
        case (.notInvited, .invited), (.notInvited, .registered): true
        case (.invited, .invited), (.invited, .expired), (.invited, .revoked), (.invited, .codeAccepted): true
        case (.expired, .invited), (.revoked, .invited), (.closed, .invited): true
        case (.codeAccepted, .registered), (.suspended, .registered), (.registered, .suspended): true
        case (.closed, .closed): false
        case (_, .closed): self != .notInvited
        default: false
        }
    }

    var message: Pcs_Host_V1_RegistrationState {
        Pcs_Host_V1_RegistrationState(rawValue: rawValue) ?? .unspecified
    }
}
