/// An organisation's code in the national register (ODS): 3 to 12 of A-Z and 0-9. The code says nothing sure about the
/// kind of organisation; ask the directory.
public struct ODSCode: Hashable, Comparable, Sendable, CustomStringConvertible {
    public let value: String

    /// `nil` unless 3 to 12 characters of A-Z and 0-9.
    public init?(_ text: some StringProtocol) {
        guard (3...12).contains(text.utf8.count),
            text.utf8.allSatisfy({ (0x41...0x5A).contains($0) || (0x30...0x39).contains($0) })
        else { return nil }
        value = String(text)
    }

    /// Whether it has the form of an English GP practice's code (identity-and-organisations.md 2.4). Catches typing
    /// errors; does not make it a practice.
    public var looksLikePractice: Bool {
        let bytes = Array(value.utf8)
        guard bytes.count == 6, bytes.dropFirst().allSatisfy({ (0x30...0x39).contains($0) }) else { return false }
        // A-H, J-N, P, Y.
        return (0x41...0x48).contains(bytes[0]) || (0x4A...0x4E).contains(bytes[0]) || [0x50, 0x59].contains(bytes[0])
    }

    public var description: String { value }
    public static func < (left: ODSCode, right: ODSCode) -> Bool { left.value < right.value }
}

/// What an organisation is; the numbers are those of `pcs.host.v1.OrganisationKind`.
public enum OrganisationKind: Int, Sendable, Hashable, CaseIterable {
    case practice = 1, pcn, subICBLocation, icb, region, pharmacy, otherPrescribingSetting, formerCommissioner, national
    case branchSurgery, pharmacyHeadquarters, opticalHeadquarters, opticalSite, dentalPractice, trust
    /// Bodies that ODS has no code for; an operator registers them with a reason.
    case localMedicalCommittee, accountant, locumChambers, outOfHoursProvider, otherLocalBody

    /// Whether this system registers bodies of this kind itself, under codes that begin with `LOCAL`.
    public var isLocal: Bool {
        switch self {
        case .localMedicalCommittee, .accountant, .locumChambers, .outOfHoursProvider, .otherLocalBody: true
        default: false
        }
    }
}

public enum OrganisationStatus: Int, Sendable, Hashable {
    case active = 1, inactive, dormant, proposed
}

/// An organisation as it stood on a day.
public struct DirectoryEntry: Hashable, Sendable {
    public let code: ODSCode
    public let name: String
    public let kind: OrganisationKind
    public let status: OrganisationStatus
    public let openedOn: CalendarDate?
    public let closedOn: CalendarDate?
    public let postcode: String

    public init(
        code: ODSCode, name: String, kind: OrganisationKind, status: OrganisationStatus, openedOn: CalendarDate?,
        closedOn: CalendarDate?, postcode: String
    ) {
        self.code = code
        self.name = name
        self.kind = kind
        self.status = status
        self.openedOn = openedOn
        self.closedOn = closedOn
        self.postcode = postcode
    }
}

/// The register of organisations as the Host holds it in memory. All questions are "as at a day, as known now"; each
/// takes well under a microsecond to a few microseconds and never waits.
public protocol OrganisationDirectory: Sendable {
    func organisation(_ code: ODSCode, at day: CalendarDate) -> DirectoryEntry?
    /// Sub ICB Location that commissions a practice, PCN or pharmacy (RE4), not the one of its address.
    func commissioner(of code: ODSCode, at day: CalendarDate) -> ODSCode?
    /// ICB above a practice or PCN (through its commissioner) or a Sub ICB Location. Follows successions of former
    /// commissioners.
    func icb(of code: ODSCode, at day: CalendarDate) -> ODSCode?
    func region(of code: ODSCode, at day: CalendarDate) -> ODSCode?
    func pcn(of practice: ODSCode, at day: CalendarDate) -> ODSCode?
    func members(of pcn: ODSCode, at day: CalendarDate) -> [ODSCode]
    func practices(commissionedBy commissioner: ODSCode, at day: CalendarDate) -> [ODSCode]
    /// Direct successors.
    func successors(of code: ODSCode) -> [ODSCode]
    func predecessors(of code: ODSCode) -> [ODSCode]
    /// Who receives the money of a PCN: its nominated payee (RE9). `nil` = nobody is nominated on that day.
    func payee(forPCN pcn: ODSCode, at day: CalendarDate) -> ODSCode?
    /// Who operates it (RE6): the practice of a branch, the headquarters of a pharmacy or optician.
    func operatingOrganisation(of code: ODSCode, at day: CalendarDate) -> ODSCode?
}

extension OrganisationDirectory {
    /// A directory without payees.
    public func payee(forPCN pcn: ODSCode, at day: CalendarDate) -> ODSCode? { nil }
    /// A directory without headquarters and branches.
    public func operatingOrganisation(of code: ODSCode, at day: CalendarDate) -> ODSCode? { nil }
}
