import PluginAPI

/// How the last run of a job ended, as the Host's database keeps it.
struct JobOutcome: Sendable {
    let startedAt: Instant
    let endedAt: Instant
    let succeeded: Bool
    let outcome: String

    private static let select = Statement(
        "SELECT started_at, ended_at, succeeded, outcome FROM job_outcome WHERE plugin = ?1 AND name = ?2")
    private static let upsert = Statement(
        """
        INSERT INTO job_outcome (plugin, name, started_at, ended_at, succeeded, outcome)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6)
        ON CONFLICT (plugin, name) DO UPDATE
        SET started_at = excluded.started_at, ended_at = excluded.ended_at,
        succeeded = excluded.succeeded, outcome = excluded.outcome
        """)

    static func find(_ job: JobKey, in reader: any Reader) throws -> JobOutcome? {
        try reader.first(select, [.text(job.plugin), .text(job.name)]) {
            JobOutcome(
                startedAt: $0.instant(0), endedAt: $0.instant(1), succeeded: $0.bool(2), outcome: $0.text(3))
        }
    }

    func keep(_ job: JobKey, in transaction: any SQLTransaction) throws {
        let values: [StoredValue] = [
            .text(job.plugin), .text(job.name), .instant(startedAt), .instant(endedAt),
            .integer(succeeded ? 1 : 0),
            .text(outcome),
        ]
        try transaction.run(JobOutcome.upsert, values)
    }
}

struct JobKey: Hashable, Sendable {
    let plugin: String
    let name: String
}

extension ScheduledJob.Schedule {
    /// When it is due next.
    /// - Parameters:
    ///   - last: its last run; `nil` = it never ran.
    ///   - now: a daily job that was missed while the host was away is due at once, and only once.
    func due(after last: JobOutcome?, now: Instant) -> Instant {
        switch self {
        case .every(let seconds):
            return last.map { $0.endedAt.adding(milliseconds: Int64(seconds) * 1000) } ?? now
        case .daily(let hour, let minute):
            let london = LondonTime.self
            guard let last else { return london.next(after: now, hour: hour, minute: minute) }
            return london.next(after: last.startedAt, hour: hour, minute: minute)
        }
    }

    /// As operators read it.
    var text: String {
        switch self {
        case .every(let seconds): "every \(seconds) s"
        case .daily(let hour, let minute):
            "daily at \(hour < 10 ? "0" : "")\(hour):\(minute < 10 ? "0" : "")\(minute) Europe/London"
        }
    }
}
