/// Loads of several servers taken in turn, so that what disturbs the machine for a while disturbs all of them alike.
struct Interleaved {
    enum Worst { case lowest, highest }

    private struct Key: Hashable {
        let target: String
        let call: LoadCall
        let shape: LoadShape
    }
    private var results: [Key: [LoadResult]] = [:]
    private let shapes: [LoadShape]

    /// Warms every server up once, then repeats: every shape, and in it every server.
    static func run(
        _ targets: [any LoadTarget], _ calls: [LoadCall], _ shapes: [LoadShape], _ repetitions: Int,
        seconds: Double = 0.8
    ) throws -> Interleaved {
        var runs = Interleaved(results: [:], shapes: shapes)
        for call in calls {
            for shape in shapes {
                for target in targets { _ = try target.load(call, shape, seconds: seconds / 2) }
            }
            for repetition in 0..<repetitions {
                for shape in shapes {
                    // Every other repetition the other way round: the first after another's load may find it warmer.
                    let order = repetition.isMultiple(of: 2) ? targets : targets.reversed()
                    for target in order {
                        let key = Key(target: target.name, call: call, shape: shape)
                        runs.results[key, default: []].append(try target.load(call, shape, seconds: seconds))
                    }
                }
            }
        }
        return runs
    }

    /// The median ratio of two servers; of several shapes the one that is worse for us, with all of them in the details.
    func figure(
        _ name: String, _ call: LoadCall, _ numerator: String, over denominator: String,
        by quantity: KeyPath<LoadResult, Double>, _ unit: String, worst: Worst,
        shapes chosen: [LoadShape]? = nil
    ) -> Figure {
        func values(_ target: String, _ shape: LoadShape) -> [Double] {
            results[Key(target: target, call: call, shape: shape), default: []].map { $0[keyPath: quantity] }
        }
        var ratios: [Double] = []
        var details: [Figure.Detail] = []
        for shape in chosen ?? shapes {
            let ratio = medianRatio(values(numerator, shape), values(denominator, shape))
            ratios.append(ratio)
            for target in [numerator, denominator].sorted(by: { left, _ in left == "ours" }) {
                details.append(
                    Figure.Detail(
                        name: "\(shape.name) \(target)", value: median(values(target, shape)), unit: unit))
            }
            details.append(Figure.Detail(name: "\(shape.name) ratio", value: ratio, unit: "x"))
        }
        let value = worst == .lowest ? ratios.min() : ratios.max()
        return Figure(name, value ?? .nan, "x", details)
    }
}
