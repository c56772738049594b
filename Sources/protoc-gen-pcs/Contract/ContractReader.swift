import SwiftProtobufPluginLibrary

/// Reads descriptors into a `Contract`, and refuses whatever would leave a method open, unreachable or ambiguous.
struct ContractReader {
    private var faults = Faults()
    /// Of the file that is being read.
    private var roleNames: [Int: String] = [:]

    /// - Throws: `Faults`, all of them together.
    static func read(_ files: [FileDescriptor]) throws -> Contract {
        var reader = ContractReader()
        var contract = Contract()
        for file in files { contract.files.append(reader.file(file)) }
        try reader.faults.throwIfAny()
        return contract
    }

    private mutating func file(_ descriptor: FileDescriptor) -> Contract.File {
        var file = Contract.File(descriptor: descriptor)
        roleNames = CatalogueReader.roleNames(visibleFrom: descriptor)
        for service in descriptor.services {
            file.services.append(
                Contract.Service(descriptor: service, methods: service.methods.compactMap { method($0) }))
        }
        var catalogues = CatalogueReader()
        file.reasons = catalogues.reasons(in: descriptor)
        file.events = catalogues.events(in: descriptor)
        file.roles = catalogues.roles(in: descriptor)
        for fault in catalogues.faults.list { faults.add(fault) }
        return file
    }

    private mutating func method(_ descriptor: MethodDescriptor) -> Contract.Method? {
        let name = "method \(descriptor.service.name)/\(descriptor.name)"
        guard !(descriptor.clientStreaming && descriptor.serverStreaming) else {
            faults.add(
                "\(name) streams both ways: stream the requests or the replies, not both", at: descriptor)
            return nil
        }
        guard descriptor.options.hasPcs_Access_V1_access else {
            faults.add(
                "\(name) has no access rule, so nobody may call it: add option (pcs.access.v1.access)",
                at: descriptor)
            return nil
        }
        if ["All", "Bind"].contains(descriptor.name) {
            faults.add(
                "\(name): the name is taken by the generated method table: choose a verb and a noun",
                at: descriptor)
        }
        let kind: Contract.Kind =
            descriptor.clientStreaming
            ? .clientStreaming : descriptor.serverStreaming ? .serverStreaming : .unary
        let access = access(descriptor.options.Pcs_Access_V1_access, of: descriptor, name, kind)
        return Contract.Method(descriptor: descriptor, kind: kind, access: access)
    }

    private mutating func access(
        _ rule: Pcs_Access_V1_AccessRule, of method: MethodDescriptor, _ name: String, _ kind: Contract.Kind
    ) -> Contract.Access {
        var access = Contract.Access()
        access.isAnonymous = rule.anonymous
        access.anyCaller = rule.anyCaller
        access.changesState = rule.changesState
        access.needsSecondPerson = rule.secondPerson
        access.needsStepUp = rule.stepUp
        checkOpenness(rule, of: method, name)
        if rule.stepUp && (rule.anonymous || rule.anyCaller) {
            faults.add(
                "\(name) needs a fresh proof but lists no roles: list who may, or drop step_up", at: method)
        }
        if rule.secondPerson && !rule.changesState {
            faults.add(
                "\(name) needs a second person but changes nothing: set changes_state, or drop second_person",
                at: method)
        }

        for entry in rule.allow {
            guard let allow = allow(entry, of: method, name, changesState: rule.changesState) else {
                continue
            }
            let isRepeated = access.allow.contains {
                $0.role == allow.role && $0.relation == allow.relation
                    && $0.organisationPath == allow.organisationPath
            }
            if isRepeated {
                faults.add("\(name) allows \(allow.role) twice in the same relation: drop one", at: method)
            }
            access.allow.append(allow)
        }
        readLimits(rule, of: method, name, kind, into: &access)
        return access
    }

    /// Audit, time, size and place of execution, with the defaults that access.proto promises.
    private mutating func readLimits(
        _ rule: Pcs_Access_V1_AccessRule, of method: MethodDescriptor, _ name: String, _ kind: Contract.Kind,
        into access: inout Contract.Access
    ) {
        switch rule.audit {
        case .unspecified: access.audit = rule.changesState ? .change : .none
        case .none: access.audit = .none
        case .change: access.audit = .change
        case .sensitiveRead: access.audit = .sensitiveRead
        case .UNRECOGNIZED(let value):
            faults.add("\(name): audit \(value) is unknown: use a value of Audit", at: method)
        }
        if rule.changesState && access.audit != .change {
            faults.add(
                "\(name) changes state without an audit row: leave audit out, or say AUDIT_CHANGE", at: method
            )
        }
        switch rule.execution {
        case .unspecified: access.execution = kind == .unary ? .inline : .pooled
        case .inline: access.execution = .inline
        case .pooled: access.execution = .pooled
        case .UNRECOGNIZED(let value):
            faults.add("\(name): execution \(value) is unknown: use a value of Execution", at: method)
        }
        if rule.timeLimitMilliseconds > 600_000 {
            faults.add(
                "\(name): time_limit_milliseconds is over 600,000: make it a job, or shorten it", at: method)
        }
        if rule.timeLimitMilliseconds > 0 { access.timeLimitMilliseconds = rule.timeLimitMilliseconds }
        if rule.maximumRequestBytes > 0 { access.maximumRequestBytes = rule.maximumRequestBytes }
    }

    /// A rule says exactly one of: these roles, any caller, anybody.
    private mutating func checkOpenness(
        _ rule: Pcs_Access_V1_AccessRule, of method: MethodDescriptor, _ name: String
    ) {
        switch (rule.anonymous, rule.anyCaller, rule.allow.isEmpty) {
        case (true, _, false):
            faults.add(
                "\(name) is anonymous and lists roles: drop `anonymous` or the `allow` entries", at: method)
        case (true, true, true):
            faults.add("\(name) is anonymous and for any caller: say only one of them", at: method)
        case (false, true, false):
            faults.add(
                "\(name) is for any caller and lists roles: drop `any_caller` or the `allow` entries",
                at: method)
        case (false, false, true):
            faults.add("\(name) has an access rule that allows nobody: add an `allow` entry", at: method)
        case (true, false, true), (false, true, true), (false, false, false):
            break
        }
    }

    private mutating func allow(
        _ entry: Pcs_Access_V1_Allow, of method: MethodDescriptor, _ name: String, changesState: Bool
    ) -> Contract.Allow? {
        guard let role = roleNames[entry.role.rawValue] else {
            faults.add(
                "\(name) has an allow entry without a role: name a value of pcs.access.v1.Role", at: method)
            return nil
        }
        guard let relation = Contract.Relation(entry.relation) else {
            faults.add(
                "\(name) allows \(role) without a relation: name a value of pcs.access.v1.Relation",
                at: method)
            return nil
        }
        if relation == .icb && changesState {
            faults.add(
                "\(name) changes state, but ICB level is read-only: allow \(role) in another relation, or drop it",
                at: method)
        }
        let path = entry.organisationField
        if relation == .national || relation == .acting {
            if !path.isEmpty {
                let kind = relation == .national ? "nationally" : "at the organisation acted for"
                faults.add(
                    "\(name) allows \(role) \(kind), where organisation_field `\(path)` has no meaning: drop it",
                    at: method)
            }
            return Contract.Allow(role: role, relation: relation, organisationField: [])
        }
        guard !path.isEmpty else {
            faults.add(
                "\(name) allows \(role) in relation \(relation.rawValue) to no organisation: add organisation_field",
                at: method)
            return nil
        }
        guard let fields = field(path, of: method, name) else { return nil }
        return Contract.Allow(role: role, relation: relation, organisationField: fields)
    }

    /// Follows `a.b` from the request to a string.
    private mutating func field(_ path: String, of method: MethodDescriptor, _ name: String)
        -> [FieldDescriptor]?
    {
        var fields: [FieldDescriptor] = []
        var message: Descriptor? = method.inputType
        for part in path.split(separator: ".", omittingEmptySubsequences: false) {
            guard let here = message, let field = here.fields.first(where: { $0.name == part }) else {
                faults.add(
                    "\(name): organisation_field `\(path)` does not exist in \(method.inputType.fullName): name a "
                        + "field of the request", at: method)
                return nil
            }
            guard !field.isRepeated else {
                faults.add(
                    "\(name): organisation_field `\(path)` is repeated, so it names no one organisation: use a single "
                        + "field", at: method)
                return nil
            }
            fields.append(field)
            message = field.type == .message ? field.messageType : nil
        }
        guard fields.last?.type == .string else {
            faults.add(
                "\(name): organisation_field `\(path)` is not a string: name the field with the ODS code",
                at: method)
            return nil
        }
        return fields
    }
}

extension Contract.Relation {
    init?(_ relation: Pcs_Access_V1_Relation) {
        switch relation {
        case .national: self = .national
        case .own: self = .own
        case .commissioner: self = .commissioner
        case .icb: self = .icb
        case .region: self = .region
        case .pcnMember: self = .pcnMember
        case .pcnOf: self = .pcnOf
        case .pcnPeer: self = .pcnPeer
        case .acting: self = .acting
        case .unspecified, .UNRECOGNIZED: return nil
        }
    }
}
