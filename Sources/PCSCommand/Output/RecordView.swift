/// Any message of the contract as people see it, by its fields: names in words, days and times as such, pence as
/// pounds, enums without their prefix, lists of records as tables. Fields that are not set are left out.
package struct RecordView {
    let pool: DescriptorPool

    package init(pool: DescriptorPool) { self.pool = pool }

    /// One record: its fields one a line, then its lists.
    package func text(_ message: DynamicMessage, for terminal: Terminal, indentation: Int = 0) -> String {
        var sheet = Sheet()
        var isFirst = true
        var parts: [String] = []
        for field in message.type.fields {
            let values = message.values(of: field)
            let records = values.compactMap { record($0) }
            if records.isEmpty {
                let text = cell(values, of: field)
                if text.contains("\n") {
                    parts.append(terminal.styled(Self.words(field.name), .faint) + "\n" + lines(text))
                } else if !text.isEmpty {
                    sheet.add(Self.words(field.name), text, style: isFirst ? .bold : .plain)
                    isFirst = false
                }
            } else {
                let title = terminal.styled(Self.words(field.name), .faint)
                let body =
                    field.isRepeated
                    ? table(records).rendered(for: terminal, indentation: indentation + 2)
                    : text(records[0], for: terminal, indentation: indentation + 2)
                if !body.isEmpty { parts.append(title + "\n" + body) }
            }
        }
        let head = sheet.rendered(for: terminal, indentation: indentation)
        return ((head.isEmpty ? [] : [head]) + parts).joined(separator: "\n\n")
    }

    /// Records as rows.
    /// - Parameter columns: names of fields in the contract; empty = all that hold something and are no lists.
    package func table(_ records: [DynamicMessage], columns: [String] = []) -> Table {
        guard let type = records.first?.type else { return Table([]) }
        let wanted =
            columns.isEmpty
            ? type.fields.filter { field in
                records.contains { !cell($0.values(of: field), of: field).isEmpty }
            } : columns.compactMap { type.field(named: $0) }
        var table = Table(
            wanted.map { field in
                Self.isNumber(field)
                    ? .right(Self.words(field.name))
                    : .left(Self.words(field.name), mayShorten: Self.isLong(field))
            })
        for record in records {
            table.add(
                wanted.enumerated().map { index, field in
                    Table.Cell(
                        cell(record.values(of: field), of: field).replacing("\n", with: " "),
                        style: index == 0 ? .bold : .plain)
                })
        }
        return table
    }

    // MARK: Cells

    private func record(_ value: DynamicValue) -> DynamicMessage? {
        guard case .message(let message) = value, plain(message) == nil else { return nil }
        return message
    }

    private func cell(_ values: [DynamicValue], of field: FieldType) -> String {
        values.map { cell($0, of: field) }.filter { !$0.isEmpty }.joined(separator: ", ")
    }

    private func cell(_ value: DynamicValue, of field: FieldType) -> String {
        switch value {
        case .signed(let number):
            if number == 0 && !field.hasPresence { return "" }
            return field.name.hasSuffix("_pence") ? Wording.pounds(number) : String(number)
        case .unsigned(let number): return number == 0 ? "" : String(number)
        case .float(let number): return String(number)
        case .double(let number): return String(number)
        case .bool(let flag): return flag ? "yes" : ""
        case .string(let text): return text
        case .bytes(let bytes): return bytes.isEmpty ? "" : Wording.bytes(bytes.count)
        case .enumeration(let number): return enumeration(number, field)
        case .message(let message):
            if let plain = plain(message) { return plain }
            // A record in a cell: what it is called, by its first fields.
            return message.type.fields.prefix(3).map { cell(message.values(of: $0), of: $0) }
                .filter { !$0.isEmpty }.joined(separator: " ")
        }
    }

    private func enumeration(_ number: Int32, _ field: FieldType) -> String {
        guard number != 0, case .enumeration(let type) = field.kind else { return "" }
        guard let name = pool.enumeration(type)?.name(of: number) else { return String(number) }
        let prefix = Self.upperSnake(String(type.split(separator: ".").last ?? "")) + "_"
        let short = name.hasPrefix(prefix) ? String(name.dropFirst(prefix.count)) : name
        return type == "pcs.access.v1.Role" ? short : short.lowercased().replacing("_", with: " ")
    }

    /// Days, months and times are values rather than records.
    private func plain(_ message: DynamicMessage) -> String? {
        func number(_ name: String) -> Int64 {
            guard let field = message.type.field(named: name),
                case .signed(let number)? = message.value(of: field)
            else { return 0 }
            return number
        }
        func two(_ number: Int64) -> String { (number < 10 ? "0" : "") + String(number) }
        switch message.type.fullName {
        case "pcs.common.v1.Date":
            return number("year") == 0
                ? "" : "\(number("year"))-\(two(number("month")))-\(two(number("day")))"
        case "pcs.common.v1.Month":
            return number("year") == 0 ? "" : "\(number("year"))-\(two(number("month")))"
        case "google.protobuf.Timestamp":
            let seconds = number("seconds")
            return seconds == 0
                ? ""
                : WellKnownTypes.timestampText(seconds: seconds, nanoseconds: 0).replacing("T", with: " ")
        default: return nil
        }
    }

    private func lines(_ text: String) -> String {
        text.split(separator: "\n", omittingEmptySubsequences: false)
            .map { "  " + TextSafety.clean(String($0)) }.joined(separator: "\n")
    }

    private static func isNumber(_ field: FieldType) -> Bool {
        switch field.kind {
        case .int32, .int64, .uint32, .uint64, .sint32, .sint64: !field.isRepeated
        default: false
        }
    }

    private static func isLong(_ field: FieldType) -> Bool {
        [
            "title", "detail", "subject", "body", "reason", "label", "name", "words", "purpose", "extract",
            "act",
        ]
        .contains(field.name) || field.isRepeated
    }

    /// `organisation_code` -> `organisation code`; the endings that say only what a value is are left out.
    private static func words(_ name: String) -> String { name.replacing("_", with: " ") }

    /// `RegistrationState` -> `REGISTRATION_STATE`.
    private static func upperSnake(_ name: String) -> String {
        var result = ""
        for character in name {
            if character.isUppercase, !result.isEmpty { result += "_" }
            result += character.uppercased()
        }
        return result
    }
}
