import CommonContract
import HostContract
import PluginAPI
import PluginTestKit
import Testing

@testable import Host

/// A small England: two ICBs in two regions, practices, a PCN with members under two commissioners.
struct SmallEngland: OrganisationDirectory, OrganisationClosures {
    static let today = CalendarDate(daysSince1970: 20_528)
    static let closedOn = today.adding(days: -30)

    private static let kinds: [String: OrganisationKind] = [
        "PCS": .national, "Y60": .region, "Y58": .region, "QT1": .icb, "QJK": .icb, "02Q": .subICBLocation,
        "15N": .subICBLocation, "C84101": .practice, "L83001": .practice, "A80001": .practice,
        "A80002": .practice,
        "U10001": .pcn,
    ]
    private static let parents = [
        "C84101": "02Q", "A80001": "02Q", "A80002": "02Q", "L83001": "15N", "U10001": "15N", "02Q": "QT1",
        "15N": "QJK",
        "QT1": "Y60", "QJK": "Y58",
    ]
    private static let pcns = ["C84101": "U10001", "L83001": "U10001"]
    /// Closed a month ago, and long ago.
    private static let closed = ["A80001": closedOn, "A80002": today.adding(days: -91)]
    var reopened: [ODSCode: CalendarDate] = [:]

    func organisation(_ code: ODSCode, at day: CalendarDate) -> DirectoryEntry? {
        guard let kind = Self.kinds[code.value] else { return nil }
        let closedOn = Self.closed[code.value]
        return DirectoryEntry(
            code: code, name: code.value, kind: kind,
            status: closedOn.map { day > $0 } ?? false ? .inactive : .active,
            openedOn: nil, closedOn: closedOn, postcode: "")
    }
    func commissioner(of code: ODSCode, at day: CalendarDate) -> ODSCode? {
        if let closedOn = Self.closed[code.value], day > closedOn { return nil }
        return Self.parents[code.value].flatMap { ODSCode($0) }
    }
    func icb(of code: ODSCode, at day: CalendarDate) -> ODSCode? { above(code, .icb, day) }
    func region(of code: ODSCode, at day: CalendarDate) -> ODSCode? { above(code, .region, day) }
    private func above(_ code: ODSCode, _ kind: OrganisationKind, _ day: CalendarDate) -> ODSCode? {
        if Self.kinds[code.value] == kind { return code }
        return commissioner(of: code, at: day).flatMap { above($0, kind, day) }
    }
    func pcn(of practice: ODSCode, at day: CalendarDate) -> ODSCode? {
        Self.pcns[practice.value].flatMap { ODSCode($0) }
    }
    func members(of pcn: ODSCode, at day: CalendarDate) -> [ODSCode] { [] }
    func practices(commissionedBy commissioner: ODSCode, at day: CalendarDate) -> [ODSCode] { [] }
    func successors(of code: ODSCode) -> [ODSCode] { [] }
    func predecessors(of code: ODSCode) -> [ODSCode] { [] }
    func lastInactiveDay(of code: ODSCode, before day: CalendarDate) -> CalendarDate? { reopened[code] }
}

/// A registry in memory, with subjects put in directly.
func smallRegistry(
    _ subjects: [Subject], directory: SmallEngland = SmallEngland(),
    clock: any HostClock = ManualClock(SmallEngland.today)
) async throws -> (IdentityRegistry, StorageWorkbench) {
    let bench = try StorageWorkbench()
    let store = HostStore(database: try bench.engine.open("host"), clock: clock, logger: bench.logger)
    _ = try await store.migrate(IdentityRegistry.migrations)
    let registry = IdentityRegistry(
        store: store, directory: directory, clock: clock, audience: "pcs", logger: bench.logger)
    registry.state.withLock { state in
        for subject in subjects { state.subjects[subject.id] = subject }
    }
    return (registry, bench)
}

func subject(
    _ id: String, _ kind: Subject.Kind = .person, scopes: [String] = [], active: Bool = true,
    grants: [(Role, String)] = [], from: CalendarDate = SmallEngland.today, to: CalendarDate? = nil
) -> Subject {
    var subject = Subject(
        id: id, kind: kind, name: id, isActive: active, scopes: scopes.compactMap { MethodScope($0) },
        certificateURI: nil)
    subject.grants = grants.enumerated().compactMap { index, grant in
        ODSCode(grant.1).map {
            RoleGrant(id: "\(index)", role: grant.0, organisation: $0, from: from, to: to)
        }
    }
    return subject
}

extension Principal {
    static func of(_ subject: Subject) -> Principal {
        Principal(
            subjectID: subject.id, kind: subject.kind == .person ? .person : .client,
            authentication: "mutual-tls")
    }
}

@Suite("The decision on each call")
struct AccessDecisionTests {
    private func method(
        _ allow: [Allow], changes: Bool = false, any: Bool = false,
        path: String = "pcs.payments.v1.RunService/GetRun"
    ) -> MethodDescriptor {
        MethodDescriptor(
            path: path, kind: .unary, requestType: "", replyType: "",
            access: AccessRule(allow: allow, anyCaller: any, changesState: changes))
    }

    private func clause(_ failure: Failure?) -> String? {
        failure?.message.split(separator: ":").first?.split(separator: " ").last.map(String.init)
    }

    @Test("every relation, each way round, for reading and for changing")
    func relations() async throws {
        let orgs = ["PCS", "Y60", "Y58", "QT1", "QJK", "02Q", "15N", "C84101", "L83001", "U10001"]
        let role = Roles.commissionerEditor
        let people = orgs.map { subject("at-\($0.lowercased())", grants: [(role, $0)]) }
        let (registry, bench) = try await smallRegistry(people)
        defer { withExtendedLifetime(bench) {} }
        // What England above looks like, written out again: pairs (acting for, named) that have the relation.
        let holds: [Relation: Set<String>] = [
            .national: Set(orgs.map { "PCS>\($0)" }),
            .own: Set(orgs.map { "\($0)>\($0)" }),
            .commissioner: [
                "02Q>C84101", "02Q>02Q", "15N>L83001", "15N>U10001", "15N>15N",
            ],
            .icb: ["QT1>C84101", "QT1>02Q", "QT1>QT1", "QJK>L83001", "QJK>U10001", "QJK>15N", "QJK>QJK"],
            .region: [
                "Y60>C84101", "Y60>02Q", "Y60>QT1", "Y60>Y60", "Y58>L83001", "Y58>U10001", "Y58>15N",
                "Y58>QJK", "Y58>Y58",
            ],
            .pcnMember: ["C84101>U10001", "L83001>U10001"],
            .pcnOf: ["U10001>C84101", "U10001>L83001"],
            .pcnPeer: Set(orgs.map { "\($0)>\($0)" }).union(["C84101>L83001", "L83001>C84101"]),
            .acting: Set(orgs.flatMap { acting in orgs.map { "\(acting)>\($0)" } }),
        ]
        for relation in Relation.allCases {
            for changes in [false, true] {
                let method = method(
                    [
                        Allow(
                            role: role, relation: relation,
                            organisationField: [.national, .acting].contains(relation) ? "" : "code")
                    ],
                    changes: changes)
                for acting in orgs {
                    for named in orgs {
                        let failed = await failure {
                            try registry.authorise(
                                method,
                                credentials: Credentials(
                                    person: Principal(
                                        subjectID: "at-\(acting.lowercased())", kind: .person,
                                        authentication: "token")),
                                organisations: [OrganisationTarget(field: "code", code: named)])
                        }
                        let isExpected =
                            holds[relation]?.contains("\(acting)>\(named)") == true
                            && !(relation == .icb && changes)
                        #expect(
                            (failed == nil) == isExpected,
                            "\(relation) \(acting) on \(named), changes \(changes): \(String(describing: failed))"
                        )
                    }
                }
            }
        }
    }

    @Test("section 16, examples 1 and 3: the commissioner decides, not the address, and an ICB reads only")
    func commissioners() async throws {
        let anna = subject("anna", grants: [(Roles.commissionerApprover, "15N")])
        let ben = subject("ben", grants: [(Roles.commissionerApprover, "02Q")])
        let cleo = subject("cleo", grants: [(Roles.commissionerApprover, "QT1"), (Roles.icbViewer, "QT1")])
        let (registry, bench) = try await smallRegistry([anna, ben, cleo])
        defer { withExtendedLifetime(bench) {} }
        let approve = method(
            [Allow(role: Roles.commissionerApprover, relation: .commissioner, organisationField: "code")],
            changes: true)
        let report = method([Allow(role: Roles.icbViewer, relation: .icb, organisationField: "code")])
        let target = [OrganisationTarget(field: "code", code: "C84101")]
        let refused = await failure {
            try registry.authorise(
                approve, credentials: Credentials(person: .of(anna)), organisations: target)
        }
        #expect(refused?.reason == HostReasons.organisationOutOfScope && clause(refused) == "relation")
        #expect(refused?.message.contains("commissioned by 02Q, not by 15N") == true)
        #expect(
            try registry.authorise(approve, credentials: Credentials(person: .of(ben)), organisations: target)
                .actingFor == "02Q")
        let readOnly = await failure {
            try registry.authorise(
                approve, credentials: Credentials(person: .of(cleo)), organisations: target)
        }
        #expect(clause(readOnly) == "icbReadOnly")
        #expect(
            try registry.authorise(report, credentials: Credentials(person: .of(cleo)), organisations: target)
                .roles.contains(Roles.icbViewer))
    }

    @Test(
        "account, scope, grant, organisation acted for and role are each asked for, and each is named when it fails"
    )
    func clauses() async throws {
        let rule = [Allow(role: Roles.practiceStatements, relation: .own, organisationField: "code")]
        let read = method(rule)
        let change = method(rule, changes: true)
        let disabled = subject("disabled", active: false, grants: [(Roles.practiceStatements, "C84101")])
        let none = subject("none")
        let past = subject(
            "past", grants: [(Roles.practiceStatements, "C84101")], from: SmallEngland.today.adding(days: -9),
            to: SmallEngland.today)
        let future = subject(
            "future", grants: [(Roles.practiceStatements, "C84101")], from: SmallEngland.today.adding(days: 1)
        )
        let two = subject(
            "two", grants: [(Roles.practiceStatements, "C84101"), (Roles.practiceStatements, "L83001")])
        let other = subject("other", grants: [(Roles.auditor, "C84101")])
        let recent = subject("recent", grants: [(Roles.practiceStatements, "A80001")])
        let long = subject("long", grants: [(Roles.practiceStatements, "A80002")])
        let system = subject(
            "system", .client, scopes: ["pcs.host.v1.*"], grants: [(Roles.practiceStatements, "C84101")])
        let unknownOrganisation = subject("lost", grants: [(Roles.practiceStatements, "Z99999")])
        let all = [disabled, none, past, future, two, other, recent, long, system, unknownOrganisation]
        let (registry, bench) = try await smallRegistry(all)
        defer { withExtendedLifetime(bench) {} }
        func ask(
            _ method: MethodDescriptor, _ who: Subject, _ code: String = "C84101", for acting: String? = nil
        ) async -> Failure? {
            let credentials =
                who.kind == .person
                ? Credentials(person: .of(who), actingFor: acting)
                : Credentials(system: .of(who), actingFor: acting)
            return await failure {
                try registry.authorise(
                    method, credentials: credentials,
                    organisations: [OrganisationTarget(field: "code", code: code)])
            }
        }
        #expect(clause(await ask(read, disabled)) == "account")
        #expect(clause(await ask(read, none)) == "grant")
        #expect(clause(await ask(read, past)) == "grant")
        #expect(clause(await ask(read, future)) == "grant")
        #expect(clause(await ask(read, two, for: "15N")) == "grant")
        #expect(await ask(read, two)?.reason == HostReasons.actingForRequired)
        #expect(await ask(read, two, "L83001", for: "L83001") == nil)
        #expect(clause(await ask(read, two, "L83001", for: "C84101")) == "relation")
        #expect(clause(await ask(read, other)) == "role")
        #expect(clause(await ask(read, system)) == "scope")
        #expect(clause(await ask(read, unknownOrganisation)) == "actingFor")
        #expect(clause(await ask(read, two, "Z99999", for: "C84101")) == "organisationUnknown")
        #expect(clause(await ask(read, two, "not a code", for: "C84101")) == "organisationUnknown")
        #expect(clause(await ask(read, two, "", for: "C84101")) == "organisationMissing")
        #expect(clause(await ask(read, two, "A80002", for: "C84101")) == "organisationClosed")
        #expect(await ask(read, recent, "A80001") == nil, "its own past can be read for ninety days")
        #expect(clause(await ask(change, recent, "A80001")) == "actingFor")
        #expect(clause(await ask(read, long, "A80002")) == "actingFor")
        let nobody = await failure {
            try registry.authorise(read, credentials: Credentials(), organisations: [])
        }
        #expect(nobody?.reason == HostReasons.unauthenticated)
        let noField = await failure {
            try registry.authorise(
                read, credentials: Credentials(person: .of(two), actingFor: "C84101"), organisations: [])
        }
        #expect(clause(noField) == "organisationMissing")
        let noRule = await failure {
            try registry.authorise(
                method([]), credentials: Credentials(person: .of(two), actingFor: "C84101"), organisations: []
            )
        }
        #expect(clause(noRule) == "role", "deny by default")
    }

    @Test("a closed practice's commissioner reads its past for ninety days and changes nothing")
    func closedPractice() async throws {
        let ben = subject("ben", grants: [(Roles.commissionerEditor, "02Q")])
        let (registry, bench) = try await smallRegistry([ben])
        defer { withExtendedLifetime(bench) {} }
        let rule = [Allow(role: Roles.commissionerEditor, relation: .commissioner, organisationField: "code")]
        func ask(_ changes: Bool, _ code: String) async -> Failure? {
            await failure {
                try registry.authorise(
                    method(rule, changes: changes), credentials: Credentials(person: .of(ben)),
                    organisations: [OrganisationTarget(field: "code", code: code)])
            }
        }
        #expect(await ask(false, "A80001") == nil)
        let refused = await ask(true, "A80001")
        #expect(
            clause(refused) == "organisationClosed"
                && refused?.message.contains("closed on \(SmallEngland.closedOn)") == true)
        #expect(clause(await ask(false, "A80002")) == "organisationClosed")
    }

    @Test("section 16, example 21: an organisation that opened again does not bring its old grants back")
    func reopened() async throws {
        let practice = try #require(ODSCode("C84101"))
        let closedUntil = SmallEngland.today.adding(days: -10)
        let before = subject(
            "before", grants: [(Roles.practiceStatements, "C84101")], from: closedUntil.adding(days: -100))
        let after = subject(
            "after", grants: [(Roles.practiceStatements, "C84101")], from: closedUntil.adding(days: 1))
        let (registry, bench) = try await smallRegistry(
            [before, after], directory: SmallEngland(reopened: [practice: closedUntil]))
        defer { withExtendedLifetime(bench) {} }
        let read = method([Allow(role: Roles.practiceStatements, relation: .own, organisationField: "code")])
        let target = [OrganisationTarget(field: "code", code: "C84101")]
        #expect(
            clause(
                await failure {
                    try registry.authorise(
                        read, credentials: Credentials(person: .of(before)), organisations: target)
                }) == "grant")
        #expect(
            await failure {
                try registry.authorise(
                    read, credentials: Credentials(person: .of(after)), organisations: target)
            } == nil)
    }

    @Test("a person through a system has what both have, and answers for the act")
    func personAndSystem() async throws {
        let anna = subject("anna", grants: [(Roles.paymentsApprover, "PCS")])
        let narrow = subject(
            "narrow", .client, scopes: ["pcs.payments.v1.RunService/GetRun"],
            grants: [(Roles.paymentsOperator, "PCS")])
        let wide = subject("wide", .client, scopes: ["pcs.payments.v1.*"])
        let asleep = subject("asleep", .client, scopes: ["pcs.payments.v1.*"], active: false)
        let (registry, bench) = try await smallRegistry([anna, narrow, wide, asleep])
        defer { withExtendedLifetime(bench) {} }
        let approve = method(
            [Allow(role: Roles.paymentsApprover, relation: .national)], changes: true,
            path: "pcs.payments.v1.RunService/ApproveRun")
        let operate = method(
            [Allow(role: Roles.paymentsOperator, relation: .national)],
            path: "pcs.payments.v1.RunService/GetRun")
        func ask(_ method: MethodDescriptor, _ system: Subject, _ person: Subject? = nil) async -> Failure? {
            await failure {
                try registry.authorise(
                    method, credentials: Credentials(system: .of(system), person: person.map { .of($0) }),
                    organisations: [])
            }
        }
        let caller = try registry.authorise(
            approve, credentials: Credentials(system: .of(wide), person: .of(anna)), organisations: [])
        #expect(caller.personID == "anna" && caller.clientID == "wide" && caller.responsible == "anna")
        #expect(clause(await ask(approve, wide)) == "grant", "a system alone needs grants of its own")
        #expect(clause(await ask(approve, narrow, anna)) == "scope")
        #expect(
            clause(await ask(operate, narrow, anna)) == "role",
            "the system's grants do not widen the person's")
        #expect(await ask(operate, narrow) == nil)
        #expect(clause(await ask(approve, asleep, anna)) == "account")
    }

    @Test("the operator at the socket holds one role at the national body; a plugin reaches what it declares")
    func operatorAndPlugin() async throws {
        let (registry, bench) = try await smallRegistry([])
        defer { withExtendedLifetime(bench) {} }
        let local = registry.localOperator(userID: 0, userName: "ops")
        let operate = method(
            [Allow(role: Roles.hostOperator, relation: .national)], changes: true,
            path: "pcs.host.v1.PluginService/EnablePlugin")
        let pay = method([Allow(role: Roles.paymentsOperator, relation: .national)])
        let caller = try registry.authorise(
            operate, credentials: Credentials(system: local), organisations: [])
        #expect(
            caller.personID == "local:ops" && caller.clientID == nil && caller.actingFor == "PCS"
                && caller.authentication == "unix-socket")
        #expect(
            clause(
                await failure {
                    try registry.authorise(pay, credentials: Credentials(system: local), organisations: [])
                }) == "role")
        let plugin = registry.pluginPrincipal(name: "payments", scopes: ["pcs.performers.v1.*"])
        let declared = method(
            [Allow(role: Roles.paymentsOperator, relation: .national)],
            path: "pcs.performers.v1.PerformerService/GetPerformer")
        #expect(
            try registry.authorise(declared, credentials: Credentials(system: plugin), organisations: [])
                .clientID == "plugin:payments")
        #expect(
            clause(
                await failure {
                    try registry.authorise(pay, credentials: Credentials(system: plugin), organisations: [])
                }) == "scope")
    }

    @Test("scopes are an area, a service or a method, and nothing beside")
    func scopes() throws {
        let area = try #require(MethodScope("pcs.payments.v1.*"))
        #expect(
            area.contains("pcs.payments.v1.RunService/GetRun")
                && !area.contains("pcs.payments.v10.RunService/GetRun"))
        let service = try #require(MethodScope("pcs.payments.v1.RunService/*"))
        #expect(
            service.contains("pcs.payments.v1.RunService/GetRun")
                && !service.contains("pcs.payments.v1.RunServiceX/GetRun"))
        let one = try #require(MethodScope("pcs.payments.v1.RunService/GetRun"))
        #expect(
            one.contains("pcs.payments.v1.RunService/GetRun")
                && !one.contains("pcs.payments.v1.RunService/GetRunLine"))
    }
}
