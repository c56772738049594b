import PluginAPI

/// The schema of the payments store, forward only. Every change of an input takes a number from `input`, so that any
/// earlier state of knowledge can be read again: "as known at number n" is every record with `seq` up to n.
enum PaymentsMigrations {
    static let all: [Migration] = [
        Migration(version: 1, name: "inputs and evidence", statements: inputs),
        Migration(version: 2, name: "contracts and capitation", statements: contracts),
        Migration(version: 3, name: "reference data", statements: referenceData),
        Migration(version: 4, name: "runs and statements", statements: runs),
        Migration(version: 5, name: "published years", statements: publishedYears),
        Migration(version: 6, name: "payable items", statements: PayableItemStore.schema),
        Migration(version: 10, name: "claims", statements: ClaimStore.schema),
        Migration(version: 11, name: "variations", statements: VariationStore.schema),
        Migration(version: 20, name: "networks", statements: NetworkStore.schema),
        Migration(version: 30, name: "ophthalmic claims", statements: OphthalmicStore.schema),
        Migration(version: 31, name: "local payments of pharmacies", statements: PharmacyStore.schema),
        Migration(version: 40, name: "bank details", statements: BankDetailsStore.schema),
        Migration(version: 41, name: "payment files", statements: PaymentFileStore.schema),
        Migration(version: 50, name: "levies", statements: LevyStore.schema),
        Migration(version: 51, name: "superannuation", statements: ContributionStore.schema),
        Migration(version: 52, name: "withholding", statements: WithholdingStore.schema),
        Migration(version: 53, name: "set-off", statements: SetOffStore.schema),
        Migration(version: 60, name: "dispensing", statements: DispensingStore.schema),
        Migration(version: 61, name: "training and retention", statements: TrainingStore.schema),
        Migration(version: 62, name: "reimbursement scheme", statements: SchemeStore.schema),
        Migration(
            version: 63, name: "dispensing bands and training rates",
            statements: DispensingBandStore.schema + TrainingRateStore.schema),
        Migration(version: 70, name: "allocation formula", statements: AllocationStore.schema),
        Migration(version: 71, name: "baselines", statements: BaselineStore.schema),
        Migration(version: 72, name: "contract changes", statements: ContractChangeStore.schema),
        Migration(version: 80, name: "queries on statements", statements: StatementQueryStore.schema),
        Migration(version: 81, name: "quality figures", statements: QualityFigureStore.schema),
        Migration(version: 82, name: "bounds of amounts", statements: AmountBoundStore.schema),
        Migration(version: 95, name: "contractors and beds by code", statements: lookups),
        Migration(version: 96, name: "maxima of additional roles", statements: RoleMaximumStore.schema),
        Migration(version: 97, name: "claims for additional roles", statements: AdditionalRolesStore.schema),
        Migration(version: 100, name: "revisions by practice, proposer and state", statements: RevisionStore.indexes),
        Migration(version: 101, name: "closings of contracts", statements: ContractClosingStore.schema),
        Migration(
            version: 102, name: "steps of practice changes, notices withdrawn",
            statements: PracticeChangeStore.schema + NoticeStore.withdrawals),
        Migration(version: 105, name: "membership of networks", statements: NetworkMembershipStore.schema),
        Migration(version: 106, name: "expenses of the retention scheme", statements: TrainingStore.expensesSchema),
        Migration(version: 110, name: "approved parts of claims", statements: ApprovedPartStore.schema),
        Migration(version: 111, name: "weeks of parental leave decided", statements: ClaimStore.parentalWeeks),
        Migration(version: 112, name: "named months of variations, stops lifted", statements: VariationStore.named),
        Migration(version: 113, name: "payments owed by run", statements: owedByRun),
        Migration(version: 118, name: "details looked at", statements: BankDetailsStore.lookedAtSchema),
        Migration(version: 119, name: "files built anew", statements: PaymentFileStore.replacementSchema),
        Migration(version: 120, name: "who signed and verified", statements: BankDetailsStore.signingSchema),
        Migration(version: 121, name: "contact changes", statements: ContactChanges.schema),
        Migration(version: 126, name: "instructions refused", statements: InstructionRefusalStore.schema),
        Migration(
            version: 127, name: "populations and payees of networks by two people",
            statements: PopulationProposalStore.schema + PayeeProposalStore.schema),
        Migration(version: 128, name: "visits by day", statements: VisitStore.lookups),
        Migration(version: 129, name: "committees of opticians", statements: LevyStore.families),
        Migration(version: 134, name: "rents of premises", statements: RentStore.schema),
        Migration(version: 135, name: "external codes of paycodes", statements: externalCodes),
        Migration(version: 136, name: "paycodes of claims", statements: ClaimPaycodeStore.schema),
        Migration(version: 137, name: "guaranteed use", statements: GuaranteedUseStore.schema),
        Migration(version: 140, name: "statements by attempt", statements: StatementStore.attempts),
    ]

    /// Asked for each paid claim that is listed; few payments of a run are owed still.
    private static let owedByRun = ["CREATE INDEX payment_owed_by_run ON payment (run_id) WHERE state = 1"]

    private static let inputs = [
        """
        CREATE TABLE input (
            seq INTEGER PRIMARY KEY, kind TEXT NOT NULL, effective_from TEXT, effective_to TEXT,
            recorded_at INTEGER NOT NULL, recorded_by TEXT NOT NULL, detail TEXT NOT NULL
        ) STRICT
        """,
        """
        CREATE TABLE evidence (
            evidence_id TEXT PRIMARY KEY NOT NULL, kind TEXT NOT NULL, sha256 TEXT NOT NULL, file_name TEXT NOT NULL,
            size INTEGER NOT NULL, uploaded_by TEXT NOT NULL, uploaded_at INTEGER NOT NULL, body BLOB NOT NULL
        ) STRICT
        """,
        "CREATE INDEX evidence_by_hash ON evidence (kind, sha256)",
    ]

    private static let contracts = [
        """
        CREATE TABLE contract_record (
            version INTEGER PRIMARY KEY, seq INTEGER NOT NULL REFERENCES input (seq), practice_code TEXT NOT NULL,
            effective_from TEXT NOT NULL, effective_to TEXT, ended INTEGER NOT NULL, contract_kind INTEGER NOT NULL,
            practice_name TEXT NOT NULL, commissioner_code TEXT NOT NULL, region_code TEXT NOT NULL,
            payee_code TEXT NOT NULL, out_of_hours_opt_out INTEGER NOT NULL, minor_surgery_opt_out INTEGER NOT NULL,
            temporary_patients_pence INTEGER NOT NULL, london_basis INTEGER NOT NULL, baseline_basis INTEGER NOT NULL,
            baseline_amount INTEGER NOT NULL, payments_stopped INTEGER NOT NULL,
            correction_factor_pence INTEGER NOT NULL, reason TEXT NOT NULL, source TEXT NOT NULL
        ) STRICT
        """,
        "CREATE INDEX contract_record_by_practice ON contract_record (practice_code, version)",
        """
        CREATE TABLE contract_load (
            load_id TEXT PRIMARY KEY NOT NULL, seq INTEGER REFERENCES input (seq),
            evidence_id TEXT NOT NULL REFERENCES evidence (evidence_id), rows INTEGER NOT NULL,
            practices INTEGER NOT NULL, added INTEGER NOT NULL, changed INTEGER NOT NULL, unchanged INTEGER NOT NULL,
            pending_references INTEGER NOT NULL
        ) STRICT
        """,
        "CREATE INDEX contract_load_by_evidence ON contract_load (evidence_id)",
        """
        CREATE TABLE contract_revision (
            revision_id TEXT PRIMARY KEY NOT NULL, practice_code TEXT NOT NULL, state INTEGER NOT NULL,
            effective_from TEXT NOT NULL, effective_to TEXT, ended INTEGER NOT NULL, terms BLOB NOT NULL,
            reason TEXT NOT NULL, proposed_by TEXT NOT NULL, proposed_at INTEGER NOT NULL, decided_by TEXT,
            decided_at INTEGER, decision_reason TEXT, version INTEGER
        ) STRICT
        """,
        """
        CREATE TABLE capitation_load (
            seq INTEGER PRIMARY KEY REFERENCES input (seq), load_id TEXT NOT NULL UNIQUE, quarter_day TEXT NOT NULL,
            evidence_id TEXT NOT NULL REFERENCES evidence (evidence_id), practices INTEGER NOT NULL,
            registered INTEGER NOT NULL, weighted_hundredths INTEGER NOT NULL, changed INTEGER NOT NULL,
            added INTEGER NOT NULL
        ) STRICT
        """,
        "CREATE INDEX capitation_load_by_quarter ON capitation_load (quarter_day, seq)",
        """
        CREATE TABLE capitation (
            quarter_day TEXT NOT NULL, practice_code TEXT NOT NULL, seq INTEGER NOT NULL REFERENCES input (seq),
            registered INTEGER NOT NULL, weighted_hundredths INTEGER NOT NULL, london INTEGER NOT NULL,
            PRIMARY KEY (quarter_day, practice_code, seq)
        ) STRICT
        """,
        """
        CREATE TABLE closing_notice (
            practice_code TEXT NOT NULL, sequence INTEGER NOT NULL, effective_on TEXT NOT NULL,
            received_at INTEGER NOT NULL, PRIMARY KEY (practice_code, sequence)
        ) STRICT
        """,
    ]

    private static let referenceData = [
        """
        CREATE TABLE rate_set (
            set_id TEXT PRIMARY KEY NOT NULL, kind INTEGER NOT NULL, state INTEGER NOT NULL, reason TEXT NOT NULL,
            row_count INTEGER NOT NULL, proposed_by TEXT NOT NULL, proposed_at INTEGER NOT NULL, decided_by TEXT,
            decided_at INTEGER, decision_reason TEXT, file_name TEXT NOT NULL, sha256 TEXT NOT NULL,
            evidence_id TEXT REFERENCES evidence (evidence_id), version INTEGER REFERENCES input (seq)
        ) STRICT
        """,
        """
        CREATE TABLE rate (
            set_id TEXT NOT NULL REFERENCES rate_set (set_id), number INTEGER NOT NULL, name TEXT NOT NULL,
            effective_from TEXT NOT NULL, effective_to TEXT, value TEXT, grade TEXT NOT NULL, source TEXT NOT NULL,
            note TEXT NOT NULL, PRIMARY KEY (set_id, number)
        ) STRICT
        """,
        """
        CREATE TABLE bank_holiday (
            set_id TEXT NOT NULL REFERENCES rate_set (set_id), day TEXT NOT NULL, title TEXT NOT NULL,
            PRIMARY KEY (set_id, day)
        ) STRICT
        """,
        """
        CREATE TABLE paycode (
            set_id TEXT NOT NULL REFERENCES rate_set (set_id), code TEXT NOT NULL, description TEXT NOT NULL,
            sign TEXT NOT NULL, heading TEXT NOT NULL, PRIMARY KEY (set_id, code)
        ) STRICT
        """,
    ]

    private static let runs = [
        """
        CREATE TABLE run (
            run_id TEXT PRIMARY KEY NOT NULL, month TEXT NOT NULL, number INTEGER NOT NULL, state INTEGER NOT NULL,
            payment_date TEXT NOT NULL, cut_off_on TEXT NOT NULL, opened_by TEXT NOT NULL, frozen_at INTEGER,
            snapshot INTEGER NOT NULL, calculation INTEGER NOT NULL, calculated_by TEXT NOT NULL,
            calculated_at INTEGER, statements INTEGER NOT NULL, lines INTEGER NOT NULL, gross_pence INTEGER NOT NULL,
            deductions_pence INTEGER NOT NULL, retro_pence INTEGER NOT NULL, retro_lines INTEGER NOT NULL,
            statements_sha256 TEXT NOT NULL, calculation_microseconds INTEGER NOT NULL, reviewed_by TEXT NOT NULL,
            published_at INTEGER, paid_on TEXT, bank_reference TEXT NOT NULL, abort_requested_by TEXT NOT NULL,
            UNIQUE (month, number)
        ) STRICT
        """,
        // One run a month, unless the earlier one was aborted (state 8).
        "CREATE UNIQUE INDEX run_of_month ON run (month) WHERE state <> 8",
        """
        CREATE TABLE run_step (
            run_id TEXT NOT NULL REFERENCES run (run_id), number INTEGER NOT NULL, step TEXT NOT NULL,
            taken_by TEXT NOT NULL, taken_at INTEGER NOT NULL, calculation INTEGER NOT NULL, detail TEXT NOT NULL,
            PRIMARY KEY (run_id, number)
        ) STRICT
        """,
        """
        CREATE TABLE run_approval (
            run_id TEXT NOT NULL REFERENCES run (run_id), number INTEGER NOT NULL, approved_by TEXT NOT NULL,
            approved_at INTEGER NOT NULL, PRIMARY KEY (run_id, number)
        ) STRICT
        """,
        """
        CREATE TABLE run_exception (
            run_id TEXT NOT NULL REFERENCES run (run_id), number INTEGER NOT NULL, severity INTEGER NOT NULL,
            kind INTEGER NOT NULL, practice_code TEXT NOT NULL, practice_name TEXT NOT NULL, paycode TEXT NOT NULL,
            message TEXT NOT NULL, before_pence INTEGER NOT NULL, now_pence INTEGER NOT NULL,
            fingerprint TEXT NOT NULL, accepted_by TEXT, accepted_at INTEGER, acceptance_reason TEXT,
            PRIMARY KEY (run_id, number)
        ) STRICT
        """,
        """
        CREATE TABLE run_total (
            run_id TEXT NOT NULL REFERENCES run (run_id), dimension INTEGER NOT NULL, total_key TEXT NOT NULL,
            statements INTEGER NOT NULL, lines INTEGER NOT NULL, gross_pence INTEGER NOT NULL,
            deductions_pence INTEGER NOT NULL, PRIMARY KEY (run_id, dimension, total_key)
        ) STRICT
        """,
        """
        CREATE TABLE run_ledger (run_id TEXT PRIMARY KEY NOT NULL REFERENCES run (run_id), body BLOB NOT NULL) STRICT
        """,
        """
        CREATE TABLE statement (
            run_id TEXT NOT NULL REFERENCES run (run_id), practice_code TEXT NOT NULL, practice_name TEXT NOT NULL,
            contract_kind INTEGER NOT NULL, commissioner_code TEXT NOT NULL, region_code TEXT NOT NULL,
            lines INTEGER NOT NULL, gross_pence INTEGER NOT NULL, deductions_pence INTEGER NOT NULL,
            sha256 BLOB NOT NULL, body BLOB NOT NULL, PRIMARY KEY (run_id, practice_code)
        ) STRICT
        """,
        "CREATE INDEX statement_by_practice ON statement (practice_code, run_id)",
    ]

    private static let publishedYears = [
        """
        CREATE TABLE published_load (
            load_id TEXT PRIMARY KEY NOT NULL, seq INTEGER NOT NULL REFERENCES input (seq),
            financial_year TEXT NOT NULL, evidence_id TEXT NOT NULL REFERENCES evidence (evidence_id),
            rows INTEGER NOT NULL, gms INTEGER NOT NULL, pms INTEGER NOT NULL, apms INTEGER NOT NULL,
            skipped_unknown INTEGER NOT NULL, skipped_no_list INTEGER NOT NULL, skipped_no_money INTEGER NOT NULL,
            registered INTEGER NOT NULL, weighted_hundredths INTEGER NOT NULL, global_sum_pence INTEGER NOT NULL
        ) STRICT
        """,
        "CREATE INDEX published_load_by_year ON published_load (financial_year, seq)",
    ]

    private static let externalCodes = ["ALTER TABLE paycode ADD COLUMN external_code TEXT NOT NULL DEFAULT ''"]

    /// Asked once for each batch of claims and each change of beds; both tables have a row for each in the country.
    private static let lookups = [
        "CREATE INDEX ophthalmic_contractor_by_code ON ophthalmic_contractor (contractor_code, effective_from)",
        "CREATE INDEX network_beds_by_network ON network_beds (pcn_code, month)",
    ]
}
