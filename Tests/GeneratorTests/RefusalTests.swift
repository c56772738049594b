import Testing

/// A contract that generation must refuse, where the fault stands, and words that the refusal must have.
struct Refusal: CustomTestStringConvertible, Sendable {
    let testDescription: String
    let proto: String
    let line: Int
    let words: [String]

    init(_ title: String, line: Int, _ words: [String], _ proto: String) {
        testDescription = title
        self.proto = proto
        self.line = line
        self.words = words
    }

    /// A method with this access rule, on line 7; its request has the fields that organisation fields may name.
    init(rule title: String, _ words: [String], stream: String = "", _ rule: String) {
        self.init(
            title, line: 7, words,
            """
            service ProbeService {
              rpc Try(TryRequest) returns (\(stream)TryReply) { option (pcs.access.v1.access) = { \(rule) }; }
            }
            message TryRequest {
              string practice_code = 1;
              int64 pence = 2;
              repeated string codes = 3;
              Inner inner = 4;
            }
            message Inner { string code = 1; }
            message TryReply {}
            """)
    }
}

@Suite("the generator refuses")
struct RefusalTests {
    static let national = "allow: { role: ROLE_AUDITOR, relation: RELATION_NATIONAL }"

    static let rules: [Refusal] = [
        Refusal(rule: "a rule that allows nobody", ["allows nobody"], ""),
        Refusal(
            rule: "an organisation field that is no field",
            ["`surgery_code` does not exist in pcs.probe.v1.TryRequest"],
            #"allow: { role: ROLE_AUDITOR, relation: RELATION_OWN, organisation_field: "surgery_code" }"#),
        Refusal(
            rule: "a nested organisation field that is no field", ["`inner.name` does not exist"],
            #"allow: { role: ROLE_AUDITOR, relation: RELATION_OWN, organisation_field: "inner.name" }"#),
        Refusal(
            rule: "an organisation field below a string", ["`practice_code.code` does not exist"],
            #"allow: { role: ROLE_AUDITOR, relation: RELATION_OWN, organisation_field: "practice_code.code" }"#
        ),
        Refusal(
            rule: "an organisation field that is a number", ["`pence` is not a string"],
            #"allow: { role: ROLE_AUDITOR, relation: RELATION_OWN, organisation_field: "pence" }"#),
        Refusal(
            rule: "an organisation field that is a message", ["`inner` is not a string"],
            #"allow: { role: ROLE_AUDITOR, relation: RELATION_OWN, organisation_field: "inner" }"#),
        Refusal(
            rule: "an organisation field that is a list", ["`codes` is repeated"],
            #"allow: { role: ROLE_AUDITOR, relation: RELATION_OWN, organisation_field: "codes" }"#),
        Refusal(
            rule: "a relation to no organisation",
            ["AUDITOR in relation commissioner", "add organisation_field"],
            "allow: { role: ROLE_AUDITOR, relation: RELATION_COMMISSIONER }"),
        Refusal(
            rule: "a national relation to one organisation", ["has no meaning"],
            #"allow: { role: ROLE_AUDITOR, relation: RELATION_NATIONAL, organisation_field: "practice_code" }"#
        ),
        Refusal(
            rule: "an act at ICB level", ["ICB level is read-only"],
            """
            changes_state: true
            allow: { role: ROLE_ICB_VIEWER, relation: RELATION_ICB, organisation_field: "practice_code" }
            """
        ),
        Refusal(rule: "no role", ["without a role"], "allow: { relation: RELATION_NATIONAL }"),
        Refusal(
            rule: "a role that is not in the catalogue", ["without a role"],
            "allow: { role: 999, relation: RELATION_NATIONAL }"),
        Refusal(rule: "no relation", ["AUDITOR without a relation"], "allow: { role: ROLE_AUDITOR }"),
        Refusal(rule: "the same entry twice", ["allows AUDITOR twice"], "\(national) \(national)"),
        Refusal(
            rule: "an anonymous method with roles", ["anonymous and lists roles"],
            "anonymous: true \(national)"),
        Refusal(
            rule: "anonymous and any caller at once", ["say only one"], "anonymous: true any_caller: true"),
        Refusal(
            rule: "any caller with roles", ["any caller and lists roles"], "any_caller: true \(national)"),
        Refusal(
            rule: "a second person for a read", ["needs a second person but changes nothing"],
            "\(national) second_person: true"),
        Refusal(
            rule: "a change without an audit row", ["changes state without an audit row"],
            "\(national) changes_state: true audit: AUDIT_NONE"),
        Refusal(rule: "an unbounded call", ["over 600,000"], "\(national) time_limit_milliseconds: 600001"),
    ]

    static let others: [Refusal] = [
        Refusal(
            "a method without an access rule", line: 7,
            ["ProbeService/Try has no access rule", "add option (pcs.access.v1.access)"],
            "service ProbeService {\n  rpc Try(TryRequest) returns (TryRequest);\n}\nmessage TryRequest {}"),
        Refusal(
            "a method that streams both ways", line: 7, ["streams both ways"],
            "service ProbeService {\n  rpc Try(stream Probe) returns (stream Probe);\n}\nmessage Probe {}"
        ),
        Refusal(
            "a method named as a part of the table", line: 7, ["the name is taken"],
            """
            service ProbeService {
              rpc Bind(BindRequest) returns (BindRequest) { option (pcs.access.v1.access) = { any_caller: true }; }
            }
            message BindRequest {}
            """),
        Refusal(
            "an event without a key", line: 6, ["event Happened has no key_field"],
            "message Happened { option (pcs.access.v1.event) = {}; string code = 1; }"),
        Refusal(
            "an event with an unknown key", line: 6, ["key_field `name` does not exist"],
            #"message Happened { option (pcs.access.v1.event) = { key_field: "name" }; string code = 1; }"#),
        Refusal(
            "an event with a key that is a number", line: 6, ["`count` is not a single string"],
            #"message Happened { option (pcs.access.v1.event) = { key_field: "count" }; int64 count = 1; }"#),
        Refusal(
            "a reason without its explanation", line: 8, ["PROBE_REASON_LATE has no failure option"],
            "enum ProbeReason {\n  PROBE_REASON_UNSPECIFIED = 0;\n  PROBE_REASON_LATE = 1;\n}"),
        Refusal(
            "a reason with an unknown code", line: 8, [#"unknown code "TOO_LATE""#, "FAILED_PRECONDITION"],
            """
            enum ProbeReason {
              PROBE_REASON_UNSPECIFIED = 0;
              PROBE_REASON_LATE = 1
                  [(pcs.access.v1.failure) = { code: "TOO_LATE" summary: "Late." next_step: "Hurry." }];
            }
            """),
        Refusal(
            "a reason that says it is no failure", line: 8, [#"unknown code "OK""#],
            """
            enum ProbeReason {
              PROBE_REASON_UNSPECIFIED = 0;
              PROBE_REASON_LATE = 1
                  [(pcs.access.v1.failure) = { code: "OK" summary: "Late." next_step: "Hurry." }];
            }
            """),
        Refusal(
            "a reason that leaves the caller alone", line: 8, ["lacks its summary or next_step"],
            """
            enum ProbeReason {
              PROBE_REASON_UNSPECIFIED = 0;
              PROBE_REASON_LATE = 1
                  [(pcs.access.v1.failure) = { code: "ABORTED" summary: "Late." }];
            }
            """),
        Refusal(
            "a reason without the prefix of its enum", line: 8, ["does not begin with PROBE_REASON_"],
            """
            enum ProbeReason {
              PROBE_REASON_UNSPECIFIED = 0;
              LATE = 1
                  [(pcs.access.v1.failure) = { code: "ABORTED" summary: "Late." next_step: "Hurry." }];
            }
            """),
    ]

    @Test("and says where and what to do", arguments: rules + others)
    func refuses(_ refusal: Refusal) throws {
        let outcome = try Workbench().generate(refusal.proto)
        #expect(outcome.status != 0)
        #expect(outcome.files.isEmpty)
        #expect(outcome.errors.contains("pcs/probe/v1/probe.proto:\(refusal.line): "), "\(outcome.errors)")
        for words in refusal.words { #expect(outcome.errors.contains(words), "\(outcome.errors)") }
    }

    @Test("all faults of a file together")
    func refusesAllTogether() throws {
        let outcome = try Workbench().generate(
            """
            service ProbeService {
              rpc TryOnce(TryRequest) returns (TryRequest);
              rpc TryAgain(TryRequest) returns (TryRequest);
            }
            message TryRequest {}
            """)
        #expect(outcome.errors.contains("probe.proto:7: method ProbeService/TryOnce"))
        #expect(outcome.errors.contains("probe.proto:8: method ProbeService/TryAgain"))
    }
}
