import PluginAPI
import Tabular

/// The checklist as a file. Rules CHK01 to CHK07.
enum ChecklistFile {
    static let columns = [
        "number", "anchor", "offset_days", "owner_area", "title", "after", "precondition", "act",
        "proof_kind",
        "proof_wanted", "compensation", "irreversible_after", "source",
    ]

    static func read(_ bytes: [UInt8]) -> (rows: [ChecklistRow], violations: ViolationList) {
        var violations = ViolationList()
        var limits = TableLimits()
        limits.rows = 100
        let table = Table.read(
            csv: bytes, layout: TableLayout(.exact(columns), origin: .person, limits: limits),
            into: &violations)
        var reader = RowReader(table, columns: columns, violations: violations)
        var rows: [ChecklistRow] = []
        var known = Set<Int>()
        while reader.next() {
            guard let row = row(&reader, known: known) else { continue }
            reader.requireUnique(String(row.number), "number", "CHK01")
            known.insert(row.number)
            rows.append(row)
        }
        let kinds = Set(rows.map(\.proofKind))
        if reader.violations.isEmpty, !kinds.isSuperset(of: [.go, .register, .patients, .money, .grants]) {
            reader.refuse(
                "proof_kind", "CHK05", line: 1,
                "a checklist has steps with the proofs GO, REGISTER, PATIENTS, MONEY, GRANTS")
        }
        let numbers = Set(rows.map(\.number))
        if reader.violations.isEmpty,
            rows.contains(where: { $0.irreversibleAfter.map { !numbers.contains($0) } ?? false })
        {
            reader.refuse("irreversible_after", "CHK06", line: 1, "it names a step that is not there")
        }
        return (rows, reader.violations)
    }

    private static func row(_ reader: inout RowReader, known: Set<Int>) -> ChecklistRow? {
        let number = reader.decimal("number", "CHK01", scale: 0, in: 1...100)
        let anchor = StepAnchor(rawValue: reader.cell("anchor"))
        if anchor == nil { reader.refuse("anchor", "CHK02", "the anchor is T, QUARTER or YEAR_END") }
        let offset = reader.decimal("offset_days", "CHK03", scale: 0, in: -365...365)
        let kind = ProofKind(rawValue: reader.cell("proof_kind"))
        if kind == nil {
            reader.refuse(
                "proof_kind", "CHK05", "one of \(ProofKind.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        let after = reader.cell("after").split(separator: " ").map { Int($0) ?? 0 }
        if !known.isSuperset(of: after) {
            reader.refuse("after", "CHK04", "a step comes after steps above it in the table")
        }
        for name in ["owner_area", "title", "act", "proof_wanted", "compensation", "source"]
        where reader.isEmpty(name) {
            reader.refuse(name, "CHK07", "\(name) is needed")
        }
        let irreversible = reader.decimal(
            "irreversible_after", "CHK06", scale: 0, in: 1...100, mayBeEmpty: true)
        guard let number, let anchor, let offset, let kind else { return nil }
        return ChecklistRow(
            number: Int(number), anchor: anchor, offsetDays: Int(offset),
            ownerArea: reader.cell("owner_area"),
            title: reader.cell("title"), precondition: reader.cell("precondition"), after: after,
            act: reader.cell("act"), proofKind: kind, proofWanted: reader.cell("proof_wanted"),
            compensation: reader.cell("compensation"), irreversibleAfter: irreversible.map { Int($0) },
            source: reader.cell("source"))
    }
}
