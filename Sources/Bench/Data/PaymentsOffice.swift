import CommonContract
import Foundation
import HostContract
import PaymentsContract
import PluginAPI

/// The people of a payments office on a measured host, and what they load: contracts, lists, rates.
struct BenchOffice: Sendable {
    let register: BenchRegister
    let payer: BenchPerson
    let editor = BenchPerson("edith", [.national(.referenceDataEditor)])
    let checker = BenchPerson("fred", [.national(.referenceDataEditor)])
    let approver = BenchPerson("adam", [.national(.paymentsApprover)])
    let secondApprover = BenchPerson("bella", [.national(.paymentsApprover)])
    /// Decide for every Sub ICB Location and ICB.
    let commissioner: BenchPerson
    let secondCommissioner: BenchPerson

    init(_ register: BenchRegister) {
        self.register = register
        payer = BenchPerson("olive", [.national(.paymentsOperator), .national(.cqrsOperator)])
        let bodies = register.commissioners + register.boards
        commissioner = BenchPerson("carl", [.init(role: .commissionerApprover, organisations: bodies)])
        secondCommissioner = BenchPerson(
            "dora", [.init(role: .commissionerApprover, organisations: register.boards)])
    }

    var people: [BenchPerson] {
        [payer, editor, checker, approver, secondApprover, commissioner, secondCommissioner]
    }

    /// Loads the register and registers the people.
    func open(on host: HostUnderTest, and others: [BenchPerson] = []) async throws {
        try await register.load(into: host)
        let local = try await host.operatorSession()
        for person in people + others { try await person.register(over: local) }
        await local.close()
    }

    private static let contractHeader =
        "practice_code,practice_name,contract_type,valid_from,valid_to,commissioner_code,region_code,payee_code,"
        + "out_of_hours_opt_out,minor_surgery_opt_out,temporary_patients_adjustment,correction_factor,london_basis,"
        + "baseline_basis,baseline_annual,baseline_price,payments_stopped\n"

    /// Two practices in three have national terms, opted out of hours, the others a local baseline; or all a fixed
    /// baseline, which needs no rates.
    func loadContracts(from day: String, allFixed: Bool = false, over session: HostSession) async throws {
        var text = Self.contractHeader
        for (number, practice) in register.practices.enumerated() {
            let head = "\(practice.code),Practice \(practice.code)"
            let body = "\(day),,\(practice.commissioner),\(practice.region),"
            if allFixed {
                text += "\(head),PMS,\(body),,,,,,FIXED,\(900_000 + number % 7_000).00,,\n"
            } else if number % 3 == 2 {
                text += "\(head),PMS,\(body),,,,,,WEIGHTED,,\(100 + number % 40).25,\n"
            } else {
                text += "\(head),GMS,\(body),Y,,,,NONE,,,,\n"
            }
        }
        let first = Pcs_Payments_V1_LoadContractsRequest.with { $0.fileName = "contracts.csv" }
        _ = try await Pcs_Payments_V1_ContractServiceClient(session.transport, options: session.slow)
            .loadContracts(Chunks.of(Array(text.utf8), first: first) { $0.data = $1 })
    }

    func loadLists(_ month: BenchMonth, over session: HostSession) async throws {
        var text = "practice_code,registered_patients,weighted_patients,london_patients\n"
        for (number, practice) in register.practices.enumerated() {
            text += "\(practice.code),\(4_000 + number % 9_000),\(4_100 + number % 9_000).25,\n"
        }
        let first = Pcs_Payments_V1_LoadCapitationRequest.with {
            $0.fileName = "lists.csv"
            $0.quarterDay = month.quarterDay
        }
        _ = try await Pcs_Payments_V1_CapitationServiceClient(session.transport, options: session.slow)
            .loadCapitation(Chunks.of(Array(text.utf8), first: first) { $0.data = $1 })
    }

    /// Rates of the month's financial year and of the tests of sight before it, in the units that they have: the
    /// benchmark stands on none that a later year might lack.
    static let rates: [(name: String, value: String, unit: Pcs_Payments_V1_RateUnit)] = [
        ("global_sum_price", "130.07", .pounds), ("out_of_hours_percent", "4.70", .percent),
        ("minor_surgery_percent", "0.6", .percent), ("london_adjustment", "2.18", .pounds),
        ("network_core_registered", "2.311", .pounds), ("network_core_adjusted", "0.748", .pounds),
        ("network_enhanced_access", "8.427", .pounds), ("network_care_home_bed", "130.253", .pounds),
        ("network_capacity_support", "3.208", .pounds), ("network_participation", "1.761", .pounds),
        ("gos_sight_test", "24.13", .pounds), ("gos_voucher_a", "42.40", .pounds),
        ("gos_voucher_e", "73.10", .pounds), ("gos_voucher_h", "233.56", .pounds),
    ]

    func setRates(_ month: BenchMonth, on host: HostUnderTest) async throws {
        let (proposing, deciding) = (try await editor.session(on: host), try await checker.session(on: host))
        let set = try await Pcs_Payments_V1_ReferenceDataServiceClient(proposing.transport).proposeRates([
            .with {
                $0.reason = "Benchmark"
                $0.rates = Self.rates.map { rate in
                    .with {
                        ($0.name, $0.value, $0.unit) = (rate.name, rate.value, rate.unit)
                        ($0.effectiveFrom, $0.effectiveTo) = (month.ratesFrom, month.ratesTo)
                        ($0.grade, $0.source) = ("X", "bench")
                    }
                }
            }
        ])
        _ = try await Pcs_Payments_V1_ReferenceDataServiceClient(deciding.transport).approveRates(
            .with { ($0.setID, $0.approve) = (set.setID, true) })
        await proposing.close()
        await deciding.close()
    }
}

/// The month that a measured run pays: the next one, because some inputs are taken for it alone.
struct BenchMonth: Sendable {
    let month: Pcs_Common_V1_Month

    init() {
        let parts = Calendar(identifier: .gregorian).dateComponents(in: .gmt, from: Date())
        let index = (parts.year ?? 2026) * 12 + (parts.month ?? 1)
        month = .with { ($0.year, $0.month) = (Int32(index / 12), Int32(index % 12 + 1)) }
    }

    init(_ year: Int, _ number: Int) {
        month = .with { ($0.year, $0.month) = (Int32(year), Int32(number)) }
    }

    private var index: Int { Int(month.year) * 12 + Int(month.month) - 1 }

    func adding(_ months: Int) -> BenchMonth {
        BenchMonth((index + months) / 12, (index + months) % 12 + 1)
    }

    var firstDay: Pcs_Common_V1_Date { .with { ($0.year, $0.month, $0.day) = (month.year, month.month, 1) } }
    var quarterDay: Pcs_Common_V1_Date {
        BenchMonth(Int(month.year), (Int(month.month) - 1) / 3 * 3 + 1).firstDay
    }
    /// A contract of the month begins with it.
    var firstDayText: String { text + "-01" }
    var text: String { "\(month.year)-" + (month.month < 10 ? "0" : "") + "\(month.month)" }
    var ratesFrom: Pcs_Common_V1_Date { adding(-4).firstDay }
    var ratesTo: Pcs_Common_V1_Date { adding(6).firstDay }
    /// "2026/27".
    var financialYear: String {
        let first = month.month >= 4 ? Int(month.year) : Int(month.year) - 1
        return "\(first)/\(String((first + 1) % 100 + 100).suffix(2))"
    }
}
