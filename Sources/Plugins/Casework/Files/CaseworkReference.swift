import PluginAPI

/// A category of enquiries.
struct CategoryRow: Hashable, Sendable {
    var category: String
    var title: String
    var team: String
    var subCategories: [String]
    /// Members with one of these roles see the organisation's enquiries of the category.
    var roles: Set<String>
    var from: CalendarDate
    var to: CalendarDate?
}

struct ClosingReasonRow: Hashable, Sendable {
    var reason: String
    var isByStaff: Bool
    var from: CalendarDate
    var to: CalendarDate?
}

/// All reference data of casework, read once from the files shipped. Effective-dated: questions name a day.
struct CaseworkReference: Sendable {
    private let targetRows: [CaseTargets.Row]
    private let escalations: [CaseTargets.Escalation]
    let workingDays: WorkingDays
    private let categoryRows: [CategoryRow]
    private let reasonRows: [ClosingReasonRow]
    let words: SearchWords

    private static func file(_ name: String, _ bytes: [UInt8]) -> ReferenceFile {
        ReferenceFile(name: name, bytes: bytes)
    }

    /// Throws `ReferenceFileFault`.
    init() throws {
        targetRows = try Self.file("targets.csv", PackageResources.targets_csv).rows(
            ["name", "value", "unit", "effective_from", "effective_to", "grade", "source", "note"]
        ) { row in
            let (value, from, to) = (
                row.number("value"), row.day("effective_from"), row.day("effective_to", mayBeEmpty: true)
            )
            guard let value, let from else { return nil }
            return CaseTargets.Row(
                name: row.cell("name"), value: value, unit: row.cell("unit"), from: from, to: to)
        }
        escalations = try Self.file("escalations.csv", PackageResources.escalations_csv).rows(
            ["kind", "percent", "role", "place", "effective_from", "effective_to", "source"]
        ) { row in
            let kind: CaseKind = row.cell("kind") == "complaint" ? .complaint : .enquiry
            let (percent, from) = (row.number("percent"), row.day("effective_from"))
            let to = row.day("effective_to", mayBeEmpty: true)
            guard let percent, let from else { return nil }
            return CaseTargets.Escalation(
                kind: kind, percent: percent, role: row.cell("role"), place: row.cell("place"), from: from,
                to: to)
        }
        workingDays = WorkingDays(
            bankHolidays: try Self.file("bank_holidays.csv", PackageResources.bank_holidays_csv).rows([
                "date", "title",
            ]) {
                $0.day("date")
            })
        categoryRows = try Self.file("categories.csv", PackageResources.categories_csv).rows(
            [
                "category", "title", "team", "sub_categories", "roles", "effective_from", "effective_to",
                "source",
            ]
        ) { row in
            let (from, to) = (row.day("effective_from"), row.day("effective_to", mayBeEmpty: true))
            for role in row.list("roles") where !RoleNames.isKnown(role) {
                row.refuse("roles", "CR03", "\(role) is no role")
            }
            guard let from else { return nil }
            return CategoryRow(
                category: row.cell("category"), title: row.cell("title"), team: row.cell("team"),
                subCategories: row.list("sub_categories"), roles: Set(row.list("roles")), from: from, to: to)
        }
        reasonRows = try Self.file("closing_reasons.csv", PackageResources.closing_reasons_csv).rows(
            ["reason", "title", "by_staff", "effective_from", "effective_to", "source"]
        ) { row in
            let (from, to) = (row.day("effective_from"), row.day("effective_to", mayBeEmpty: true))
            guard let from else { return nil }
            return ClosingReasonRow(
                reason: row.cell("reason"), isByStaff: row.cell("by_staff") == "1", from: from, to: to)
        }
        words = SearchWords(
            synonyms: try Self.file("synonyms.csv", PackageResources.synonyms_csv).rows(["term", "same_as"]) {
                row in
                (phrase: row.cell("term"), term: row.cell("same_as"))
            })
    }

    /// Throws `CalendarError` in use, when a clock runs through a year without bank holidays.
    func targets(on day: CalendarDate) throws -> CaseTargets {
        guard let targets = CaseTargets(targetRows, escalations, workingDays, on: day) else {
            throw StoredValueError(message: "the targets are not complete on \(day)")
        }
        return targets
    }

    func categories(on day: CalendarDate) -> [CategoryRow] {
        categoryRows.filter { $0.from <= day && $0.to.map { day < $0 } ?? true }
    }

    /// The category as last known: an old enquiry keeps one that has ended since.
    func category(_ name: String) -> CategoryRow? { categoryRows.last { $0.category == name } }

    func closingReasons(on day: CalendarDate) -> [ClosingReasonRow] {
        reasonRows.filter { $0.from <= day && $0.to.map { day < $0 } ?? true }
    }

    var teams: Set<String> { Set(categoryRows.map(\.team)) }
}
