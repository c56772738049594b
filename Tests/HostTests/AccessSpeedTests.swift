import CommonContract
import HostContract
import PluginAPI
import Testing

@testable import Host

@Suite("The time of a decision")
struct AccessSpeedTests {
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
