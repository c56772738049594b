import PluginAPI

/// The compact form of results and of a run's inputs: dense whole numbers, texts only where a source is named. From it
/// and the immutable definition the explanation of every line is built.
enum ResultCoding {
    static func bytes(_ result: ProviderResult) -> [UInt8] {
        var writer = CompactWriter()
        for figure in figures(result.bases) { write(figure, to: &writer) }
        writer.count(result.lines.count)
        for line in result.lines {
            writer.count(line.indicator + 1)
            writer.count(line.tariff + 1)
            writer.byte(UInt8(line.standing.rawValue) | UInt8(line.route) << 4)
            writer.signed(line.numerator)
            writer.signed(line.denominator)
            writer.signed(line.register)
            writer.signed(line.adjustments)
            writer.signed(line.quantity)
            writer.signed(line.points.hundredths)
            writer.signed(line.amount.pence)
        }
        return writer.bytes
    }

    /// - Parameter result: what stands in the other columns; its lines and bases are filled in.
    static func read(_ bytes: [UInt8], into result: inout ProviderResult) throws {
        var reader = CompactReader(bytes)
        var bases = ProviderBases()
        bases.list = try readFigure(&reader)
        bases.prevalenceList = try readFigure(&reader)
        bases.weighted = try readFigure(&reader)
        bases.adjusted = try readFigure(&reader)
        bases.beds = try readFigure(&reader)
        result.bases = bases
        result.lines = []
        for _ in 0..<(try reader.count()) {
            var line = ResultLine()
            line.indicator = Int(try reader.unsigned()) - 1
            line.tariff = Int(try reader.unsigned()) - 1
            let packed = try reader.byte()
            guard let standing = IndicatorScore.Standing(rawValue: Int(packed & 15)) else {
                throw CQRSError.damaged("result")
            }
            line.standing = standing
            line.route = Int(packed >> 4)
            line.numerator = try reader.signed()
            line.denominator = try reader.signed()
            line.register = try reader.signed()
            line.adjustments = try reader.signed()
            line.quantity = try reader.signed()
            line.points = Points(hundredths: try reader.signed())
            line.amount = Money(pence: try reader.signed())
            result.lines.append(line)
        }
        guard reader.isAtEnd else { throw CQRSError.damaged("result") }
    }

    private static func figures(_ bases: ProviderBases) -> [ProviderBases.Figure?] {
        [bases.list, bases.prevalenceList, bases.weighted, bases.adjusted, bases.beds]
    }

    private static func write(_ figure: ProviderBases.Figure?, to writer: inout CompactWriter) {
        guard let figure else {
            writer.byte(0)
            return
        }
        writer.byte(1)
        writer.signed(figure.rowID)
        writer.decimal(figure.value)
        writer.date(figure.asOf)
        writer.text(figure.source)
    }

    private static func readFigure(_ reader: inout CompactReader) throws -> ProviderBases.Figure? {
        guard try reader.byte() == 1 else { return nil }
        return ProviderBases.Figure(
            rowID: try reader.signed(), value: try reader.decimal(), asOf: try reader.date(),
            source: try reader.text())
    }

    static func bytes(_ inputs: RunInputs) -> [UInt8] {
        var writer = CompactWriter()
        writer.date(inputs.day)
        for figure in [inputs.valuePerPoint, inputs.averageList, inputs.nationalList, inputs.networks] {
            write(figure, to: &writer)
        }
        writer.count(inputs.nationalRegisters.count)
        for (group, figure) in inputs.nationalRegisters.sorted(by: { $0.key < $1.key }) {
            writer.text(group)
            write(figure, to: &writer)
        }
        return writer.bytes
    }

    static func readInputs(_ bytes: [UInt8]) throws -> RunInputs {
        var reader = CompactReader(bytes)
        var inputs = RunInputs(day: try reader.date())
        inputs.valuePerPoint = try readNational(&reader)
        inputs.averageList = try readNational(&reader)
        inputs.nationalList = try readNational(&reader)
        inputs.networks = try readNational(&reader)
        for _ in 0..<(try reader.count()) {
            let group = try reader.text()
            inputs.nationalRegisters[group] = try readNational(&reader)
        }
        return inputs
    }

    private static func write(_ figure: NationalFigures.Figure?, to writer: inout CompactWriter) {
        guard let figure else {
            writer.byte(0)
            return
        }
        writer.byte(1)
        writer.decimal(figure.value)
        writer.signed(figure.version)
        writer.text(figure.source)
        writer.date(figure.asOf)
    }

    private static func readNational(_ reader: inout CompactReader) throws -> NationalFigures.Figure? {
        guard try reader.byte() == 1 else { return nil }
        return NationalFigures.Figure(
            value: try reader.decimal(), version: try reader.signed(), source: try reader.text(),
            asOf: try reader.date())
    }
}

extension RunInputs {
    /// Without any figure yet.
    init(day: CalendarDate) { self.day = day }
}
