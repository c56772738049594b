import Foundation
import Testing

@Suite("the generator writes")
struct OutputTests {
    private func generated(_ body: String) throws -> String {
        let outcome = try Workbench().generate(body)
        #expect(outcome.status == 0, "\(outcome.errors)")
        return outcome.files["probe.pcs.swift"] ?? ""
    }

    @Test("targets from nested fields, each once")
    func nestedTargets() throws {
        let code = try generated(
            """
            service ProbeService {
              rpc Try(TryRequest) returns (TryRequest) {
                option (pcs.access.v1.access) = {
                  allow: { role: ROLE_AUDITOR, relation: RELATION_OWN, organisation_field: "filter.practice_code" }
                  allow: { role: ROLE_ICB_VIEWER, relation: RELATION_ICB, organisation_field: "filter.practice_code" }
                };
              }
            }
            message TryRequest { Filter filter = 1; }
            message Filter { string practice_code = 1; }
            """)
        let target = #"OrganisationTarget(field: "filter.practice_code", code: request.filter.practiceCode)"#
        #expect(code.components(separatedBy: target).count == 2)
        #expect(
            code.contains(
                #"Allow(role: Roles.icbViewer, relation: .icb, organisationField: "filter.practice_code")"#))
    }

    @Test("the defaults of an access rule")
    func defaults() throws {
        let code = try generated(
            """
            service ProbeService {
              rpc Read(Probe) returns (Probe) { option (pcs.access.v1.access) = { any_caller: true }; }
              rpc Feed(Probe) returns (stream Probe) { option (pcs.access.v1.access) = { any_caller: true }; }
              rpc Change(Probe) returns (Probe) {
                option (pcs.access.v1.access) = { any_caller: true changes_state: true execution: EXECUTION_POOLED };
              }
            }
            message Probe {}
            """)
        let tables = code.components(separatedBy: "= MethodDescriptor(").dropFirst().map { String($0) }
        try #require(tables.count == 3)
        #expect(tables[0].contains("audit: .none,"))
        #expect(tables[0].contains("timeLimitMilliseconds: 30_000,"))
        #expect(tables[0].contains("maximumRequestBytes: 65_536,"))
        #expect(tables[0].contains("execution: .inline"))
        #expect(tables[1].contains("execution: .pooled"))
        #expect(tables[2].contains("audit: .change,"))
        #expect(tables[2].contains("execution: .pooled"))
    }

    @Test("names that are words of Swift so that they can be used")
    func keywords() throws {
        let code = try generated(
            """
            service ProbeService {
              rpc Repeat(Probe) returns (Probe) { option (pcs.access.v1.access) = { any_caller: true }; }
            }
            message Probe {}
            enum ProbeReason {
              PROBE_REASON_UNSPECIFIED = 0;
              PROBE_REASON_DEFAULT = 1
                  [(pcs.access.v1.failure) = {
                    code: "ABORTED" summary: "Says \\"no\\"." next_step: "Ask \\\\ again."
                  }];
            }
            """)
        #expect(code.contains("func `repeat`("))
        #expect(code.contains("public static let `default` = Reason("))
        #expect(code.contains(#"summary: "Says \"no\".","#))
        #expect(code.contains(#"nextStep: "Ask \\ again.")"#))
    }

    @Test("the same every time")
    func deterministic() throws {
        let body = """
            service ProbeService {
              rpc Read(Probe) returns (Probe) { option (pcs.access.v1.access) = { any_caller: true }; }
            }
            message Probe { google.protobuf.Timestamp at = 1; }
            """
        let first = try Workbench().generate(body)
        let second = try Workbench().generate(body)
        #expect(first.files.keys.sorted() == ["ProbeContractDescriptors.pcs.swift", "probe.pcs.swift"])
        #expect(first.files == second.files)
    }

    @Test("nothing for a file of messages only")
    func messagesOnly() throws {
        let outcome = try Workbench().generate(
            "message Probe {}\nenum Colour { COLOUR_UNSPECIFIED = 0; COLOUR_RED = 1; }")
        #expect(outcome.status == 0)
        #expect(outcome.files.isEmpty)
    }
}
