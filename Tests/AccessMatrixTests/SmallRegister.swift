import PluginAPI

/// A small England: two ICBs in two regions, practices, one of them closed a month ago and one long ago, and
/// a PCN with members under two commissioners.
struct SmallRegister: OrganisationDirectory {
    static let today = CalendarDate(daysSince1970: 20_528)

    private struct Entry {
        let kind: OrganisationKind
        var parent: String?
        var pcn: String?
        var closedDaysAgo: Int?
    }

    private static let entries: [String: Entry] = [
        "PCS": Entry(kind: .national),
        "Y60": Entry(kind: .region), "QT1": Entry(kind: .icb, parent: "Y60"),
        "02Q": Entry(kind: .subICBLocation, parent: "QT1"),
        "Y58": Entry(kind: .region), "QJK": Entry(kind: .icb, parent: "Y58"),
        "15N": Entry(kind: .subICBLocation, parent: "QJK"),
        "C84101": Entry(kind: .practice, parent: "02Q", pcn: "U10001"),
        "A80001": Entry(kind: .practice, parent: "02Q", closedDaysAgo: 30),
        "A80002": Entry(kind: .practice, parent: "02Q", closedDaysAgo: 91),
        "L83001": Entry(kind: .practice, parent: "15N", pcn: "U10001"),
        "U10001": Entry(kind: .pcn, parent: "15N"),
    ]

    func organisation(_ code: ODSCode, at day: CalendarDate) -> DirectoryEntry? {
        guard let entry = Self.entries[code.value] else { return nil }
        let closedOn = entry.closedDaysAgo.map { Self.today.adding(days: -$0) }
        return DirectoryEntry(
            code: code, name: code.value, kind: entry.kind,
            status: closedOn.map { day > $0 } ?? false ? .inactive : .active, openedOn: nil,
            closedOn: closedOn, postcode: "")
    }

    func commissioner(of code: ODSCode, at day: CalendarDate) -> ODSCode? {
        guard let entry = organisation(code, at: day), entry.status == .active else { return nil }
        return Self.entries[code.value]?.parent.flatMap { ODSCode($0) }
    }

    func icb(of code: ODSCode, at day: CalendarDate) -> ODSCode? { above(code, .icb, day) }
    func region(of code: ODSCode, at day: CalendarDate) -> ODSCode? { above(code, .region, day) }

    private func above(_ code: ODSCode, _ kind: OrganisationKind, _ day: CalendarDate) -> ODSCode? {
        if Self.entries[code.value]?.kind == kind { return code }
        return commissioner(of: code, at: day).flatMap { above($0, kind, day) }
    }

    func pcn(of practice: ODSCode, at day: CalendarDate) -> ODSCode? {
        Self.entries[practice.value]?.pcn.flatMap { ODSCode($0) }
    }

    func members(of pcn: ODSCode, at day: CalendarDate) -> [ODSCode] { [] }
    func practices(commissionedBy commissioner: ODSCode, at day: CalendarDate) -> [ODSCode] { [] }
    func successors(of code: ODSCode) -> [ODSCode] { [] }
    func predecessors(of code: ODSCode) -> [ODSCode] { [] }
}
