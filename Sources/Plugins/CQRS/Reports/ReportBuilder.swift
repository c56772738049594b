import CqrsContract
import HostContract
import PluginAPI

/// What is asked for, its dates worked out.
struct ReportQuery: Sendable {
    var report: ReportCatalogue
    var service: String
    var from: CalendarDate
    var to: CalendarDate
    /// The one date asked for.
    var date: CalendarDate?
    var formerLabels: Bool
    var openData: Bool
    var calculation: String
    var state: DeclarationState?
}

/// Makes the rows of a report on one snapshot.
struct ReportBuilder {
    let context: PluginContext
    let query: ReportQuery
    let scope: ReportScope
    let asOf: String
    let today: CalendarDate
    let figures: NationalFigures
    let reader: any Reader

    init(
        _ context: PluginContext, _ query: ReportQuery, _ scope: ReportScope, _ call: CallContext,
        _ reader: any Reader
    )
        throws
    {
        self.context = context
        self.query = query
        self.scope = scope
        self.reader = reader
        asOf = Cell.moment(call.now)
        today = call.today
        figures = NationalFigures(try ReferenceStore.constants(reader))
    }

    func table() throws -> ReportTable {
        var table = ReportTable(query.report.columns)
        switch query.report.name {
        case .networkAchievement: try networkAchievement(into: &table)
        case .achievementSummary: try achievementSummary(into: &table)
        case .dataSubmission: try dataSubmission(into: &table)
        case .networkDeclarationManagement: try networkDeclarations(into: &table)
        case .declarationManagement: try declarationManagement(into: &table)
        case .providerPaymentDeclaration: try providerPayments(into: &table)
        case .aggregatedPaymentDeclaration: try aggregatedPayments(into: &table)
        case .participationStatus: try participationStatus(into: &table)
        case .networkRelationship: try networkRelationship(into: &table)
        case .audit: try audit(into: &table)
        case .exceptionsBoard: try exceptions(into: &table)
        case .commissionerProgress: try progress(into: &table)
        case .finalPracticeList: try practiceList(into: &table)
        case .achievedPoints: try achievedPoints(into: &table)
        case .indicatorValues: try indicatorValues(into: &table)
        default: throw Failure.field("name", "9", "There is no such report.")
        }
        return table
    }

    // MARK: What many reports need

    func name(_ code: String, on day: CalendarDate) -> String {
        ODSCode(code).flatMap { context.organisations.organisation($0, at: day)?.name } ?? ""
    }

    /// Commissioner and ICB of a provider with the labels of their level: those of the day, or today's (ORG-6).
    func place(_ provider: String, _ commissioner: String, on day: CalendarDate) -> [String] {
        let isFormer =
            query.formerLabels
            && figures.optionalFigure("former_commissioner_labels", "", on: day)?.value.scaled(to: 0) == 1
        let code = ODSCode(provider)
        let owner =
            commissioner.isEmpty
            ? code.flatMap { context.organisations.commissioner(of: $0, at: day)?.value } ?? "" : commissioner
        let isRegion =
            ODSCode(owner).flatMap { context.organisations.organisation($0, at: today)?.kind } == .region
        let icb = code.flatMap { context.organisations.icb(of: $0, at: day)?.value } ?? ""
        return [
            owner, isRegion ? "Region" : isFormer ? "CCG" : "Sub ICB Location", icb,
            icb.isEmpty ? "" : isFormer ? "STP" : "ICB",
        ]
    }

    func pcn(of provider: String, on day: CalendarDate) -> String {
        guard let code = ODSCode(provider) else { return "" }
        if context.organisations.organisation(code, at: day)?.kind == .pcn { return provider }
        return context.organisations.pcn(of: code, at: day)?.value ?? ""
    }

    /// AGG-4.
    func payee(of pcn: String, on day: CalendarDate) throws -> String {
        guard let code = ODSCode(pcn) else { return "" }
        return try NetworkStore.payee(of: pcn, on: day, reader) ?? context.organisations.payee(
            forPCN: code, at: day)?.value
            ?? pcn
    }

    /// Weighted list in force on a day.
    func weightedList(_ provider: String, on day: CalendarDate) throws -> String {
        let rows = try ReferenceStore.populations(of: provider, reader).filter {
            $0.base == Int64(PopulationBase.wpls.rawValue) && $0.asOf <= day
        }
        return rows.max { $0.asOf < $1.asOf }?.value.description ?? ""
    }

    /// Services and dates of the query that have results, or the one asked for.
    func keys() throws -> [IndicatorValuesFile.Key] {
        if let date = query.date, !query.service.isEmpty {
            return [.init(service: query.service, date: date)]
        }
        let found = Set(
            try CalculationStore.runs(reader).lazy.map {
                IndicatorValuesFile.Key(service: $0.service, date: $0.date)
            })
        return found.filter(covers).sorted { ($0.service, $0.date) < ($1.service, $1.date) }
    }

    func covers(_ key: IndicatorValuesFile.Key) -> Bool {
        (query.service.isEmpty || key.service == query.service) && key.date >= query.from
            && key.date <= query.to
    }

    /// Declarations of the query that stand, or those in the state asked for.
    func declarations() throws -> [DeclarationStore.Record] {
        try scope.declarations(from: query.from, to: query.to, reader).filter { record in
            (query.service.isEmpty || record.service == query.service)
                && (query.state.map { record.state == $0 } ?? record.state.isLive)
        }
    }

    /// Who took the step into a state last, and when.
    struct Steps {
        let steps: [DeclarationStore.Step]
        func last(into state: DeclarationState) -> (by: String, at: String) {
            steps.last { $0.to == state.rawValue && $0.from != state.rawValue }.map {
                ($0.by, Cell.moment($0.at))
            } ?? ("", "")
        }
        /// Approved is whatever follows approval by the commissioner.
        var approved: (by: String, at: String) {
            steps.last { step in
                step.from == DeclarationState.awaitingCommissioner.rawValue
                    && (step.to == DeclarationState.awaitingNetwork.rawValue
                        || step.to == DeclarationState.awaitingFinance.rawValue)
            }.map { ($0.by, Cell.moment($0.at)) } ?? ("", "")
        }
    }

    func history(_ record: DeclarationStore.Record) throws -> Steps {
        Steps(steps: try DeclarationStore.steps(of: record.id, reader))
    }
}
