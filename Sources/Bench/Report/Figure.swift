/// One measured figure: what `make bench` prints a line of.
struct Figure {
    let name: String
    let value: Double
    /// `x` for a ratio, else `s`, `ms`, `KiB`, `MiB`, `/s`.
    let unit: String
    /// What it was made of, in reading order: ours, the peers', by load.
    let details: [Detail]

    struct Detail {
        let name: String
        let value: Double
        let unit: String
    }

    init(_ name: String, _ value: Double, _ unit: String, _ details: [Detail] = []) {
        self.name = name
        self.value = value
        self.unit = unit
        self.details = details
    }
}

/// What a figure has to reach, from ARCHITECTURE.md and the issue that set it.
struct Goal {
    enum Better { case lower, higher }
    let better: Better
    let must: Double?
    let aim: Double?

    static let all: [String: Goal] = [
        "echo_vs_c": Goal(better: .lower, must: 6, aim: 4),
        "echo_vs_grpc_swift": Goal(better: .higher, must: 20, aim: 40),
        "echo_vs_grpc_cpp": Goal(better: .higher, must: 4, aim: 8),
        "durable_write_64_vs_single": Goal(better: .higher, must: 8, aim: 12),
        "durable_write_256_vs_single": Goal(better: .higher, must: 14, aim: 20),
        "lone_write_vs_raw_commit": Goal(better: .lower, must: 1.3, aim: 1.1),
        "read_vs_grpc_swift": Goal(better: .higher, must: 8, aim: 15),
        "write_64_vs_grpc_swift": Goal(better: .higher, must: 8, aim: 15),
        "write_256_vs_grpc_swift": Goal(better: .higher, must: 16, aim: 33),
        "bulk_vs_decimal": Goal(better: .higher, must: 300, aim: 800),
        "run_month_s": Goal(better: .lower, must: nil, aim: 2),
        "run_month_10x_ratio": Goal(better: .lower, must: 12, aim: 10.5),
        "idle_connection_kib": Goal(better: .lower, must: nil, aim: 40),
        "start_ms": Goal(better: .lower, must: nil, aim: 300),
        "idle_rss_mib": Goal(better: .lower, must: nil, aim: 80),
        "full_month_s": Goal(better: .lower, must: nil, aim: 5),
        "full_month_rss_mib": Goal(better: .lower, must: nil, aim: 512),
        "full_month_10x_ratio": Goal(better: .lower, must: nil, aim: 11),
        "gos_claims_per_s": Goal(better: .higher, must: nil, aim: 20_000),
        "variation_20k_s": Goal(better: .lower, must: nil, aim: 1),
        "statement_history_ms": Goal(better: .lower, must: nil, aim: 20),
        "qof_england_s": Goal(better: .lower, must: nil, aim: 5),
        "qof_england_10x_ratio": Goal(better: .lower, must: nil, aim: 11),
        "declare_england_s": Goal(better: .lower, must: nil, aim: 10),
        "local_claims_per_s": Goal(better: .higher, must: nil, aim: 20_000),
    ]

    /// `aim`, `must` or `missed`: the best that `value` reaches.
    func verdict(of value: Double) -> String {
        func reaches(_ bound: Double) -> Bool { better == .lower ? value <= bound : value >= bound }
        if let aim, reaches(aim) { return "aim" }
        if let must { return reaches(must) ? "must" : "missed" }
        return "missed"
    }

    var text: String {
        let sign = better == .lower ? "<=" : ">="
        return [
            must.map { "must \(sign) \(Format.number($0))" }, aim.map { "aim \(sign) \(Format.number($0))" },
        ]
        .compactMap(\.self).joined(separator: ", ")
    }
}
