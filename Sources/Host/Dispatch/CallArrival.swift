package import PluginAPI

/// What came with a call, as its carrier (a connection, or another plugin) received it. Nothing of it is
/// trusted yet.
package struct CallArrival: Sendable {
    /// 0 = the method's own limit.
    package var timeoutMilliseconds: UInt32 = 0
    package var idempotencyKey = ""
    package var actingFor = ""
    /// Of the calling system; empty = what the carrier proved.
    package var accessToken = ""
    package var personToken = ""
    package var traceParent = ""
    package var carrier: CarrierIdentity

    package init(carrier: CarrierIdentity) { self.carrier = carrier }

    package init(_ options: CallOptions, carrier: CarrierIdentity) {
        self.carrier = carrier
        timeoutMilliseconds = options.timeoutMilliseconds ?? 0
        idempotencyKey = options.idempotencyKey ?? ""
        actingFor = options.actingFor ?? ""
        accessToken = options.accessToken ?? ""
        personToken = options.personToken ?? ""
        traceParent = options.traceParent ?? ""
    }

    /// Whether the carrier alone says who calls and for whom: then its cached answer serves.
    var restsOnCarrier: Bool { accessToken.isEmpty && personToken.isEmpty && actingFor.isEmpty }
}

/// How a call ended.
package enum CallOutcome: Sendable {
    /// The reply message of a unary or client-streaming call; empty for a server-streaming one.
    case reply([UInt8], replayed: Bool)
    case refused(Refusal)
}

/// A call that did not end well, ready for the caller.
package struct Refusal: Error, Sendable {
    package var failure: Failure
    package var progress: Progress
    package var correlationID: String
}

/// Whoever carries the outcome to the caller. `callEnded` is called exactly once a call, from any thread, and
/// must not wait.
package protocol CallResponder: AnyObject, Sendable {
    func callEnded(_ session: CallSession, _ outcome: CallOutcome)
}
