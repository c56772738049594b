/// Middle of the values; the mean of the two middle ones of an even number. Robust against the odd slow repetition of a
/// shared machine, which a mean is not.
func median(_ values: [Double]) -> Double {
    precondition(!values.isEmpty, "a median needs a value")
    let sorted = values.sorted()
    let middle = sorted.count / 2
    return sorted.count.isMultiple(of: 2) ? (sorted[middle - 1] + sorted[middle]) / 2 : sorted[middle]
}

/// Ratios of values measured side by side, repetition by repetition: what slows one repetition slows both sides.
func medianRatio(_ numerators: [Double], _ denominators: [Double]) -> Double {
    precondition(numerators.count == denominators.count, "ratios pair values of the same repetition")
    return median(zip(numerators, denominators).map { $0 / $1 })
}
