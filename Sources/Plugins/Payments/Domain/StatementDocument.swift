import PluginAPI

/// A statement as it is stored: one sequence of bytes for head, lines and explanations, over which its SHA-256 is made.
/// It holds nothing of the moment at which it was calculated, so the same inputs give the same bytes.
struct StatementDocument: Hashable, Sendable {
    var runID: String
    var month: YearMonth
    var paymentDate: CalendarDate
    var practice: ODSCode
    var practiceName: String
    var payee: ODSCode
    var contractID: String
    /// `nil` for payees without a contract of general practice.
    var kind: ContractKind?
    var payeeKind: PayeeKind
    var commissioner: String
    var region: String
    var capitation: Capitation?
    var lines: [PaymentLine]
    /// Description of each line's paycode, as it was called then.
    var descriptions: [Paycode: String]

    struct Capitation: Hashable, Sendable {
        var quarterDay: CalendarDate
        var lists: PatientLists
    }

    var statementID: String { runID + "/" + practice.value }

    /// GMS, PMS or APMS; the kind of payee for others.
    var typeName: String { kind?.name ?? payeeKind.name }

    /// 2 since statements go to others than practices; 1 is still read.
    private static let format: UInt8 = 2

    func encode() -> [UInt8] {
        var writer = CompactWriter()
        writer.byte(StatementDocument.format)
        writer.text(runID)
        writer.signed(Int64(month.index))
        writer.date(paymentDate)
        writer.text(practice.value)
        writer.text(practiceName)
        writer.text(payee.value)
        writer.text(contractID)
        writer.byte(UInt8(kind?.rawValue ?? 0))
        writer.byte(payeeKind.rawValue)
        writer.text(commissioner)
        writer.text(region)
        writer.byte(capitation == nil ? 0 : 1)
        if let capitation {
            writer.date(capitation.quarterDay)
            writer.signed(capitation.lists.registered)
            writer.signed(capitation.lists.weightedHundredths)
            writer.signed(capitation.lists.london)
            writer.signed(capitation.lists.version)
        }
        writer.count(lines.count)
        for line in lines {
            line.write(description: descriptions[line.paycode] ?? line.paycode.code, to: &writer)
        }
        return writer.bytes
    }

    /// - Parameter withLines: `false` reads the head alone, for lists of statements.
    static func decode(_ bytes: [UInt8], withLines: Bool = true) throws(PaymentsError) -> StatementDocument {
        do throws(CompactCodingError) {
            var reader = CompactReader(bytes)
            return try StatementDocument(from: &reader, withLines: withLines)
        } catch {
            throw .damaged("statement")
        }
    }

    private init(from reader: inout CompactReader, withLines: Bool) throws(CompactCodingError) {
        let format = try reader.byte()
        guard format == 1 || format == StatementDocument.format else { throw .malformed }
        runID = try reader.text()
        month = try reader.month()
        paymentDate = try reader.date()
        practice = try reader.odsCode()
        practiceName = try reader.text()
        payee = try reader.odsCode()
        contractID = try reader.text()
        let kindNumber = Int64(try reader.byte())
        kind = ContractKind(rawValue: kindNumber)
        guard kind != nil || kindNumber == 0 else { throw .malformed }
        if format == 1 {
            payeeKind = .practice
        } else {
            guard let payeeKind = PayeeKind(rawValue: try reader.byte()) else { throw .malformed }
            self.payeeKind = payeeKind
        }
        commissioner = try reader.text()
        region = try reader.text()
        if try reader.byte() == 1 {
            let quarterDay = try reader.date()
            capitation = Capitation(
                quarterDay: quarterDay,
                lists: PatientLists(
                    registered: try reader.signed(), weightedHundredths: try reader.signed(),
                    london: try reader.signed(), version: try reader.signed()))
        }
        descriptions = [:]
        lines = []
        guard withLines else { return }
        for _ in 0..<(try reader.count()) {
            let (line, description) = try PaymentLine.read(&reader, format: format)
            descriptions[line.paycode] = description
            lines.append(line)
        }
        guard reader.isAtEnd else { throw .malformed }
    }

    init(
        runID: String, month: YearMonth, paymentDate: CalendarDate, practice: ODSCode, practiceName: String,
        payee: ODSCode, contractID: String, kind: ContractKind?, payeeKind: PayeeKind, commissioner: String, region: String,
        capitation: Capitation?, lines: [PaymentLine], descriptions: [Paycode: String]
    ) {
        self.runID = runID
        self.month = month
        self.paymentDate = paymentDate
        self.practice = practice
        self.practiceName = practiceName
        self.payee = payee
        self.contractID = contractID
        self.kind = kind
        self.payeeKind = payeeKind
        self.commissioner = commissioner
        self.region = region
        self.capitation = capitation
        self.lines = lines
        self.descriptions = descriptions
    }
}

extension PaymentLine {
    fileprivate func write(description: String, to writer: inout CompactWriter) {
        writer.byte(paycode.rawValue)
        writer.text(description)
        writer.text(contractID)
        writer.signed(contractVersion)
        writer.date(periodFrom)
        writer.date(periodTo)
        writer.decimal(quantity)
        writer.decimal(rate)
        writer.text(basis)
        writer.signed(pence)
        writer.byte(source.rawValue)
        writer.signed(Int64(month.index))
        writer.signed(yearToDatePence)
        writer.text(origin)
        explanation.write(to: &writer)
    }

    fileprivate static func read(
        _ reader: inout CompactReader, format: UInt8
    ) throws(CompactCodingError) -> (line: PaymentLine, description: String) {
        guard let paycode = Paycode(rawValue: try reader.byte()) else { throw .malformed }
        let description = try reader.text()
        let contractID = try reader.text()
        let version = try reader.signed()
        let (from, to) = (try reader.date(), try reader.date())
        let (quantity, rate) = (try reader.decimal(), try reader.decimal())
        let basis = try reader.text()
        let pence = try reader.signed()
        guard let source = LineSource(rawValue: try reader.byte()) else { throw .malformed }
        let month = try reader.month()
        let yearToDate = try reader.signed()
        let reference = format == 1 ? "" : try reader.text()
        let line = PaymentLine(
            paycode: paycode, contractID: contractID, contractVersion: version, periodFrom: from,
            periodTo: to,
            quantity: quantity, rate: rate, basis: basis, pence: pence, source: source, month: month,
            yearToDatePence: yearToDate, explanation: try Explanation(from: &reader), origin: reference)
        return (line, description)
    }
}

extension CompactReader {
    fileprivate mutating func month() throws(CompactCodingError) -> YearMonth {
        guard let month = YearMonth(index: try signed()) else { throw .malformed }
        return month
    }

    fileprivate mutating func odsCode() throws(CompactCodingError) -> ODSCode {
        guard let code = ODSCode(try text()) else { throw .malformed }
        return code
    }
}
