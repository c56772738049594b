import Foundation

/// Prints figures as they come: one line each, `name value unit` first so that programs can read it, then what it was
/// made of and what it had to reach. With JSON, one object a line.
struct Report {
    let isJSON: Bool

    func show(_ figure: Figure) {
        print(isJSON ? json(figure) : line(figure))
        fflush(nil)
    }

    /// For the person who waits, on the error output: never part of the figures.
    func note(_ text: String) {
        FileHandle.standardError.write(Data((text + "\n").utf8))
    }

    private func line(_ figure: Figure) -> String {
        var text = "\(figure.name) \(Format.number(figure.value)) \(figure.unit)"
        if !figure.details.isEmpty {
            let parts = figure.details.map { detail in
                let number = "\(detail.name) \(Format.number(detail.value))"
                return detail.unit.isEmpty ? number : "\(number) \(detail.unit)"
            }
            text += "  # " + parts.joined(separator: ", ")
        }
        if let goal = Goal.all[figure.name] {
            text += "; \(goal.text): \(goal.verdict(of: figure.value))"
        }
        return text
    }

    private func json(_ figure: Figure) -> String {
        var fields = [
            "\"name\":\"\(figure.name)\"", "\"value\":\(Format.plain(figure.value))",
            "\"unit\":\"\(figure.unit)\"",
        ]
        if let goal = Goal.all[figure.name] {
            if let must = goal.must { fields.append("\"must\":\(Format.plain(must))") }
            if let aim = goal.aim { fields.append("\"aim\":\(Format.plain(aim))") }
            fields.append("\"reached\":\"\(goal.verdict(of: figure.value))\"")
        }
        let details = figure.details.map {
            "{\"name\":\"\($0.name)\",\"value\":\(Format.plain($0.value)),\"unit\":\"\($0.unit)\"}"
        }
        fields.append("\"details\":[\(details.joined(separator: ","))]")
        return "{\(fields.joined(separator: ","))}"
    }
}

/// Numbers for people: three significant figures, no exponent.
enum Format {
    static func number(_ value: Double) -> String {
        let size = abs(value)
        if size == size.rounded(), size < 1e15 { return String(format: "%.0f", value) }
        return String(
            format: size >= 100 ? "%.0f" : size >= 10 ? "%.1f" : size >= 0.1 ? "%.2f" : "%.4f", value)
    }

    static func plain(_ value: Double) -> String {
        value == value.rounded() && abs(value) < 1e15
            ? String(format: "%.0f", value) : String(format: "%.6f", value)
    }
}
