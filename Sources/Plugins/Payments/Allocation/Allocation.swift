import PluginAPI

/// From inputs to weighted lists (payments.md 3.3):
///
///   index = (raw / CRP) / (sum raw / sum CRP)      national mean = 1
///   u     = CRP x product of the indices
///   nu    = sum CRP / sum u                        normaliser of the quarter
///   CWP   = round2(u x nu)                         RND-7
///
/// so that nationally the weighted lists add up to the registered ones, but for each practice's rounding.
struct Allocation: Sendable {
    struct Practice: Sendable {
        var practice: ODSCode
        var registered: Int64
        var weightedHundredths: Int64
        var london: Int64
        /// In the order of `FormulaComponent`.
        var indices: [PreciseDecimal]
    }

    /// A head, in the order of `FormulaComponent`.
    private(set) var means: [PreciseDecimal] = []
    private(set) var normaliser = PreciseDecimal.one
    private(set) var practices: [Practice] = []
    private(set) var registered: Int64 = 0
    private(set) var weightedHundredths: Int64 = 0

    /// - Parameter inputs: every practice of the country, each with at least one patient.
    init(_ inputs: [AllocationInput], _ formula: CarrHillFormula) throws(AllocationError) {
        let perHead = try Allocation.each(inputs) { input throws(ArithmeticError) in
            try formula.perHead(input)
        }
        registered = inputs.reduce(0) { $0 + $1.registered }
        do throws(ArithmeticError) {
            for component in FormulaComponent.allCases.indices {
                var sum = WideSum()
                for (input, values) in zip(inputs, perHead) {
                    sum.add(values[component], times: input.registered)
                }
                means.append(try sum.mean(over: registered))
            }
        } catch {
            throw .arithmetic(error, practice: nil)
        }
        var indices: [[PreciseDecimal]] = []
        var products: [PreciseDecimal] = []
        var sum = WideSum()
        for (input, values) in zip(inputs, perHead) {
            do throws(ArithmeticError) {
                let own = try Allocation.indices(values, means: means)
                let product = try Allocation.product(own)
                sum.add(product, times: input.registered)
                indices.append(own)
                products.append(product)
            } catch {
                throw .arithmetic(error, practice: input.practice)
            }
        }
        do throws(ArithmeticError) {
            normaliser = try PreciseDecimal.one.divided(by: try sum.mean(over: registered))
            for (index, input) in inputs.enumerated() {
                let weighted = try Allocation.weighted(
                    input.registered, product: products[index], normaliser: normaliser)
                weightedHundredths += weighted
                practices.append(
                    Practice(
                        practice: input.practice, registered: input.registered, weightedHundredths: weighted,
                        london: input.london, indices: indices[index]))
            }
        } catch {
            throw .arithmetic(error, practice: nil)
        }
    }

    private static func each<Value>(
        _ inputs: [AllocationInput], _ body: (AllocationInput) throws(ArithmeticError) -> Value
    ) throws(AllocationError) -> [Value] {
        var values: [Value] = []
        values.reserveCapacity(inputs.count)
        for input in inputs {
            do throws(ArithmeticError) {
                values.append(try body(input))
            } catch {
                throw .arithmetic(error, practice: input.practice)
            }
        }
        return values
    }

    static func indices(
        _ perHead: [PreciseDecimal], means: [PreciseDecimal]
    ) throws(ArithmeticError) -> [PreciseDecimal] {
        var result: [PreciseDecimal] = []
        for (value, mean) in zip(perHead, means) { result.append(try value.divided(by: mean)) }
        return result
    }

    static func product(_ indices: [PreciseDecimal]) throws(ArithmeticError) -> PreciseDecimal {
        var product = PreciseDecimal.one
        for index in indices { product = try product.multiplied(by: index) }
        return product
    }

    /// Hundredths of a patient, rounded once (RND-7).
    static func weighted(
        _ registered: Int64, product: PreciseDecimal, normaliser: PreciseDecimal
    ) throws(ArithmeticError) -> Int64 {
        try product.multiplied(by: normaliser).times(registered * 100)
    }

    /// Whether the national sums agree but for half a hundredth a practice.
    var isBalanced: Bool {
        let difference = weightedHundredths - registered * 100
        return difference.magnitude <= UInt64(practices.count / 2 + 1)
    }
}

/// What a person should look at before weighted lists are approved.
struct AllocationWarning: Hashable, Sendable {
    enum Rule: String, Sendable {
        /// An index outside the plausible bounds (payments.md 3.3).
        case bounds = "3.3"
        /// The turnover index moved since the quarter before: a sign of missing new-registration flags (C6).
        case movement = "C6"
    }

    var practice: ODSCode
    var component: FormulaComponent
    var rule: Rule
    var index: PreciseDecimal
    var before: PreciseDecimal?

    var message: String {
        switch rule {
        case .bounds:
            "the \(component.rawValue) index is \(index.text(decimals: 6)), outside the plausible bounds"
        case .movement:
            "the turnover index went from \(before?.text(decimals: 6) ?? "") to \(index.text(decimals: 6)): "
                + "are new registrations flagged?"
        }
    }
}

/// Bounds for warnings, from the rates of the quarter.
struct AllocationBounds: Sendable {
    let low: PreciseDecimal
    let high: PreciseDecimal
    let movement: PreciseDecimal

    init(_ rates: RateTable, _ quarter: Quarter) throws(PaymentsError) {
        func value(_ name: RateName) throws(PaymentsError) -> PreciseDecimal {
            let rate = try rates.rate(name, at: quarter.quarterDay)
            do throws(ArithmeticError) {
                return try PreciseDecimal(rate.value)
            } catch {
                throw .amountOutOfRange(name.rawValue)
            }
        }
        low = try value(.allocationIndexLow)
        high = try value(.allocationIndexHigh)
        movement = try value(.turnoverIndexMovement)
    }

    /// - Parameter before: turnover index of the quarter before.
    func warnings(_ practice: ODSCode, _ indices: [PreciseDecimal], before: PreciseDecimal?)
        -> [AllocationWarning]
    {
        var found: [AllocationWarning] = []
        for (component, index) in zip(FormulaComponent.allCases, indices) {
            if index < low || index > high {
                found.append(
                    AllocationWarning(practice: practice, component: component, rule: .bounds, index: index))
            }
            guard component == .turnover, let before else { continue }
            let moved = index.units - before.units
            if (moved < 0 ? -moved : moved) > movement.units {
                found.append(
                    AllocationWarning(
                        practice: practice, component: component, rule: .movement, index: index,
                        before: before))
            }
        }
        return found
    }
}
