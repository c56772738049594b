import PluginAPI
import Tabular

/// The two tables of reference data, as files. Rules DOC01 to DOC08.
enum RuleFiles {
    static let kindColumns = [
        "kind", "title", "maximum_bytes", "maximum_per_record", "file_types", "retention_years",
        "patient_identifiers_checked", "source",
    ]
    static let settingColumns = ["name", "value", "source"]

    /// No file can be larger: one commit holds it while it is looked into.
    static let largestFile: Int64 = 32 << 20

    static func readKinds(_ bytes: [UInt8]) -> (rows: [KindRule], violations: ViolationList) {
        var reader = RuleFiles.reader(bytes, kindColumns)
        var rows: [KindRule] = []
        while reader.next() {
            let kind = reader.cell("kind")
            if kind.isEmpty || kind.count > 40
                || !kind.utf8.allSatisfy({ (0x61...0x7A).contains($0) || $0 == 0x5F })
            {
                reader.refuse("kind", "DOC01", "a kind is written with a-z and _, at most 40")
            }
            reader.requireUnique(kind, "kind", "DOC01")
            let title = reader.cell("title")
            if !(3...100).contains(title.count) {
                reader.refuse("title", "DOC02", "a title has 3 to 100 characters")
            }
            let bytes = reader.decimal("maximum_bytes", "DOC03", scale: 0, in: 1...largestFile)
            let count = reader.decimal("maximum_per_record", "DOC04", scale: 0, in: 1...1_000)
            let years = reader.decimal("retention_years", "DOC06", scale: 0, in: 1...200)
            let types = fileTypes(&reader)
            let checks = reader.flag("patient_identifiers_checked", "DOC07")
            if reader.isEmpty("source") { reader.refuse("source", "DOC08", "every rule names its source") }
            guard let bytes, let count, let years else { continue }
            rows.append(
                KindRule(
                    kind: kind, title: title, maximumBytes: bytes, maximumPerRecord: count, types: types,
                    retentionYears: Int(years), checksIdentifiers: checks, source: reader.cell("source")))
        }
        return (rows, reader.violations)
    }

    private static func fileTypes(_ reader: inout RowReader) -> [FileType] {
        let names = reader.cell("file_types").split(separator: " ")
        let types = names.compactMap { FileType(name: $0) }
        if types.isEmpty || types.count != names.count || Set(types).count != types.count {
            let all = FileType.allCases.map(\.name).joined(separator: " ")
            reader.refuse("file_types", "DOC05", "file types are words of: \(all)")
        }
        return types
    }

    private static let settingBounds: [String: ClosedRange<Int64>] = [
        "unscanned_readable": 0...1, "upload_lifetime_hours": 1...168, "scan_claim_minutes": 1...120,
        "open_uploads_per_organisation": 1...1_000, "unpacked_maximum_bytes": 1...(1 << 30),
        "unpacked_maximum_ratio": 1...1_032, "unpacked_maximum_entries": 1...60_000,
    ]

    static func readSettings(_ bytes: [UInt8]) -> (row: DocumentSettings?, violations: ViolationList) {
        var reader = RuleFiles.reader(bytes, settingColumns)
        var values: [String: Int64] = [:]
        var line = 1
        while reader.next() {
            line = reader.line
            let name = reader.cell("name")
            reader.requireUnique(name, "name", "DOC01")
            guard let bounds = settingBounds[name] else {
                reader.refuse("name", "DOC01", "there is no setting \(reader.shown("name"))")
                continue
            }
            values[name] = reader.decimal("value", "DOC03", scale: 0, in: bounds)
            if reader.isEmpty("source") { reader.refuse("source", "DOC08", "every rule names its source") }
        }
        for name in settingBounds.keys.sorted() where values[name] == nil {
            reader.refuse("name", "DOC01", line: line, "the setting \(name) is missing or wrong")
        }
        guard reader.violations.isEmpty else { return (nil, reader.violations) }
        func value(_ name: String) -> Int64 { values[name] ?? 0 }
        let settings = DocumentSettings(
            unscannedReadable: value("unscanned_readable") == 1,
            uploadLifetimeHours: value("upload_lifetime_hours"),
            scanClaimMinutes: value("scan_claim_minutes"),
            openUploadsPerOrganisation: value("open_uploads_per_organisation"),
            unpacking: UnpackingLimits(
                bytes: value("unpacked_maximum_bytes"), ratio: value("unpacked_maximum_ratio"),
                entries: Int(value("unpacked_maximum_entries"))))
        return (settings, reader.violations)
    }

    private static func reader(_ bytes: [UInt8], _ columns: [String]) -> RowReader {
        var violations = ViolationList()
        var limits = TableLimits()
        limits.rows = 500
        let table = Table.read(
            csv: bytes, layout: TableLayout(.exact(columns), origin: .person, limits: limits),
            into: &violations)
        return RowReader(table, columns: columns, violations: violations)
    }
}
