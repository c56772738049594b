import PluginAPI

/// The codes of one organisation, as salted hashes.
struct IssuedCode: Sendable {
    let id: String
    let salt: [UInt8]
    let digest: [UInt8]
    /// Last day on which it is accepted, the whole of it in England.
    let expiresOn: CalendarDate
    /// `used`, `replaced`, `revoked` or `closed`; `nil` while it may be used.
    let endedBecause: String?

    /// What came of looking at a code. Only the first is told to the caller; the audit has them all.
    enum Verdict: Sendable, Equatable {
        case good(codeID: String)
        case refused(Cause)
    }

    enum Cause: String, Sendable {
        case notInvited = "the organisation has no code"
        case wrong = "the code is none of this organisation's"
        case expired = "the code has expired"
        case used = "the code was used before"
        case replaced = "a later letter took the code's place"
        case revoked = "the code was revoked"
        case locked = "wrong codes have locked the organisation"
        case crowded = "too many wrong codes from everywhere"
    }

    static func all(of organisation: ODSCode, in reader: any Reader) throws -> [IssuedCode] {
        try reader.all(RegistrationTables.codesOf, [.text(organisation.value)]) { row in
            IssuedCode(
                id: row.text(0), salt: row.blob(1), digest: row.blob(2), expiresOn: try row.date(3),
                endedBecause: row.optionalText(4))
        }
    }

    /// Compares with every code that the organisation ever had, so that a good one takes as long as a wrong one.
    static func verdict(
        on code: RegistrationCode, for organisation: ODSCode, among issued: [IssuedCode], today: CalendarDate
    ) -> Verdict {
        guard !issued.isEmpty else {
            _ = code.digest(for: organisation, salt: decoySalt)
            return .refused(.notInvited)
        }
        var found: IssuedCode?
        for one in issued where code.fits(one.digest, for: organisation, salt: one.salt) { found = one }
        guard let found else { return .refused(.wrong) }
        switch found.endedBecause {
        case nil: return found.expiresOn < today ? .refused(.expired) : .good(codeID: found.id)
        case "used": return .refused(.used)
        case "replaced": return .refused(.replaced)
        default: return .refused(.revoked)
        }
    }

    private static let decoySalt = [UInt8](repeating: 0x5A, count: 16)

    /// Puts a new code in the place of the earlier ones, which die at once.
    static func issue(
        _ code: RegistrationCode, salt: [UInt8], for organisation: ODSCode, expiresOn: CalendarDate,
        by person: String, in transaction: any Transaction
    ) throws {
        try transaction.run(
            RegistrationTables.endCodes,
            [.text(organisation.value), .instant(transaction.now), .text("replaced")])
        try transaction.run(
            RegistrationTables.insertCode,
            [
                .text(transaction.newIdentifier()), .text(organisation.value), .blob(salt),
                .blob(code.digest(for: organisation, salt: salt)), .date(expiresOn),
                .instant(transaction.now),
                .text(person),
            ])
    }

    static func endAll(of organisation: ODSCode, because: String, in transaction: any Transaction) throws {
        try transaction.run(
            RegistrationTables.endCodes,
            [.text(organisation.value), .instant(transaction.now), .text(because)])
    }
}
