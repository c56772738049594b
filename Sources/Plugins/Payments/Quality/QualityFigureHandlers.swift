import CommonContract
import HostContract
import PaymentsContract
import PluginAPI
import SwiftProtobuf
import Tabular

/// What practices and commissioners see of the quality framework (payments.md 7.3). Reading only.
struct QualityFigureHandlers: Pcs_Payments_V1_QualityFiguresService {
    let context: PluginContext

    func getQualityFigures(
        _ request: Pcs_Payments_V1_GetQualityFiguresRequest, _ call: CallContext
    ) async throws -> Pcs_Payments_V1_QualityFigures {
        var fields = RequestFields()
        let practice = fields.practice(request.practiceCode)
        let year = fields.financialYear(request.financialYear)
        try fields.finish()
        guard let practice, let year else { throw Failure(PaymentsReasons.qualityFiguresUnknown) }
        return try context.store.read { reader in
            let figures = try QualityFiguresOfPractice(practice, reader)
            guard figures.years.contains(year) else { throw Failure(PaymentsReasons.qualityFiguresUnknown) }
            return try message(figures, practice, year, withAreas: true, on: call.today, reader)
        }
    }

    func listQualityFigures(
        _ request: Pcs_Payments_V1_ListQualityFiguresRequest, _ call: CallContext
    ) async throws -> Pcs_Payments_V1_ListQualityFiguresResponse {
        let (practices, year) = try scope(request.organisationCode, request.financialYear, call)
        let search = request.search.lowercased()
        var reply = Pcs_Payments_V1_ListQualityFiguresResponse()
        for practice in practices {
            let isWanted =
                search.isEmpty || practice.value.lowercased().contains(search)
                || name(of: practice, call.today).lowercased().contains(search)
            if isWanted { reply.figures += try figures(of: practice, year, withAreas: false, on: call.today) }
        }
        return reply
    }

    func exportQualityFigures(
        _ request: Pcs_Payments_V1_ExportQualityFiguresRequest,
        _ reply: ReplyStream<Pcs_Payments_V1_QualityFiguresChunk>, _ call: CallContext
    ) async throws {
        let (practices, year) = try scope(request.organisationCode, request.financialYear, call)
        var writer = CSVWriter(byteOrderMark: request.byteOrderMark)
        writer.append(QualityFiguresCSV.columns.map { .plain($0) })
        try await reply.send(.with { $0.data = .init(writer.take()) })
        for practice in practices {
            var rows: Int64 = 0
            for figures in try figures(of: practice, year, withAreas: true, on: call.today) {
                rows += QualityFiguresCSV.append(figures, to: &writer)
            }
            guard rows > 0 else { continue }
            let bytes = writer.take()
            try await reply.send(
                .with {
                    $0.data = .init(bytes)
                    $0.rows = rows
                })
        }
    }

    /// The practice asked for, or all that the commissioner has today.
    private func scope(
        _ organisation: String, _ year: String, _ call: CallContext
    ) throws -> ([ODSCode], FinancialYear?) {
        var fields = RequestFields()
        let code = fields.payee(organisation, field: "organisation_code")
        let year = year.isEmpty ? nil : fields.financialYear(year)
        try fields.finish()
        guard let code else { throw Failure(HostReasons.fieldInvalid) }
        let own = context.organisations.practices(commissionedBy: code, at: call.today)
        return (own.isEmpty ? [code] : own.sorted(), year)
    }

    private func figures(
        of practice: ODSCode, _ year: FinancialYear?, withAreas: Bool, on day: CalendarDate
    ) throws -> [Pcs_Payments_V1_QualityFigures] {
        try context.store.read { reader in
            let known = try QualityFiguresOfPractice(practice, reader)
            return try known.years.filter { year == nil || $0 == year }.map {
                try message(known, practice, $0, withAreas: withAreas, on: day, reader)
            }
        }
    }

    private func message(
        _ figures: QualityFiguresOfPractice, _ practice: ODSCode, _ year: FinancialYear, withAreas: Bool,
        on day: CalendarDate, _ reader: any Reader
    ) throws -> Pcs_Payments_V1_QualityFigures {
        try figures.figures(
            of: year, name: name(of: practice, day),
            commissioner: context.organisations.commissioner(of: practice, at: day)?.value ?? "",
            withAreas: withAreas,
            reader)
    }

    private func name(of practice: ODSCode, _ day: CalendarDate) -> String {
        context.organisations.organisation(practice, at: day)?.name ?? ""
    }
}

/// Figures as CSV: a row for the year, with `area` ALL, and one for each area.
enum QualityFiguresCSV {
    static let columns = [
        "practice", "practiceName", "commissioner", "financialYear", "priorAchievement", "aspirationMonthly",
        "aspirationMonthsPaid", "aspirationPaid", "service", "area", "points", "valuePerPoint",
        "registeredList",
        "averageList", "populationIndex", "practiceRegister", "practiceList", "nationalPrevalence",
        "diseaseFactor",
        "amount", "aspirationDeducted", "balance", "paidOn", "runId",
    ]

    /// - Returns: rows written.
    static func append(_ figures: Pcs_Payments_V1_QualityFigures, to writer: inout CSVWriter) -> Int64 {
        let (aspiration, achievement) = (figures.aspiration, figures.achievement)
        func pounds(_ pence: Int64, _ isKnown: Bool) -> CSVWriter.Cell {
            .plain(isKnown ? Money(pence: pence).description : "")
        }
        func points(_ hundredths: Int64) -> CSVWriter.Cell {
            .plain(figures.hasAchievement ? ExactDecimal(mantissa: hundredths, scale: 2).description : "")
        }
        let head: [CSVWriter.Cell] = [
            .text(figures.practiceCode), .text(figures.practiceName), .text(figures.commissionerCode),
            .plain(figures.financialYear),
        ]
        let ahead: [CSVWriter.Cell] = [
            pounds(aspiration.priorAchievementPence, figures.hasAspiration),
            pounds(aspiration.monthlyPence, figures.hasAspiration),
            .plain(figures.hasAspiration ? String(aspiration.monthsPaid) : ""),
            pounds(aspiration.paidPence, figures.hasAspiration),
        ]
        let bases: [CSVWriter.Cell] = [
            .plain(achievement.valuePerPoint), .plain(achievement.registeredList),
            .plain(achievement.averageList),
            .plain(achievement.populationIndex),
        ]
        let none = [CSVWriter.Cell](repeating: .plain(""), count: 4)
        let whole: [CSVWriter.Cell] = [
            pounds(achievement.grossPence, figures.hasAchievement),
            pounds(achievement.aspirationDeductedPence, figures.hasAchievement),
            pounds(achievement.balancePence, figures.hasAchievement),
            .plain(achievement.paidOn.calendarDate?.description ?? ""), .text(achievement.runID),
        ]
        let service = CSVWriter.Cell.text(achievement.serviceCode)
        let year = [service, .plain("ALL"), points(achievement.pointsHundredths)]
        writer.append(head + ahead + year + bases + none + whole)
        for area in achievement.areas {
            let factors: [CSVWriter.Cell] = [
                .plain(area.practiceRegister), .plain(area.practiceList), .plain(area.nationalPrevalence),
                .plain(area.diseaseFactor),
            ]
            let cells = [service, .text(area.area), points(area.pointsHundredths)]
            writer.append(head + none + cells + bases + factors + [pounds(area.amountPence, true)] + none)
        }
        return 1 + Int64(achievement.areas.count)
    }
}
