import Configuration

/// Values given in one place (the file, or the environment), each checked against the catalogue.
struct SettingsSource {
    private(set) var values: [AbsoluteConfigKey: ConfigValue] = [:]
    /// Where each setting was given, by its name.
    private(set) var places: [String: String] = [:]
    private(set) var complaints: [SettingsComplaint] = []

    // MARK: The file

    /// - Parameter path: as the operator wrote it, for messages.
    init(file path: String, content: [UInt8]) {
        do {
            guard case .object(let members) = try JSONParser.parse(content) else {
                complaints.append(
                    SettingsComplaint(setting: "", source: path, problem: "must hold one JSON object"))
                return
            }
            for member in members { add(member, prefix: "", file: path) }
        } catch {
            complaints.append(SettingsComplaint(setting: "", source: path, problem: "is not JSON: \(error)"))
        }
    }

    private mutating func add(_ member: JSONValue.Member, prefix: String, file: String) {
        let name = prefix + member.name
        let place = "\(file) line \(member.line)"
        if let setting = SettingCatalogue.setting(named: name) {
            guard let value = Self.value(of: member.value, setting.kind) else {
                let shown = member.value.compact
                complaints.append(
                    SettingsComplaint(
                        setting: name, source: place,
                        problem:
                            "must be \(setting.allowed), not \(shown.count <= 40 ? shown : member.value.kindInWords)"
                    ))
                return
            }
            set(setting, value, place: place)
        } else if SettingCatalogue.all.contains(where: { $0.name.hasPrefix(name + ".") }) {
            guard case .object(let members) = member.value else {
                complaints.append(
                    SettingsComplaint(setting: name, source: place, problem: "must be an object of settings"))
                return
            }
            for inner in members { add(inner, prefix: name + ".", file: file) }
        } else {
            complaints.append(SettingsComplaint(setting: name, source: place, problem: Self.unknown(name)))
        }
    }

    private static func value(of json: JSONValue, _ kind: Setting.Kind) -> ConfigContent? {
        switch (kind, json) {
        case (.text, .string(let text)): .string(text)
        case (.flag, .bool(let flag)): .bool(flag)
        case (.number(let range), .number(let literal)):
            Int(literal).flatMap { inside(range, $0) }.map { .int($0) }
        case (.choice(let names), .string(let text)): names.contains(text) ? .string(text) : nil
        case (.numbers, .array(let elements)): whole(elements).map { .intArray($0) }
        default: nil
        }
    }

    private static func whole(_ elements: [JSONValue]) -> [Int]? {
        var numbers: [Int] = []
        for element in elements {
            guard case .number(let literal) = element, let number = Int(literal) else { return nil }
            numbers.append(number)
        }
        return numbers
    }

    // MARK: The environment

    init(environment: [String: String]) {
        for (name, text) in environment.sorted(by: { $0.key < $1.key })
        where name.hasPrefix("PCS_") && !SettingCatalogue.isOtherVariable(name) {
            let place = "variable \(name)"
            guard let setting = SettingCatalogue.setting(variable: name) else {
                let question = Suggestions.question(for: name, among: SettingCatalogue.all.map(\.variable))
                complaints.append(
                    SettingsComplaint(setting: "", source: place, problem: "names no setting\(question)"))
                continue
            }
            guard let value = Self.value(of: text, setting.kind) else {
                complaints.append(
                    SettingsComplaint(
                        setting: setting.name, source: place,
                        problem: "must be \(setting.allowed), not \"\(text)\""))
                continue
            }
            set(setting, value, place: place)
        }
    }

    private static func value(of text: String, _ kind: Setting.Kind) -> ConfigContent? {
        switch kind {
        case .text: return .string(text)
        case .flag: return Bool(text).map { .bool($0) }
        case .number(let range): return Int(text).flatMap { inside(range, $0) }.map { .int($0) }
        case .choice(let names): return names.contains(text) ? .string(text) : nil
        case .numbers:
            let parts = text.split(separator: ",").map { Int(String($0.trimming(while: { $0 == " " }))) }
            let numbers = parts.compactMap { $0 }
            return numbers.count == parts.count ? .intArray(numbers) : nil
        }
    }

    // MARK: Both

    private static func inside(_ range: ClosedRange<Int>?, _ number: Int) -> Int? {
        range.map { $0.contains(number) } ?? true ? number : nil
    }

    private mutating func set(_ setting: Setting, _ content: ConfigContent, place: String) {
        let key = AbsoluteConfigKey(setting.name.split(separator: ".").map(String.init))
        values[key] = ConfigValue(content, isSecret: false)
        places[setting.name] = place
    }

    private static func unknown(_ name: String) -> String {
        let groups = Set(
            SettingCatalogue.all.compactMap { $0.name.split(separator: ".").first.map(String.init) })
        return "is not known"
            + Suggestions.question(for: name, among: Set(SettingCatalogue.all.map(\.name)).union(groups))
    }
}

extension Substring {
    func trimming(while isSpare: (Character) -> Bool) -> Substring {
        var rest = drop(while: isSpare)
        while let last = rest.last, isSpare(last) { rest.removeLast() }
        return rest
    }
}
