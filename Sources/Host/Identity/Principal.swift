import PluginAPI

/// Who stands at one end of a call, proved.
package struct Principal: Hashable, Sendable {
    package enum Kind: Sendable, Hashable { case person, client, localOperator, plugin }

    /// Account or client id; `local:<user>` for an operator at the Unix socket, `plugin:<name>` for a plugin.
    package let subjectID: String
    package let kind: Kind
    /// `unix-socket`, `mutual-tls`, `token` or `in-process`.
    package let authentication: String
    /// The access token that proved it. Each call asks whether it still holds.
    package let tokenID: TokenID?
    /// What a plugin may reach; empty for everybody else, whose scopes the registry knows.
    let scopes: [MethodScope]
    /// When a person last proved themselves in full: by a session's log-in or step-up, or by a signed assertion.
    let provedAt: Instant?
    /// `nil` unless a person's session proved it.
    let session: PersonSession?

    init(
        subjectID: String, kind: Kind, authentication: String, tokenID: TokenID? = nil,
        scopes: [MethodScope] = [], provedAt: Instant? = nil, session: PersonSession? = nil
    ) {
        self.provedAt = provedAt
        self.session = session
        self.subjectID = subjectID
        self.kind = kind
        self.authentication = authentication
        self.tokenID = tokenID
        self.scopes = scopes
    }
}

/// What a call brings to the gate of access.
package struct Credentials: Sendable {
    /// The calling system.
    package var system: Principal?
    /// The person on whose behalf it calls, or who calls with a session of their own.
    package var person: Principal?
    /// ODS code of the organisation acted for, as sent.
    package var actingFor: String?

    package init(system: Principal? = nil, person: Principal? = nil, actingFor: String? = nil) {
        self.system = system
        self.person = person
        self.actingFor = actingFor
    }
}

/// Methods that a system may reach: a version of an area, a service, or one method.
package struct MethodScope: Hashable, Sendable, CustomStringConvertible {
    /// As written: `pcs.payments.v1.*`, `pcs.payments.v1.RunService/*` or `pcs.payments.v1.RunService/GetRun`.
    package let description: String
    private let prefix: String
    private let isWhole: Bool

    /// `nil` unless it is one of the three forms.
    package init?(_ text: String) {
        guard text.utf8.count <= 200 else { return nil }
        let isArea = text.hasSuffix(".*")
        let isService = text.hasSuffix("/*")
        let path = isArea || isService ? String(text.dropLast(2)) : text
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == (isArea || isService ? 1 : 2), let names = parts.first else { return nil }
        let words = names.split(separator: ".", omittingEmptySubsequences: false) + parts.dropFirst()
        guard words.count >= (isArea ? 2 : 3), words.allSatisfy(MethodScope.isName), words.first == "pcs"
        else { return nil }
        description = text
        prefix = isArea ? path + "." : isService ? path + "/" : path
        isWhole = !isArea && !isService
    }

    /// Whether the scope has the method, given as `pcs.payments.v1.RunService/GetRun`.
    package func contains(_ path: String) -> Bool { isWhole ? path == prefix : path.hasPrefix(prefix) }

    private static func isName(_ word: Substring) -> Bool {
        guard let first = word.utf8.first, first < 0x30 || first > 0x39 else { return false }
        return word.utf8.allSatisfy {
            (0x61...0x7A).contains($0 | 0x20) || (0x30...0x39).contains($0) || $0 == UInt8(ascii: "_")
        }
    }
}
