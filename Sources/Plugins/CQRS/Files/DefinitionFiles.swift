import PluginAPI
import Tabular

/// The three files of service definitions. Rules SVC01 to SVC12.
///
/// What is written by `DefinitionText` is read back as the same definition.
enum DefinitionFiles {
    static let serviceColumns = [
        "code", "version", "name", "financial_year", "payment_type", "start_on", "end_on", "payment_period",
        "collection_frequency", "collection_type", "offer_unit", "method", "population_base",
        "provider_kinds", "flags",
        "pay_code", "subjective_code", "confidence", "source",
    ]
    static let indicatorColumns = [
        "service", "version", "indicator", "group", "purpose", "kind", "points", "lower", "upper",
        "step_points",
        "weighting", "weighting_group", "entry", "default", "protected", "register_field", "fields",
        "capped_by",
        "routes", "confidence", "source", "description",
    ]
    static let tariffColumns = [
        "service", "version", "name", "indicator", "amount", "base", "divided_by", "from", "to", "cap_a_year",
        "confidence", "source",
    ]

    /// Which definition a row belongs to.
    struct Key: Hashable {
        var code: String
        var version: Int
    }

    /// Reads all three; `tariffs` and `indicators` may be empty when no service needs them. Violations of a file name it
    /// in their field: `indicators.points`.
    static func read(services: [UInt8], indicators: [UInt8], tariffs: [UInt8])
        -> (definitions: [ServiceDefinition], violations: ViolationList)
    {
        var all = ViolationList()
        var order: [Key] = []
        var definitions: [Key: ServiceDefinition] = [:]
        var reader = RowReader(upload: services, columns: serviceColumns)
        while reader.next() {
            guard let definition = service(&reader) else { continue }
            let key = Key(code: definition.code, version: definition.version)
            reader.requireUnique("\(key.code) version \(key.version)", "code", "SVC01")
            order.append(key)
            definitions[key] = definition
        }
        all.add(reader.violations, file: "services")
        if !indicators.isEmpty {
            all.add(IndicatorFile.read(indicators, into: &definitions), file: "indicators")
        }
        if !tariffs.isEmpty { all.add(readTariffs(tariffs, into: &definitions), file: "tariffs") }
        let sorted = order.compactMap { definitions[$0] }
        for definition in sorted {
            for breach in DefinitionRules.breaches(of: definition) {
                all.add(
                    breach.rule, row: 0, field: breach.field,
                    "\(definition.code) version \(definition.version): \(breach.message)")
            }
        }
        return (sorted, all)
    }

    private static func service(_ reader: inout RowReader) -> ServiceDefinition? {
        let code = reader.cell("code")
        if !isCode(code) { reader.refuse("code", "SVC01", "a service code is 3 to 20 of A-Z and 0-9") }
        let version = reader.decimal("version", "SVC01", scale: 0, in: 1...9_999)
        if FinancialYear(reader.cell("financial_year")) == nil {
            reader.refuse("financial_year", "SVC02", "a financial year is written 2026/27")
        }
        let name = reader.text("name", "SVC02", in: 3...120)
        let (start, end) = (reader.day("start_on", "SVC03"), reader.day("end_on", "SVC03"))
        if let start, let end, end < start {
            reader.refuse("end_on", "SVC03", "the service ends before it starts")
        }
        let paymentType = reader.word("payment_type", "SVC04", PaymentType.self)
        let period = reader.word("payment_period", "SVC04", Frequency.self)
        let collected = reader.word("collection_frequency", "SVC04", Frequency.self)
        let collection = reader.word("collection_type", "SVC04", CollectionType.self)
        let unit = reader.word("offer_unit", "SVC04", OfferUnit.self)
        let method = reader.word("method", "SVC04", CalculationMethod.self)
        let base = reader.word("population_base", "SVC04", PopulationBase.self)
        let confidence = reader.word("confidence", "SVC05", Confidence.self)
        var flags: Set<ServiceDefinition.Flag> = []
        for word in list(reader.cell("flags")) {
            if let flag = ServiceDefinition.Flag(rawValue: word) {
                flags.insert(flag)
            } else {
                reader.refuse("flags", "SVC04", "there is no flag \"\(word.prefix(40))\"")
            }
        }
        let (payCode, subjective) = (reader.cell("pay_code"), reader.cell("subjective_code"))
        if payCode.utf8.count > 12 || subjective.utf8.count > 12 {
            reader.refuse("pay_code", "SVC06", "a pay code has at most 12 characters")
        }
        let source = reader.text("source", "SVC05", in: 1...200)
        guard let version, let start, let end, let paymentType, let period, let collected, let collection,
            let unit,
            let method, let base, let confidence
        else { return nil }
        return ServiceDefinition(
            code: code, version: Int(version), name: name, financialYear: reader.cell("financial_year"),
            paymentType: paymentType, startOn: start, endOn: end, paymentPeriod: period,
            collectionFrequency: collected,
            collectionType: collection, offerUnit: unit, method: method, populationBase: base,
            providerKinds: list(reader.cell("provider_kinds")), flags: flags, payCode: payCode,
            subjectiveCode: subjective, confidence: confidence, source: source)
    }

    private static func readTariffs(_ bytes: [UInt8], into definitions: inout [Key: ServiceDefinition])
        -> ViolationList
    {
        var reader = RowReader(upload: bytes, columns: tariffColumns)
        while reader.next() {
            guard let key = key(&reader, in: definitions) else { continue }
            let amount = reader.exact("amount", "SVC10", decimals: 6)
            let base = reader.word("base", "SVC10", PopulationBase.self)
            let divisor = reader.decimal("divided_by", "SVC10", scale: 0, in: 1...12)
            let from = reader.day("from", "SVC10")
            let to = reader.day("to", "SVC10", mayBeEmpty: true)
            let cap = reader.decimal("cap_a_year", "SVC10", scale: 0, in: 1...99_999_999, mayBeEmpty: true)
            let confidence = reader.word("confidence", "SVC05", Confidence.self)
            let name = reader.text("name", "SVC10", in: 1...60)
            guard let amount, let base, let divisor, let from, let confidence else { continue }
            if let to, to < from { reader.refuse("to", "SVC10", "the tariff ends before it begins") }
            definitions[key]?.tariffs.append(
                Tariff(
                    name: name, indicator: reader.cell("indicator"), amount: amount, base: base,
                    dividedBy: divisor,
                    from: from, to: to, capAYear: cap, confidence: confidence,
                    source: reader.text("source", "SVC05", in: 1...200)))
        }
        return reader.violations
    }

    static func key(_ reader: inout RowReader, in definitions: [Key: ServiceDefinition]) -> Key? {
        guard let version = reader.decimal("version", "SVC01", scale: 0, in: 1...9_999) else { return nil }
        let key = Key(code: reader.cell("service"), version: Int(version))
        if definitions[key] == nil {
            reader.refuse(
                "service", "SVC01",
                "\(reader.shown("service")) version \(version) is not in the services file")
            return nil
        }
        return key
    }

    static func list(_ text: String) -> [String] { text.split(separator: "|").map(String.init) }

    static func isCode(_ text: String) -> Bool {
        (3...20).contains(text.utf8.count)
            && text.utf8.allSatisfy { (0x41...0x5A).contains($0) || (0x30...0x39).contains($0) }
    }
}

extension ViolationList {
    /// Takes over the violations of one of several files.
    mutating func add(_ others: ViolationList, file: String) {
        for violation in others.listed {
            add(
                violation.rule, row: violation.row, column: violation.column,
                field: violation.field.isEmpty ? file : file + "." + violation.field, violation.message)
        }
        for _ in 0..<others.more { add("UP06", row: 0, field: file, "more of the same file") }
    }
}
