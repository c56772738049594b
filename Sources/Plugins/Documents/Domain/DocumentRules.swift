import PluginAPI

/// What the reference data say of one kind of document.
struct KindRule: Hashable, Sendable {
    var kind: String
    var title: String
    var maximumBytes: Int64
    var maximumPerRecord: Int64
    var types: [FileType]
    var retentionYears: Int
    var checksIdentifiers: Bool
    var source: String
}

/// What the reference data say for all kinds.
struct DocumentSettings: Hashable, Sendable {
    var unscannedReadable: Bool
    var uploadLifetimeHours: Int64
    var scanClaimMinutes: Int64
    var openUploadsPerOrganisation: Int64
    var unpacking: UnpackingLimits
}

struct DocumentRules: Hashable, Sendable {
    var kinds: [KindRule]
    var settings: DocumentSettings

    func kind(_ name: String) -> KindRule? { kinds.first { $0.kind == name } }
}

/// How long a document is kept (identity-and-organisations.md 13: eight years financial, six access).
enum Retention {
    /// First day on which it may be destroyed by the rule of its kind. Kept on 29 February, it goes on 1 March.
    static func end(uploadedOn day: CalendarDate, years: Int) -> CalendarDate {
        let (year, month, dayOfMonth) = day.components
        return CalendarDate(year: year + years, month: month, day: dayOfMonth)
            ?? CalendarDate(year: year + years, month: 3, day: 1) ?? day
    }
}
