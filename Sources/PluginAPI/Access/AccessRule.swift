/// A role of the catalogue in `proto/pcs/access/v1/access.proto`, by its name there without the `ROLE_` prefix.
public struct Role: Hashable, Sendable, CustomStringConvertible {
    public let name: String
    public init(_ name: String) { self.name = name }
    public var description: String { name }
}

/// The relation that the organisation acted for must have to the organisation of the request.
/// The cases follow `pcs.access.v1.Relation`.
public enum Relation: String, Sendable, CaseIterable {
    case national, own, commissioner, icb, region, pcnMember, pcnOf, pcnPeer, acting
}

/// One way to be allowed: a role, in a relation to the organisation in a field of the request.
public struct Allow: Hashable, Sendable {
    public let role: Role
    public let relation: Relation
    /// Name of the request's field with the ODS code concerned; empty for `.national` and `.acting`.
    public let organisationField: String

    public init(role: Role, relation: Relation, organisationField: String = "") {
        self.role = role
        self.relation = relation
        self.organisationField = organisationField
    }
}

/// Who may call a method and under which limits; generated from the method's option in proto.
public struct AccessRule: Hashable, Sendable {
    public enum Audit: String, Sendable { case none, change, sensitiveRead }
    /// Where the handler runs: on the connection's event loop, or on the global pool.
    public enum Execution: String, Sendable { case inline, pooled }

    public let allow: [Allow]
    public let isAnonymous: Bool
    public let anyCaller: Bool
    public let changesState: Bool
    public let needsSecondPerson: Bool
    public let audit: Audit
    /// Milliseconds, 1 to 600,000.
    public let timeLimitMilliseconds: UInt32
    public let maximumRequestBytes: UInt32
    public let execution: Execution
    /// The person must have proved themselves afresh in the last five minutes.
    public let needsStepUp: Bool

    public init(
        allow: [Allow], isAnonymous: Bool = false, anyCaller: Bool = false, changesState: Bool = false,
        needsSecondPerson: Bool = false, audit: Audit = .none, timeLimitMilliseconds: UInt32 = 30_000,
        maximumRequestBytes: UInt32 = 65_536, execution: Execution = .inline, needsStepUp: Bool = false
    ) {
        self.allow = allow
        self.isAnonymous = isAnonymous
        self.anyCaller = anyCaller
        self.changesState = changesState
        self.needsSecondPerson = needsSecondPerson
        self.audit = audit
        self.timeLimitMilliseconds = timeLimitMilliseconds
        self.maximumRequestBytes = maximumRequestBytes
        self.execution = execution
        self.needsStepUp = needsStepUp
    }
}
