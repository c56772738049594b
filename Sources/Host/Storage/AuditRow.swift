package import PluginAPI

/// Who did what: the part of an audit row that is known before the effect.
package struct AuditedAct: Hashable, Sendable {
    package var personID: String?
    package var clientID: String?
    package var actingFor: String
    /// Path of the method, or what acted instead of a caller: `job/calendar`, `event/payments/…`.
    package var method: String
    package var correlationID: String
    /// SHA-256 of the request; empty when there was none.
    package var requestDigest: [UInt8]

    package init(
        personID: String?, clientID: String?, actingFor: String, method: String, correlationID: String,
        requestDigest: [UInt8] = []
    ) {
        self.personID = personID
        self.clientID = clientID
        self.actingFor = actingFor
        self.method = method
        self.correlationID = correlationID
        self.requestDigest = requestDigest
    }

    /// An act of the Host's own, without a caller.
    package init(actor: String) {
        self.init(personID: nil, clientID: nil, actingFor: "", method: actor, correlationID: "")
    }
}

package enum AuditOutcome: String, Sendable {
    case done, refused
}

/// A row of the audit chain.
package struct AuditRow: Hashable, Sendable {
    package var sequence: Int64
    package var at: Instant
    package var act: AuditedAct
    package var note: AuditNote
    package var outcome: String
    package var hash: [UInt8]
}

/// What a walk along a chain found.
package struct AuditVerification: Hashable, Sendable {
    package var entries: Int64
    /// First row that does not fit what came before it; 0 when the chain is whole.
    package var brokenAt: Int64
    /// Hash of the last row, or of the chain's name when it has none.
    package var lastHash: [UInt8]
    package var isWhole: Bool { brokenAt == 0 }
}
