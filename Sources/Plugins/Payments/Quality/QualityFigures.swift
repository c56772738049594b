import CommonContract
import CqrsContract
import PaymentsContract
import PluginAPI
import SwiftProtobuf

/// The figures of one practice, year by year, from what the quality service told and what statements have paid.
struct QualityFiguresOfPractice {
    private let practice: ODSCode
    private let aspirations: [FinancialYear: QualityFigureStore.Aspiration]
    private let achievements: [FinancialYear: QualityFigureStore.Achievement]
    private let instructions: [QualityFigureStore.Instruction]
    private let statements: [StatementDocument]

    private static let codes: Set<Paycode> = [.qofAspiration, .qofAchievement, .qofRecovery]

    init(_ practice: ODSCode, _ reader: any Reader) throws {
        self.practice = practice
        aspirations = Dictionary(
            try QualityFigureStore.aspirations(of: practice, reader).map { ($0.year, $0) },
            uniquingKeysWith: { _, later in later })
        instructions = try QualityFigureStore.instructions(of: practice, reader).filter {
            QualityFiguresOfPractice.codes.contains($0.paycode)
        }
        let declared = Set(instructions.map(\.declaration))
        // Of other services of the practice nothing is shown: the framework's are those with a result, or paid as such.
        achievements = Dictionary(
            try QualityFigureStore.achievements(of: practice, reader)
                .filter { !$0.result.isEmpty || declared.contains($0.declaration) }.map { ($0.year, $0) },
            uniquingKeysWith: { _, later in later })
        let first = Set(aspirations.keys).union(achievements.keys).min()
        statements =
            try first.map { year in
                try refusing {
                    try StatementStore.published(of: practice, from: year.firstMonth, before: "~", reader)
                }
            } ?? []
    }

    /// Newest first.
    var years: [FinancialYear] { Set(aspirations.keys).union(achievements.keys).sorted(by: >) }

    func figures(
        of year: FinancialYear, name: String, commissioner: String, withAreas: Bool = true,
        _ reader: any Reader
    ) throws -> Pcs_Payments_V1_QualityFigures {
        let lines = statements.flatMap(\.lines).filter {
            QualityFiguresOfPractice.codes.contains($0.paycode) && FinancialYear(containing: $0.month) == year
        }
        let ahead = lines.filter { $0.paycode == .qofAspiration }
        func sum(_ lines: [PaymentLine]) throws -> Int64 {
            try refusing { try Money.sum(lines.map { Money(pence: $0.pence) }).pence }
        }
        var message = Pcs_Payments_V1_QualityFigures()
        (message.practiceCode, message.practiceName) = (practice.value, name)
        (message.commissionerCode, message.financialYear) = (commissioner, year.description)
        message.paidPence = try sum(lines)
        if aspirations[year] != nil || !ahead.isEmpty {
            let row = aspirations[year]
            let paid = try sum(ahead)
            message.aspiration = .with {
                $0.priorAchievementPence = row?.priorPence ?? 0
                $0.monthlyPence = row?.monthlyPence ?? 0
                $0.monthsPaid = Int32(clamping: Set(ahead.map(\.month)).count)
                $0.paidPence = paid
                if let at = row?.setAt { $0.setAt = Google_Protobuf_Timestamp(at) }
            }
        }
        if let achievement = achievements[year] {
            message.achievement = try self.achievement(achievement, withAreas: withAreas, reader)
        }
        return message
    }

    private func achievement(
        _ achievement: QualityFigureStore.Achievement, withAreas: Bool, _ reader: any Reader
    ) throws -> Pcs_Payments_V1_QualityAchievement {
        let result = try Pcs_Cqrs_V1_QualityResult(serializedBytes: achievement.result)
        let own = instructions.filter { $0.declaration == achievement.declaration }
        let deducted = own.compactMap(\.aspirationPence).first
        let run = try own.lazy.compactMap {
            try PayableItemStore.paidRun(naturalKey: QualityEvents.key($0.id), reader)
        }.first.flatMap { try RunStore.run($0, reader) }
        let balance = own.isEmpty ? achievement.pence : own.reduce(Int64(0)) { $0 + $1.pence }
        return try .with {
            $0.declarationID = achievement.declaration
            $0.serviceCode = achievement.service
            $0.achievementDate = Pcs_Common_V1_Date(achievement.achievedOn)
            $0.pointsHundredths = achievement.pointsHundredths
            $0.valuePerPoint = result.valuePerPoint
            $0.registeredList = result.registeredList
            $0.averageList = result.averageList
            $0.populationIndex = try refusing {
                try QualityFactor.ratio(result.registeredList, over: result.averageList, decimals: 8)
            }
            if withAreas { $0.areas = try result.areas.map { try area($0, result) } }
            $0.grossPence = achievement.pence
            $0.aspirationDeductedPence = deducted ?? 0
            $0.balancePence = balance
            if let run {
                $0.runID = run.id
                $0.paidOn = Pcs_Common_V1_Date(run.paidOn ?? run.paymentDate)
            }
            $0.approvedAt = Google_Protobuf_Timestamp(achievement.receivedAt)
        }
    }

    private func area(
        _ area: Pcs_Cqrs_V1_QualityResultArea, _ result: Pcs_Cqrs_V1_QualityResult
    ) throws -> Pcs_Payments_V1_QualityArea {
        var shown = Pcs_Payments_V1_QualityArea()
        shown.area = area.area
        shown.pointsHundredths = area.pointsHundredths
        shown.weighted = area.weighted
        shown.amountPence = area.amountPence
        guard area.weighted else { return shown }
        shown.practiceRegister = String(area.practiceRegister)
        shown.practiceList = result.prevalenceList
        return try refusing {
            shown.nationalPrevalence = try QualityFactor.ratio(
                area.nationalRegister, over: result.nationalList, decimals: 8)
            shown.diseaseFactor = try QualityFactor.ratio(
                String(area.practiceRegister), over: result.prevalenceList, area.nationalRegister,
                over: result.nationalList, decimals: 7)
            return shown
        }
    }
}

/// Factors for show; payment never uses them rounded (E5).
enum QualityFactor {
    /// `left / right`, rounded; empty when one is not there.
    static func ratio(_ left: String, over right: String, decimals: UInt8) throws(ArithmeticError) -> String {
        guard let left = ExactDecimal(left), let right = ExactDecimal(right), right.mantissa != 0 else {
            return ""
        }
        return try text(try left.rational.divided(by: right.rational), decimals)
    }

    /// `(a / b) / (c / d)`
    static func ratio(
        _ a: String, over b: String, _ c: String, over d: String, decimals: UInt8
    ) throws(ArithmeticError) -> String {
        guard let a = ExactDecimal(a), let b = ExactDecimal(b), let c = ExactDecimal(c),
            let d = ExactDecimal(d),
            b.mantissa != 0, c.mantissa != 0, d.mantissa != 0
        else { return "" }
        let own = try a.rational.divided(by: b.rational)
        return try text(try own.divided(by: try c.rational.divided(by: d.rational)), decimals)
    }

    private static func text(_ value: Rational, _ decimals: UInt8) throws(ArithmeticError) -> String {
        var factor: Int64 = 1
        for _ in 0..<decimals { factor *= 10 }
        let scaled = try value.multiplied(by: Rational(factor))
        return ExactDecimal(
            mantissa: try Rounding.quotient(scaled.numerator, scaled.denominator), scale: decimals
        )
        .description
    }
}
