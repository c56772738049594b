import CqrsContract
import PluginAPI

/// Work of those who enter achievement: what is missing of a date that is paid (DAT-4).
enum FiguresNotices {
    struct Progress {
        var provider: String
        var submitted: Int
        var expected: Int
        var missing: [String]
        var isComplete: Bool { missing.isEmpty }
    }

    private static func name(_ key: IndicatorValuesFile.Key, _ provider: String) -> String {
        "cqrs/figures/\(key.service)/\(key.date)/\(provider)"
    }

    static func refresh(
        _ progress: Progress, _ key: IndicatorValuesFile.Key, by actor: String,
        in transaction: any Transaction
    ) throws {
        let name = name(key, progress.provider)
        guard !progress.isComplete else {
            if try NoticeBook.end(name, in: transaction) {
                try Notices.settle(name, "complete", by: actor, in: transaction)
            }
            return
        }
        let shown = progress.missing.prefix(40).joined(separator: ", ")
        let detail =
            "\(progress.submitted) of \(progress.expected) submitted. Missing: \(shown)"
            + (progress.missing.count > 40 ? " and \(progress.missing.count - 40) more" : "") + "."
        guard try NoticeBook.isNews(name, detail, in: transaction) else { return }
        try Notices.request(
            name, .cqrsAchievementEntry, at: progress.provider,
            "Figures of \(key.service) of \(key.date) are missing",
            detail, outcomes: ["complete", "withdrawn"], in: transaction)
    }

    static func refresh(
        _ progress: Pcs_Cqrs_V1_SubmissionProgress, _ key: IndicatorValuesFile.Key, by actor: String,
        in transaction: any Transaction
    ) throws {
        try refresh(
            Progress(
                provider: progress.providerCode, submitted: Int(progress.indicatorsSubmitted),
                expected: Int(progress.indicatorsExpected), missing: progress.missing), key, by: actor,
            in: transaction)
    }
}
