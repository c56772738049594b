import PluginAPI

/// Most that a network is paid back for additional roles in a year (payments.md 8.1): the year's rate for each weighted
/// patient; what is approved for the other months of the year goes off it.
struct MaximumSum: Hashable, Sendable {
    var year: FinancialYear
    var rate: ExactDecimal
    /// Source of the rate, and number of the input that brought it.
    var rateSource: String
    var rateVersion: Int64
    var weightedHundredths: Int64
    var populationVersion: Int64
    var pence: Int64
    /// In force for the other months of the year.
    var approvedPence: Int64

    /// Nothing where more is approved than a maximum that was made smaller allows.
    var leftPence: Int64 { Swift.max(0, pence - approvedPence) }

    init(
        year: FinancialYear, rate: Rate, sizes: NetworkSizes, approvedPence: Int64
    ) throws(ArithmeticError) {
        self.year = year
        self.rate = rate.value
        (rateSource, rateVersion) = (rate.source, rate.version)
        (weightedHundredths, populationVersion) = (sizes.weightedHundredths, sizes.version)
        let weighted = ExactDecimal(mantissa: sizes.weightedHundredths, scale: 2)
        pence = try Rounding.toPence(try weighted.rational.multiplied(by: rate.value.rational)).pence
        self.approvedPence = approvedPence
    }

    /// As stored with a decision.
    init(
        year: FinancialYear, rate: ExactDecimal, rateSource: String, rateVersion: Int64,
        weightedHundredths: Int64, populationVersion: Int64, pence: Int64, approvedPence: Int64
    ) {
        self.year = year
        self.rate = rate
        (self.rateSource, self.rateVersion) = (rateSource, rateVersion)
        (self.weightedHundredths, self.populationVersion) = (weightedHundredths, populationVersion)
        (self.pence, self.approvedPence) = (pence, approvedPence)
    }
}
