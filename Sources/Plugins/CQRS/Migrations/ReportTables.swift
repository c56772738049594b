/// Reports: who may run which beyond the own records, and the ways in which reports look for declarations.
enum ReportTables {
    static let statements = [
        """
        CREATE TABLE report_allocation (
            allocation_id TEXT PRIMARY KEY NOT NULL, parent_code TEXT NOT NULL, to_code TEXT NOT NULL,
            service_code TEXT NOT NULL, financial_year TEXT NOT NULL, allocated_by TEXT NOT NULL,
            allocated_at INTEGER NOT NULL, removed_by TEXT NOT NULL, removed_at INTEGER, removed_because TEXT NOT NULL
        ) STRICT
        """,
        "CREATE INDEX report_allocation_by_receiver ON report_allocation (to_code, service_code)",
        "CREATE INDEX report_allocation_by_parent ON report_allocation (parent_code, allocation_id)",
        "CREATE INDEX declaration_by_commissioner ON declaration (commissioner_code, achievement_date, service_code)",
    ]
}
