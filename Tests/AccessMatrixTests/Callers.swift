import CommonContract
import Crypto
import HostContract
import PluginAPI

@testable import Host

/// One who calls: what the registry is asked with, and what is sent over a socket.
struct MatrixCaller: Sendable {
    var credentials = Credentials()
    var options = CallOptions()
}

/// For each role at each organisation a caller with every proof, put into a registry's memory.
struct Callers: Sendable {
    private let callers: [String: [MatrixCaller]]

    /// In the order of `Proof.allCases`.
    func all(_ role: Role, at organisation: String) -> [MatrixCaller] {
        callers["\(role)/\(organisation)"] ?? []
    }

    init(registry: IdentityRegistry, roles: [Role], organisations: Set<String>) throws {
        let desk = try CallerDesk(registry: registry)
        var callers: [String: [MatrixCaller]] = [:]
        for role in roles {
            for organisation in organisations {
                callers["\(role)/\(organisation)"] = try Proof.allCases.map {
                    try desk.caller(role, at: organisation, $0)
                }
            }
        }
        self.callers = callers
    }
}

/// Makes subjects and their tokens.
private struct CallerDesk {
    let registry: IdentityRegistry
    let key: VerificationKey
    let system: (principal: Principal, token: String)
    let narrowSystem: (principal: Principal, token: String)
    let disabledSystem: (principal: Principal, token: String)

    private static let keyID = "matrix"
    private static let areas = ["host", "payments", "casework", "documents", "changes", "cqrs"].map {
        "pcs.\($0).v1.*"
    }

    struct TooManyTokens: Error {}

    init(registry: IdentityRegistry) throws {
        self.registry = registry
        key = try VerificationKey(pem: P256.Signing.PrivateKey().publicKey.pemRepresentation)
        let (wide, narrow) = (Self.areas, ["pcs.elsewhere.v1.*"])
        system = try Self.system("carrier", wide, registry, key)
        narrowSystem = try Self.system("narrow-carrier", narrow, registry, key)
        disabledSystem = try Self.system("disabled-carrier", wide, registry, key)
        registry.state.withLock { $0.subjects["disabled-carrier"]?.isActive = false }
    }

    private static func system(
        _ id: String, _ scopes: [String], _ registry: IdentityRegistry, _ key: VerificationKey
    ) throws -> (principal: Principal, token: String) {
        var subject = Subject(
            id: id, kind: .client, name: id, isActive: true, scopes: scopes.compactMap { MethodScope($0) },
            certificateURI: nil)
        subject.keys[keyID] = key
        return try signed(subject, registry)
    }

    /// Keeps the subject, and a token as for a signed assertion.
    private static func signed(
        _ subject: Subject, _ registry: IdentityRegistry
    ) throws -> (principal: Principal, token: String) {
        let text = AccessTokens.makeText()
        let digest = AccessTokens.Digest(text)
        let now = registry.clock.now
        let isKept = registry.state.withLock { state in
            state.subjects[subject.id] = subject
            return state.tokens.insert(digest, subject: subject, keyID: keyID, now: now)
        }
        guard isKept else { throw TooManyTokens() }
        let principal = Principal(
            subjectID: subject.id, kind: subject.kind == .person ? .person : .client, authentication: "token",
            tokenID: digest.id, provedAt: now)
        return (principal, text)
    }

    func caller(_ role: Role, at organisation: String, _ proof: Proof) throws -> MatrixCaller {
        switch proof {
        case .nobody: return MatrixCaller()
        case .clientWithScope, .clientWithoutScope, .disabledClient:
            return try client(role, at: organisation, proof)
        case .signedAssertion:
            let person = try Self.signed(subject(role, at: organisation, proof, .person), registry)
            return MatrixCaller(
                credentials: Credentials(person: person.principal),
                options: CallOptions(accessToken: person.token))
        default:
            let person = try session(subject(role, at: organisation, proof, .person), organisation, proof)
            return through(proof, person)
        }
    }

    private func subject(
        _ role: Role, at organisation: String, _ proof: Proof, _ kind: Subject.Kind, scopes: [String] = []
    ) -> Subject {
        var subject = Subject(
            id: "\(role)-\(organisation)-\(proof)".lowercased(), kind: kind, name: "\(role)", isActive: true,
            scopes: scopes.compactMap { MethodScope($0) }, certificateURI: nil)
        subject.keys[Self.keyID] = key
        guard let code = ODSCode(organisation) else { return subject }
        let today = registry.clock.today
        if role != Roles.member {
            subject.grants = [RoleGrant(id: subject.id, role: role, organisation: code, from: today, to: nil)]
        } else if kind == .person {
            subject.memberships = [Membership(organisation: code, from: today)]
        }
        return subject
    }

    private func client(_ role: Role, at organisation: String, _ proof: Proof) throws -> MatrixCaller {
        let scopes = proof == .clientWithoutScope ? ["pcs.elsewhere.v1.*"] : Self.areas
        let client = subject(role, at: organisation, proof, .client, scopes: scopes)
        let (principal, token) = try Self.signed(client, registry)
        if proof == .disabledClient {
            registry.state.withLock { $0.subjects[client.id]?.isActive = false }
        }
        return MatrixCaller(
            credentials: Credentials(system: principal), options: CallOptions(accessToken: token))
    }

    private func session(
        _ person: Subject, _ organisation: String, _ proof: Proof
    ) throws -> (principal: Principal, token: String) {
        let now = registry.clock.now
        registry.state.withLock { $0.subjects[person.id] = person }
        let session = PersonSession(
            organisation: proof == .sessionWithoutOrganisation ? nil : ODSCode(organisation),
            assurance: proof == .withoutSecondFactor ? 1 : 2, idleMilliseconds: 3_600_000)
        let opened = try registry.openSession(
            of: person.id, session,
            // A minute beyond the five within which a proof counts as fresh.
            provedAt: proof == .agedSession ? now.adding(milliseconds: -360_000) : now,
            expiresAt: now.adding(milliseconds: proof == .expiredSession ? -1 : 28_800_000))
        if proof == .revokedSession { registry.endToken(opened.id) }
        if proof == .disabledAccount {
            registry.state.withLock { $0.subjects[person.id]?.isActive = false }
        }
        let principal = Principal(
            subjectID: person.id, kind: .person, authentication: "session", tokenID: opened.id,
            provedAt: opened.provedAt, session: session)
        return (principal, opened.token)
    }

    private func through(_ proof: Proof, _ person: (principal: Principal, token: String)) -> MatrixCaller {
        let carrier: (principal: Principal, token: String)
        switch proof {
        case .personThroughSystem: carrier = system
        case .personThroughSystemWithoutScope: carrier = narrowSystem
        case .personThroughDisabledSystem: carrier = disabledSystem
        default:
            return MatrixCaller(
                credentials: Credentials(person: person.principal),
                options: CallOptions(accessToken: person.token))
        }
        return MatrixCaller(
            credentials: Credentials(system: carrier.principal, person: person.principal),
            options: CallOptions(accessToken: carrier.token, personToken: person.token))
    }
}
