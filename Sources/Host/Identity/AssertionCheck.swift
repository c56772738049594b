import PluginAPI

/// Why an assertion was refused. The caller never learns it; the audit does.
enum AssertionRefusal: String, Error, Sendable {
    case malformed = "it is not a compact JWS with the claims required"
    case type = "typ is not JWT"
    case criticalExtension = "it has critical header parameters"
    case algorithm = "alg is not that of the registered key"
    case keyNameMissing = "kid is missing"
    case unknownSubject = "the subject is unknown"
    case disabledSubject = "the subject is disabled"
    case unknownKey = "the key is unknown or revoked"
    case signature = "the signature does not verify"
    case issuer = "iss is not sub"
    case audience = "aud is not this host"
    case expired = "exp has passed"
    case tooFarAhead = "exp is more than 300 seconds ahead"
    case notYetValid = "nbf or iat lies in the future"
    case identifier = "jti is missing or not 1 to 128 printable characters"
    case replayed = "jti was used before"
    case tooManyTokens = "the subject has too many live tokens"
    /// Not a refusal of the assertion: the host could not make its use durable.
    case storage = "its use could not be recorded"
}

/// The checks of identity-and-organisations.md 11 on one assertion. Pure: the keys and the time come in.
enum AssertionCheck {
    /// Seconds by which clocks may differ.
    static let skew = 30.0
    /// Seconds that an assertion may live.
    static let longestLife = 300.0

    /// - Parameters:
    ///   - subject: the one named by `sub`, `nil` when there is none.
    ///   - seconds: now, since 1970.
    /// - Returns: why it is refused, or `nil`. One signature is verified in any case, by the registered key or by a decoy:
    ///   only who knows a subject together with the name of its key can tell the two apart by the clock.
    static func refusal(
        of assertion: ClientAssertion, subject: Subject?, audience: String, seconds: Double
    ) -> AssertionRefusal? {
        let registered = subject?.keys[assertion.keyID]
        let isSigned =
            (registered ?? DecoyKeys.key(for: assertion.algorithm))?
            .isValid(assertion.signature, for: assertion.signedBytes) ?? false
        let claims = assertion.claims
        guard assertion.type == "JWT" else { return .type }
        guard !assertion.hasCriticalExtensions else { return .criticalExtension }
        guard !assertion.keyID.isEmpty else { return .keyNameMissing }
        guard let subject else { return .unknownSubject }
        guard let registered else { return .unknownKey }
        guard assertion.algorithm == registered.algorithm else { return .algorithm }
        guard isSigned else { return .signature }
        guard subject.isActive else { return .disabledSubject }
        guard claims.issuer == claims.subject else { return .issuer }
        guard claims.audience == audience else { return .audience }
        guard claims.expiresAt + skew > seconds else { return .expired }
        guard claims.expiresAt <= seconds + longestLife else { return .tooFarAhead }
        guard (claims.notBefore ?? 0) <= seconds + skew, (claims.issuedAt ?? 0) <= seconds + skew else {
            return .notYetValid
        }
        guard (1...128).contains(claims.identifier.utf8.count),
            claims.identifier.utf8.allSatisfy({ (0x20...0x7E).contains($0) })
        else { return .identifier }
        return nil
    }
}
