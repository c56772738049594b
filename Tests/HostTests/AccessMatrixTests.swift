import CommonContract
import HostContract
import PluginAPI
import PluginTestKit
import Testing

@testable import Host

/// Every method of the host's contract, for every role at every kind of organisation, for every organisation named,
/// against a table written here by hand: who may do what, from the documents and not from the code.
@Suite("The access matrix of the host")
struct AccessMatrixTests {
    private enum Who { case anybody, anyCaller, roles(Set<Role>) }

    private static let operators: Set<Role> = [Roles.hostOperator]
    private static let administrators: Set<Role> = [Roles.identityAdministrator, Roles.hostOperator]
    private static let dataManagers: Set<Role> = [Roles.organisationDataManager, Roles.hostOperator]

    private static let table: [String: Who] = [
        "IdentityService/IssueToken": .anybody,
        "IdentityService/WhoAmI": .anyCaller,
        "IdentityService/RevokeToken": .anyCaller,
        "IdentityService/CreatePerson": .roles(administrators),
        "IdentityService/CreateClient": .roles(administrators),
        "IdentityService/RegisterKey": .roles(administrators),
        "IdentityService/RevokeKey": .roles(administrators),
        "IdentityService/SetSubjectState": .roles(administrators),
        "IdentityService/GrantRole": .roles(administrators),
        "IdentityService/RevokeGrant": .roles(administrators),
        "IdentityService/ListSubjects": .roles(administrators.union([Roles.auditor])),
        "OrganisationService/LoadSnapshot": .roles(dataManagers),
        "OrganisationService/DecideHeldSnapshot": .roles(dataManagers),
        "OrganisationService/ListSnapshotLoads": .roles(dataManagers.union([Roles.auditor])),
        "OrganisationService/GetSnapshotDifferences": .roles(dataManagers.union([Roles.auditor])),
        "OrganisationService/GetOrganisation": .anyCaller,
        "OrganisationService/ListOrganisations": .anyCaller,
        "PluginService/ListPlugins": .roles(operators.union([Roles.auditor])),
        "PluginService/DescribePlugin": .roles(operators.union([Roles.auditor])),
        "PluginService/EnablePlugin": .roles(operators),
        "PluginService/DisablePlugin": .roles(operators),
        "HealthService/Check": .anybody,
        "HealthService/GetStatus": .roles(operators.union([Roles.auditor])),
        "ReflectionService/GetDescriptorSet": .anyCaller,
        "EventService/ListSubscriptions": .roles(operators.union([Roles.auditor])),
        "EventService/ListParkedEvents": .roles(operators.union([Roles.auditor])),
        "EventService/RetryParkedEvent": .roles(operators),
        "AuditService/VerifyAudit": .roles(operators.union([Roles.auditor])),
        "AuditService/ListAuditEntries": .roles(operators.union([Roles.auditor])),
        "BackupService/CreateBackup": .roles(operators),
        "BackupService/ListBackups": .roles(operators.union([Roles.auditor])),
        "BackupService/VerifyBackup": .roles(operators),
        "BackupService/RestoreBackup": .roles(operators),
        "JobService/ListJobs": .roles(operators.union([Roles.auditor])),
        "JobService/RunJob": .roles(operators),
        "DiagnosticsService/Echo": .anyCaller,
        "DiagnosticsService/Count": .anyCaller,
        "DiagnosticsService/Collect": .anyCaller,
        "DiagnosticsService/Wait": .anyCaller,
        "DiagnosticsService/WriteNote": .roles(operators),
        "DiagnosticsService/ReadNote": .roles(operators),
    ]

    private static let methods: [MethodDescriptor] =
        Pcs_Host_V1_IdentityServiceMethods.all + Pcs_Host_V1_OrganisationServiceMethods.all
        + Pcs_Host_V1_PluginServiceMethods.all + Pcs_Host_V1_HealthServiceMethods.all
        + Pcs_Host_V1_ReflectionServiceMethods.all + Pcs_Host_V1_EventServiceMethods.all
        + Pcs_Host_V1_AuditServiceMethods.all + Pcs_Host_V1_BackupServiceMethods.all
        + Pcs_Host_V1_JobServiceMethods.all + Pcs_Host_V1_DiagnosticsServiceMethods.all

    @Test("the table names every method of the contract and no other")
    func complete() {
        let names = Set(Self.methods.map { String($0.path.dropFirst("pcs.host.v1.".count)) })
        #expect(names == Set(Self.table.keys))
    }

    @Test("who may, may; everybody else is refused")
    func matrix() async throws {
        let organisations = ["PCS", "Y60", "QT1", "02Q", "C84101", "U10001"]
        var subjects: [Subject] = []
        for role in Roles.all {
            for organisation in organisations {
                subjects.append(
                    subject("\(role)-\(organisation)".lowercased(), grants: [(role, organisation)]))
                subjects.append(
                    subject(
                        "client-\(role)-\(organisation)".lowercased(), .client, scopes: ["pcs.host.v1.*"],
                        grants: [(role, organisation)]))
                subjects.append(
                    subject(
                        "narrow-\(role)-\(organisation)".lowercased(), .client, scopes: ["pcs.payments.v1.*"],
                        grants: [(role, organisation)]))
            }
        }
        subjects.append(subject("grantless"))
        subjects.append(subject("disabled", active: false, grants: Roles.all.map { ($0, "PCS") }))
        let (registry, bench) = try await smallRegistry(subjects)
        defer { withExtendedLifetime(bench) {} }
        var decisions = 0
        for method in Self.methods {
            let who = try #require(Self.table[String(method.path.dropFirst("pcs.host.v1.".count))])
            for one in subjects {
                let parts = one.id.split(separator: "-")
                let isNational = parts.last == "pcs"
                let role = parts.count >= 2 ? Role(parts[parts.count - 2].uppercased()) : nil
                let expected: Bool
                switch who {
                case .anybody: expected = true
                case .anyCaller: expected = one.isActive
                case .roles(let roles):
                    expected =
                        one.isActive && isNational && role.map { roles.contains($0) } == true
                        && parts.first != "narrow"
                }
                let credentials =
                    one.kind == .person ? Credentials(person: .of(one)) : Credentials(system: .of(one))
                // Organisations named change nothing for national rules.
                for named in ["C84101", "Z99999", ""] {
                    let isAllowed =
                        (try? registry.authorise(
                            method, credentials: credentials,
                            organisations: [OrganisationTarget(field: "code", code: named)])) != nil
                    if isAllowed != expected {
                        Issue.record("\(method.path) by \(one.id): \(isAllowed), expected \(expected)")
                    }
                    decisions += 1
                }
            }
            let nobody =
                (try? registry.authorise(method, credentials: Credentials(), organisations: [])) != nil
            if case .anybody = who {
                #expect(nobody)
            } else {
                #expect(!nobody, "\(method.path) without identity")
            }
        }
        #expect(decisions > 25_000)
    }

    @Test("a decision takes microseconds", .timeLimit(.minutes(1)))
    func speed() async throws {
        let anna = subject("anna", grants: [(Roles.commissionerEditor, "02Q"), (Roles.auditor, "02Q")])
        let (registry, bench) = try await smallRegistry([anna])
        defer { withExtendedLifetime(bench) {} }
        let method = MethodDescriptor(
            path: "pcs.payments.v1.ContractService/GetContract", kind: .unary, requestType: "", replyType: "",
            access: AccessRule(allow: [
                Allow(role: Roles.commissionerEditor, relation: .commissioner, organisationField: "code")
            ]))
        let credentials = Credentials(person: .of(anna))
        let targets = [OrganisationTarget(field: "code", code: "C84101")]
        let time = try ContinuousClock().measure {
            for _ in 0..<5_000 {
                _ = try registry.authorise(method, credentials: credentials, organisations: targets)
            }
        }
        // Debug build on a busy machine; a release build takes well under two microseconds.
        #expect(time / 5_000 < .microseconds(500))
    }
}
