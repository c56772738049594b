import PluginAPI
import Tabular
import Testing

@testable import Host

@Suite("Register files are read strictly")
struct OrganisationFileTests {
    private func parse(_ layout: SnapshotLayout, _ text: String) -> (ParsedSnapshot, [String]) {
        var violations = ViolationList(limit: 100)
        let day = CalendarDate(year: 2026, month: 3, day: 2) ?? .unboundedStart
        let parsed = layout.parse(Array(text.utf8), publishedOn: day, into: &violations)
        return (parsed, violations.listed.map { "\($0.row):\($0.column) \($0.rule)" })
    }

    @Test("each rule of the layouts is reported where it is broken")
    func layoutRules() {
        let good = RegisterFile.practice("A81001", commissioner: "16C")
        #expect(parse(.practices, good).1.isEmpty)
        let cases: [(String, String)] = [
            (good + "\n" + good, "2:1 ODS-2"),
            (good.replacing("A81001", with: "a81001"), "1:1 ODS-1"),
            (good.replacing("A81001", with: "A8100"), "1:1 ODS-1"),
            (good.replacing("A81001", with: "AB1001"), "1:1 ODS-1"),
            (good.replacing("A81001", with: ""), "1:1 ODS-6"),
            (good.replacing("19740401", with: "19740431"), "1:11 ODS-3"),
            (good.replacing("ACTIVE", with: "OPENISH"), "1:13 ODS-5"),
            (good.replacing("ACTIVE", with: "INACTIVE"), "1:12 ODS-9"),
            (good.replacing("RO76", with: "GP"), "1:26 ODS-5"),
            (
                RegisterFile.practice("A81001", closed: "19700101", status: "INACTIVE", commissioner: "16C"),
                "1:12 ODS-4"
            ),
            (RegisterFile.practice("A81001", name: "", commissioner: "16C"), "1:2 ODS-6"),
        ]
        for (text, expected) in cases { #expect(parse(.practices, text).1 == [expected], "\(text)") }
        #expect(
            parse(.pcnMembers, RegisterFile.member("A81001", "U12345", from: "", to: "")).1 == ["1:9 ODS-6"])
        #expect(
            parse(.pcnMembers, RegisterFile.member("A81001", "U12345", from: "20200101", to: "20191231")).1
                == ["1:10 ODS-4"])
        #expect(
            parse(
                .pcnMembers,
                RegisterFile.member("A81001", "U12345", from: "20200101", to: "").replacing(
                    "TRUE", with: "YES")
            ).1
                == ["1:11 ODS-5"])
        #expect(parse(.pcns, RegisterFile.pcns(["PCS,MINE,16C,,20200101,,,"])).1 == ["2:1 ODS-1"])
        #expect(
            parse(
                .commissioners, RegisterFile.commissioners([RegisterFile.commissioner("PCS", roles: "RO319")])
            ).1
                == ["2:1 ODS-7"])
        #expect(
            parse(
                .hierarchy, RegisterFile.hierarchy(["Y56,LONDON,QAA,A,01A,B,1", "Y57,LONDON,QAA,A,01B,B,1"])
            ).1
                == ["3:1 ODS-2"])
    }

    @Test("old and new vocabularies of status and setting mean the same")
    func vocabularies() {
        let old = RegisterFile.practice("A81001", status: "A", commissioner: "16C").replacing(
            "RO76", with: "4")
        let new = RegisterFile.practice("A81001", commissioner: "16C")
        #expect(parse(.practices, old).0.organisations == parse(.practices, new).0.organisations)
        let prison = parse(.practices, new.replacing("RO76", with: "RO82")).0.organisations.first
        #expect(prison?.kind == .otherPrescribingSetting)
        let both = parse(.practices, new.replacing("RO76", with: "RO76|RO268")).0.organisations.first
        #expect(both?.kind == .practice)
    }
}

/// Small files in the layouts of the register.
enum RegisterFile {
    static func practice(
        _ code: String, name: String = "A SURGERY", opened: String = "19740401", closed: String = "",
        status: String = "ACTIVE", commissioner: String, joined: String = "20130401", left: String = "",
        postcode: String = "TS18 1HU"
    ) -> String {
        let fields = [
            code, name, "Y63", "QHM", "1 HIGH STREET", "", "", "STOCKTON", "", postcode, opened, closed,
            status, "B",
            commissioner, joined, left, "", "", "", "", "1", "", commissioner, "", "RO76", "",
        ]
        return fields.map { "\"\($0)\"" }.joined(separator: ",")
    }

    static func member(_ practice: String, _ pcn: String, from: String, to: String) -> String {
        [practice, "A", "16C", "B", pcn, "P", "16C", "B", from, to, "TRUE"].map { "\"\($0)\"" }.joined(
            separator: ",")
    }

    static func file(_ rows: [String]) -> [UInt8] { Array((rows.joined(separator: "\r\n") + "\r\n").utf8) }

    static func pcns(_ rows: [String]) -> String {
        (["pcn_code,pcn_name,sub_icb_code,sub_icb_name,open_date,close_date,postcode,town"] + rows).joined(
            separator: "\n")
    }

    static func commissioner(
        _ code: String, status: String = "Active", primary: String = "RO98", roles: String = "",
        predecessors: String = "",
        successor: String = "", parent: String = ""
    ) -> String {
        "\(code),NAME OF \(code),\(status),\(primary),\(roles),2013-04-01,,2026-01-01,,,,,,,ENGLAND,\(predecessors),"
            + "\(successor),\(parent),"
    }

    static func commissioners(_ rows: [String]) -> String {
        ([SnapshotLayout.commissioners.header?.joined(separator: ",") ?? ""] + rows).joined(separator: "\n")
    }

    static func hierarchy(_ rows: [String]) -> String {
        ([SnapshotLayout.hierarchy.header?.joined(separator: ",") ?? ""] + rows).joined(separator: "\n")
    }
}

/// The same numbers in each run.
struct RegisterRandom: RandomNumberGenerator {
    private var state: UInt64
    init(seed: UInt64) { state = seed }
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }
}
