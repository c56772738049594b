import Digests
import PaymentsContract
import PluginAPI
import PortableDocument

/// A statement as a person keeps it, and an accountant takes it: A4 upright, the same numbers as in CSV (payments.md
/// 11).
struct StatementPDF {
    let stored: StatementStore.Stored
    let run: RunRecord
    let lines: [Pcs_Payments_V1_StatementLine]
    let footer: StatementFooter
    /// How the lists were weighted; `nil` when they came from a file.
    let panel: CapitationPanel?
    let isCollapsed: Bool

    private var document: StatementDocument { stored.document }

    // Hundredths of a point.
    private static let left = 3_600
    private static let right = PortablePage.width - 3_600
    private static let bottom = PortablePage.height - 5_200
    private static let blue = PortablePage.Ink(0, 48, 135)
    private static let grey = PortablePage.Ink(92, 99, 107)
    private static let pale = PortablePage.Ink(234, 240, 248)
    private static let hair = PortablePage.Ink(200, 206, 212)

    private static let table = PortableTable([
        .init("Line", x: left, width: 2_500),
        .init("Paycode", x: left + 2_500, width: 4_500),
        .init("Description and basis", x: left + 7_000, width: 13_800),
        .init("Period", x: left + 20_800, width: 7_400),
        .init("Quantity", x: left + 28_200, width: 6_000, align: .right),
        .init("Rate", x: left + 34_200, width: 5_600, align: .right),
        .init("Amount", x: left + 39_800, width: 6_200, align: .right),
        .init("Year to date", x: left + 46_000, width: 6_928, align: .right),
    ])

    func bytes() -> [UInt8] {
        var sheet = Sheet()
        head(&sheet)
        if document.capitation != nil { capitation(&sheet) }
        tableHead(&sheet)
        for line in lines { add(line, to: &sheet) }
        totals(&sheet)
        payment(&sheet)
        notes(&sheet)
        let pages = sheet.pages.enumerated().map {
            foot($0.element, number: $0.offset + 1, of: sheet.pages.count)
        }
        return PortableDocument(
            .init(
                title: "Statement \(document.statementID)", author: "Primary Care Services",
                subject: "\(document.practiceName), \(PDFWords.month(document.month))",
                createdAt: PDFWords.stamp(run.publishedAt ?? run.calculatedAt),
                identity: Array(stored.sha256.prefix(16))), pages: pages
        ).encode()
    }

    /// Pages and the place reached on the last one.
    private struct Sheet {
        var pages = [PortablePage()]
        var y = 0
        var page: PortablePage {
            get { pages[pages.count - 1] }
            set { pages[pages.count - 1] = newValue }
        }
    }

    // MARK: Head

    private func head(_ sheet: inout Sheet) {
        sheet.page.ground(x: 0, y: 0, width: PortablePage.width, height: 6_600, ink: Self.blue)
        let white = PortablePage.Ink(255, 255, 255)
        sheet.page.text(
            "Payment statement", x: Self.left, y: 3_100, size: 1_800, font: .bold, ink: white)
        sheet.page.text(
            "NHS primary care contractual payments", x: Self.left, y: 4_800, size: 950, ink: white)
        sheet.page.text(
            PDFWords.month(document.month), x: Self.right, y: 3_100, size: 1_800, font: .bold, align: .right,
            ink: white)
        sheet.page.text(
            run.state.isPublished
                ? document.statementID : "DRAFT " + document.statementID + ": may still change",
            x: Self.right, y: 4_800, size: 950, align: .right, ink: white)
        sheet.y = 8_600
        sheet.page.text(document.practiceName, x: Self.left, y: sheet.y, size: 1_300, font: .bold)
        sheet.y += 1_900
        let facts: [(String, String)] = [
            ("Organisation", document.practice.value),
            ("Paid to", document.payee.value),
            (
                "Contract",
                document.contractID.isEmpty
                    ? document.typeName : document.typeName + ", " + document.contractID
            ),
            ("Commissioner", document.commissioner.isEmpty ? "none" : document.commissioner),
            ("Payment date", PDFWords.day(document.paymentDate)),
            ("Run", document.runID),
        ]
        for (index, fact) in facts.enumerated() {
            let x = Self.left + (index % 2) * 26_400
            label(fact.0, fact.1, x: x, on: &sheet)
            if index % 2 == 1 { sheet.y += 1_400 }
        }
        sheet.y += 600
    }

    private func label(_ name: String, _ value: String, x: Int, width: Int = 7_200, on sheet: inout Sheet) {
        sheet.page.text(name, x: x, y: sheet.y, size: 850, ink: Self.grey)
        sheet.page.text(value, x: x + width, y: sheet.y, size: 950)
    }

    /// The lists that the lines stand on: what answers most questions about a global sum (payments.md 11, 13 C6).
    private func capitation(_ sheet: inout Sheet) {
        guard let capitation = document.capitation else { return }
        let top = sheet.y
        let height = panel == nil ? 4_700 : 15_400
        sheet.page.ground(x: Self.left, y: top, width: Self.right - Self.left, height: height, ink: Self.pale)
        sheet.y = top + 1_500
        sheet.page.text(
            "Lists on \(PDFWords.day(capitation.quarterDay))", x: Self.left + 700, y: sheet.y, size: 950,
            font: .bold,
            ink: Self.blue)
        sheet.y = top + 2_700
        var figures = [
            ("Registered", PDFWords.grouped(String(capitation.lists.registered))),
            (
                "Weighted",
                PDFWords.grouped(
                    ExactDecimal(mantissa: capitation.lists.weightedHundredths, scale: 2).description)
            ),
        ]
        if let index = document.weightingIndex { figures.append(("Weighting index", index.description)) }
        if capitation.lists.london > 0 {
            figures.append(("In London", PDFWords.grouped(String(capitation.lists.london))))
        }
        if let price = document.price {
            figures.append(("Price a year", "£" + PDFWords.grouped(price.description)))
        }
        for (index, figure) in figures.enumerated() {
            let x = Self.left + 700 + index * 10_300
            sheet.page.text(figure.0, x: x, y: sheet.y, size: 800, ink: Self.grey)
            sheet.page.text(figure.1, x: x, y: sheet.y + 1_250, size: 1_050, font: .bold)
        }
        if let panel { cells(panel, on: &sheet.page, from: top + 5_400) }
        sheet.y = top + height + 2_000
    }

    /// Patients by age and sex with their weights, and each index (payments.md 3.3).
    private func cells(_ panel: CapitationPanel, on page: inout PortablePage, from top: Int) {
        let left = Self.left + 700
        let half = panel.cells.count / 2
        func anchor(_ column: Int) -> Int { left + 5_000 + (column + 1) * 6_400 }
        page.text("Age", x: left, y: top, size: 800, ink: Self.grey)
        for (column, cell) in panel.cells.prefix(half).enumerated() {
            let band = PDFWords.ageBand(cell.name)
            page.text(band, x: anchor(column), y: top, size: 800, align: .right, ink: Self.grey)
        }
        for (row, name) in ["Men", "Women"].enumerated() {
            let y = top + 1_200 + row * 2_100
            page.text(name, x: left, y: y, size: 900)
            page.text("weight", x: left, y: y + 900, size: 700, ink: Self.grey)
            for (column, cell) in panel.cells.dropFirst(row * half).prefix(half).enumerated() {
                let patients = PDFWords.grouped(String(cell.patients))
                page.text(patients, x: anchor(column), y: y, size: 900, align: .right)
                page.text(cell.weight, x: anchor(column), y: y + 900, size: 700, align: .right, ink: Self.grey)
            }
        }
        var figures = panel.indices.map { (PDFWords.component($0.component), $0.index.text(decimals: 6)) }
        figures.append(("Normaliser", panel.calculation.normaliser.text(decimals: 6)))
        figures.append(("In care homes", PDFWords.grouped(String(panel.careHomeResidents))))
        figures.append(("New in a year", PDFWords.grouped(String(panel.newRegistrations))))
        for (place, figure) in figures.enumerated() {
            let (x, y) = (left + place % 5 * 10_300, top + 5_600 + place / 5 * 2_300)
            page.text(figure.0, x: x, y: y, size: 700, ink: Self.grey)
            page.text(figure.1, x: x, y: y + 1_000, size: 850)
        }
    }

    // MARK: Lines

    private func tableHead(_ sheet: inout Sheet) {
        Self.table.header(on: &sheet.page, y: sheet.y, size: 800, ink: Self.blue)
        sheet.page.rule(fromX: Self.left, toX: Self.right, y: sheet.y + 500, thickness: 100, ink: Self.blue)
        sheet.y += 1_700
    }

    /// Goes on to a new page when so much does not fit any more.
    private func make(room: Int, in sheet: inout Sheet, withTable: Bool = true) {
        guard sheet.y + room > Self.bottom else { return }
        sheet.pages.append(PortablePage())
        sheet.y = 4_600
        sheet.page.text(
            document.practiceName, x: Self.left, y: 2_800, size: 900, font: .bold, ink: Self.grey)
        sheet.page.text(
            document.statementID, x: Self.right, y: 2_800, size: 900, align: .right, ink: Self.grey)
        if withTable { tableHead(&sheet) }
    }

    private func add(_ line: Pcs_Payments_V1_StatementLine, to sheet: inout Sheet) {
        let words = Self.table.lines(line.description_p, in: 2, size: 900)
        var basis = line.basis
        if !line.sourceReference.isEmpty { basis += " · " + line.sourceReference }
        let small = Self.table.lines(basis, in: 2, size: 700)
        let period = Self.table.lines(PDFWords.period(line), in: 3, size: 800)
        let isOther = line.yearToDatePeriodPence != line.yearToDatePence
        let height =
            max(words.count * 1_080 + small.count * 860, period.count * 960, isOther ? 2_000 : 1_080) + 640
        make(room: height, in: &sheet)
        let y = sheet.y
        func cell(_ text: String, _ column: Int, font: PortableFont = .regular) {
            Self.table.cell(text, in: column, on: &sheet.page, y: y, size: 900, font: font)
        }
        cell(line.lineNumber == 0 ? "" : String(line.lineNumber), 0)
        cell(line.paycode, 1, font: .bold)
        for (index, text) in words.enumerated() {
            Self.table.cell(text, in: 2, on: &sheet.page, y: y + index * 1_080, size: 900)
        }
        for (index, text) in small.enumerated() {
            Self.table.cell(
                text, in: 2, on: &sheet.page, y: y + words.count * 1_080 + index * 860 - 120, size: 700,
                ink: Self.grey)
        }
        for (index, text) in period.enumerated() {
            Self.table.cell(text, in: 3, on: &sheet.page, y: y + index * 960, size: 800)
        }
        // A long decimal is set smaller rather than cut.
        for (text, column) in [(line.quantity, 4), (line.rate, 5)] {
            let shown = PDFWords.grouped(text)
            let size = shown.utf8.count > 11 ? 750 : 900
            Self.table.cell(shown, in: column, on: &sheet.page, y: y, size: size)
        }
        cell(PDFWords.pounds(line.amountPence), 6, font: .bold)
        cell(PDFWords.pounds(line.yearToDatePence), 7)
        if isOther {
            Self.table.cell(
                "for the year " + PDFWords.pounds(line.yearToDatePeriodPence), in: 7, on: &sheet.page,
                y: y + 1_000,
                size: 650, ink: Self.grey)
        }
        sheet.page.rule(
            fromX: Self.left, toX: Self.right, y: y + height - 1_150, thickness: 30, ink: Self.hair)
        sheet.y += height
    }

    // MARK: Below the lines

    private func totals(_ sheet: inout Sheet) {
        let (gross, deductions) = document.lines.reduce((Int64(0), Int64(0))) { sums, line in
            line.pence > 0 ? (sums.0 + line.pence, sums.1) : (sums.0, sums.1 + line.pence)
        }
        make(room: 5_400, in: &sheet, withTable: false)
        let column = Self.table.columns[6].anchor
        let labels = Self.left + 32_000
        sheet.y += 300
        for (name, pence) in [("Gross", gross), ("Deductions", deductions)] {
            sheet.page.text(name, x: labels, y: sheet.y, size: 950)
            sheet.page.text(PDFWords.pounds(pence), x: column, y: sheet.y, size: 950, align: .right)
            sheet.y += 1_350
        }
        sheet.page.ground(
            x: labels - 600, y: sheet.y - 600, width: column + 1_200 - labels, height: 2_000, ink: Self.pale)
        sheet.page.text("Net", x: labels, y: sheet.y + 750, size: 1_150, font: .bold, ink: Self.blue)
        sheet.page.text(
            "£" + PDFWords.pounds(gross + deductions), x: column, y: sheet.y + 750, size: 1_150, font: .bold,
            align: .right, ink: Self.blue)
        sheet.y += 3_000
    }

    private func payment(_ sheet: inout Sheet) {
        make(room: 5_200, in: &sheet, withTable: false)
        sheet.page.text("Payment", x: Self.left, y: sheet.y, size: 950, font: .bold, ink: Self.blue)
        sheet.page.rule(fromX: Self.left, toX: Self.right, y: sheet.y + 500, thickness: 50, ink: Self.blue)
        sheet.y += 1_800
        let isPaid = footer.gap.isEmpty
        let day = PDFWords.day(footer.paidOn ?? document.paymentDate)
        label("Payment date", day, x: Self.left, width: 8_400, on: &sheet)
        label(
            "Account ending", isPaid ? footer.accountLastFour : footer.gap, x: Self.left + 26_400, width: 8_400,
            on: &sheet)
        sheet.y += 1_400
        let reference = isPaid ? footer.bankReference : "none"
        label("Bacs reference", reference, x: Self.left, width: 8_400, on: &sheet)
        label(
            "Debt carried on", PDFWords.pounds(footer.carriedForwardPence), x: Self.left + 26_400,
            width: 8_400, on: &sheet)
        sheet.y += 1_400
        for step in footer.steps {
            make(room: 1_400, in: &sheet, withTable: false)
            label(
                step.words.prefix(1).uppercased() + step.words.dropFirst(),
                "\(PDFWords.day(step.day)), \(PDFWords.pounds(step.pence)), \(step.detail)",
                x: Self.left, width: 8_400, on: &sheet)
            sheet.y += 1_400
        }
        sheet.y += 800
    }

    private func notes(_ sheet: inout Sheet) {
        var notes = [
            "Year to date is what was paid in the financial year of the payment date, for whichever months.",
            "The net is the sum of the lines as rounded. Quantity and rate on the basis named give each amount.",
        ]
        if zip(lines, lines).contains(where: { $0.0.yearToDatePeriodPence != $0.1.yearToDatePence }) {
            notes.append(
                "\"For the year\" is what was paid for the months of the line's own financial year, whenever."
            )
        }
        if isCollapsed { notes.append("One line a paycode; the expanded statement has every component.") }
        make(room: notes.count * 1_000 + 400, in: &sheet, withTable: false)
        for note in notes {
            sheet.page.text(note, x: Self.left, y: sheet.y, size: 750, ink: Self.grey)
            sheet.y += 1_000
        }
    }

    private func foot(_ page: PortablePage, number: Int, of count: Int) -> PortablePage {
        var page = page
        let y = PortablePage.height - 3_000
        page.rule(fromX: Self.left, toX: Self.right, y: y - 1_000, thickness: 50, ink: Self.hair)
        page.text("SHA-256 \(Digest.hex(stored.sha256))", x: Self.left, y: y, size: 650, ink: Self.grey)
        page.text("Page \(number) of \(count)", x: Self.right, y: y, size: 800, align: .right, ink: Self.grey)
        return page
    }
}

/// Days, months and numbers as they are printed.
enum PDFWords {
    private static let months = [
        "January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
        "November",
        "December",
    ]

    static func month(_ month: YearMonth) -> String { months[month.month - 1] + " " + String(month.year) }

    static func day(_ day: CalendarDate) -> String {
        "\(day.day) \(months[day.month - 1].prefix(3)) \(day.year)"
    }

    /// `M_0_4` as `0-4`, `F_85_PLUS` as `85+`.
    static func ageBand(_ cell: String) -> String {
        let ages = cell.split(separator: "_").dropFirst()
        return ages.last == "PLUS" ? ages.dropLast().joined() + "+" : ages.joined(separator: "-")
    }

    static func component(_ component: FormulaComponent) -> String {
        switch component {
        case .ageSex: "Age and sex"
        case .homes: "Care homes"
        case .turnover: "List turnover"
        case .needs: "Additional needs"
        case .staff: "Staff costs"
        case .rurality: "Rurality"
        }
    }

    /// `1 Apr to 30 Apr 2026`; of a correction the month that it corrects.
    static func period(_ line: Pcs_Payments_V1_StatementLine) -> String {
        guard let from = line.periodFrom.calendarDate, let to = line.periodTo.calendarDate else { return "" }
        let span = from == to ? day(from) : day(from) + " to " + day(to)
        return line.isRetro ? "corrects " + span : span
    }

    /// `-1,234,567.89`
    static func pounds(_ pence: Int64) -> String { grouped(Money(pence: pence).description) }

    /// A decimal text with commas between thousands.
    static func grouped(_ text: String) -> String {
        let isNegative = text.hasPrefix("-")
        let parts = text.drop { $0 == "-" }.split(separator: ".", maxSplits: 1)
        guard let whole = parts.first else { return text }
        var groups: [Substring] = []
        var rest = whole
        while rest.count > 3 {
            groups.insert(rest.suffix(3), at: 0)
            rest = rest.dropLast(3)
        }
        groups.insert(rest, at: 0)
        return (isNegative ? "-" : "") + groups.joined(separator: ",")
            + (parts.count > 1 ? "." + parts[1] : "")
    }

    /// `YYYYMMDDHHMMSS` in UTC.
    static func stamp(_ instant: Instant?) -> String {
        guard let instant else { return "" }
        let seconds = instant.microsecondsSince1970 / 1_000_000
        let day = CalendarDate(daysSince1970: Int32(clamping: seconds / 86_400))
        let time = seconds % 86_400
        let parts = [Int64(day.month), Int64(day.day), time / 3_600, time / 60 % 60, time % 60]
        return String(day.year) + parts.map { ($0 < 10 ? "0" : "") + String($0) }.joined()
    }
}
