import Foundation
import Testing

/// A change to the released contract below, and what must be said about it.
struct Change: CustomTestStringConvertible, Sendable {
    let testDescription: String
    let from: String
    let to: String
    /// Empty = compatible.
    let verdict: String

    init(_ title: String, _ from: String, _ to: String, _ verdict: String = "") {
        testDescription = title
        self.from = from
        self.to = to
        self.verdict = verdict
    }
}

@Suite("a released contract")
struct ComparisonTests {
    static let released = """
        service ProbeService {
          rpc GetProbe(GetProbeRequest) returns (Probe) { option (pcs.access.v1.access) = { any_caller: true }; }
          rpc ListProbes(GetProbeRequest) returns (stream Probe) {
            option (pcs.access.v1.access) = { any_caller: true };
          }
        }
        message GetProbeRequest { string code = 1; }
        message Probe {
          option (pcs.access.v1.event) = { key_field: "code" };
          string code = 1;
          int64 pence = 2;
          oneof choice { string left = 3; string right = 4; }
          State state = 5;
          string note = 6;
          message Part { int64 share = 1; }
          repeated Part parts = 7;
        }
        enum State { STATE_UNSPECIFIED = 0; STATE_OPEN = 1; STATE_CLOSED = 2; }
        message Spare {}
        """

    static let changes: [Change] = [
        Change("may get a field", "string note = 6;", "string note = 6; string more = 8;"),
        Change("may get a value", "STATE_CLOSED = 2;", "STATE_CLOSED = 2; STATE_HELD = 3;"),
        Change("may get a message", "message Spare {}", "message Spare {} message Another {}"),
        Change(
            "may get a method", "service ProbeService {",
            "service ProbeService { rpc Try(Probe) returns (Probe) { option (pcs.access.v1.access).any_caller = true; }"
        ),
        Change("keeps its fields", "string note = 6;", "", "field pcs.probe.v1.Probe.note (6) was removed"),
        Change(
            "keeps its numbers", "string note = 6;", "string note = 16;",
            "field pcs.probe.v1.Probe.note (6) was renumbered to 16"),
        Change(
            "keeps its names", "string note = 6;", "string remark = 6;",
            "field pcs.probe.v1.Probe.note (6) was renamed to remark"),
        Change(
            "keeps its types", "int64 pence = 2;", "string pence = 2;",
            "field pcs.probe.v1.Probe.pence (2) changed its type from int64 to string"),
        Change(
            "keeps one and many", "string note = 6;", "repeated string note = 6;",
            "field pcs.probe.v1.Probe.note (6) changed its type from string to repeated string"),
        Change(
            "keeps its choices", "{ string left = 3; string right = 4; }",
            "{ string left = 3; } string right = 4;",
            "field pcs.probe.v1.Probe.right (4) moved into or out of a oneof"),
        Change(
            "keeps fields of nested messages", "int64 share = 1;", "",
            "field pcs.probe.v1.Probe.Part.share (1) was removed"),
        Change("keeps its messages", "message Spare {}", "", "message pcs.probe.v1.Spare was removed"),
        Change(
            "keeps its values", " STATE_CLOSED = 2;", "",
            "enum value pcs.probe.v1.State.STATE_CLOSED (2) was removed"),
        Change(
            "keeps the numbers of values", "STATE_CLOSED = 2;", "STATE_CLOSED = 7;",
            "enum value pcs.probe.v1.State.STATE_CLOSED (2) was renumbered to 7"),
        Change(
            "keeps its methods", "rpc GetProbe(", "rpc FetchProbe(",
            "method pcs.probe.v1.ProbeService/GetProbe was removed"),
        Change(
            "keeps what a method takes", "rpc GetProbe(GetProbeRequest)", "rpc GetProbe(Spare)",
            "method pcs.probe.v1.ProbeService/GetProbe takes pcs.probe.v1.Spare instead of pcs.probe.v1.GetProbeRequest"
        ),
        Change(
            "keeps what a method returns", "returns (Probe)", "returns (Spare)",
            "method pcs.probe.v1.ProbeService/GetProbe returns pcs.probe.v1.Spare instead of pcs.probe.v1.Probe"
        ),
        Change(
            "keeps what streams", "returns (stream Probe)", "returns (Probe)",
            "method pcs.probe.v1.ProbeService/ListProbes changed whether it streams"),
        Change(
            "keeps its services", "service ProbeService", "service OtherService",
            "service pcs.probe.v1.ProbeService was removed"),
        Change(
            "keeps the order of events", #"{ key_field: "code" }"#, #"{ key_field: "note" }"#,
            "event pcs.probe.v1.Probe is no longer ordered by code"),
    ]

    @Test("only grows", arguments: changes)
    func onlyGrows(_ change: Change) throws {
        let newer = Self.released.replacingOccurrences(of: change.from, with: change.to)
        #expect(newer != Self.released)
        let verdict = try Workbench().compare(Self.released, newer)
        if change.verdict.isEmpty {
            #expect(verdict.isEmpty)
        } else {
            #expect(verdict.components(separatedBy: "\n").contains("  " + change.verdict), "\(verdict)")
        }
    }

    @Test("is compatible with itself")
    func withItself() throws {
        #expect(try Workbench().compare(Self.released, Self.released).isEmpty)
    }
}
