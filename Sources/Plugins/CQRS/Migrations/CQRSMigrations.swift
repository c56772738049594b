import PluginAPI

/// The schema of the CQRS store, forward only. History is added to: the row with the highest number holds.
enum CQRSMigrations {
    static let all: [Migration] = [
        Migration(
            version: 1, name: "services, constants and populations", statements: DefinitionTables.statements),
        Migration(version: 2, name: "participation", statements: ParticipationTables.statements),
        Migration(version: 3, name: "submissions", statements: SubmissionTables.statements),
        Migration(version: 4, name: "calculations", statements: CalculationTables.statements),
        Migration(version: 5, name: "declarations and networks", statements: DeclarationTables.statements),
        Migration(version: 10, name: "local services", statements: LocalTables.schemes),
        Migration(version: 11, name: "local contracts and windows", statements: LocalTables.contracts),
        Migration(version: 12, name: "local claims", statements: LocalTables.claims),
        Migration(version: 13, name: "local evidence and bulk claims", statements: LocalTables.evidence),
        Migration(version: 14, name: "payment of local claims", statements: LocalTables.payment),
        Migration(version: 20, name: "reports", statements: ReportTables.statements),
        Migration(version: 21, name: "notices", statements: NoticeTables.notices),
        Migration(version: 22, name: "leave of declarers", statements: NoticeTables.leave),
        Migration(version: 23, name: "disputed counts", statements: NoticeTables.disputes),
    ]
}
