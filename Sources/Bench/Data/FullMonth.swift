import CommonContract
import CqrsContract
import Foundation
import HostContract
import PaymentsContract
import PluginAPI

/// A data folder in which a whole month waits for its run, with every kind of line there is: contracts, network
/// participation, networks, variations, claims, dispensing, levies of committees, local payments of pharmacies,
/// ophthalmic claims and their levies, amounts of the quality service. All of it came in through the doors that it
/// always comes in by.
///
/// A new kind of line adds one function that loads it, and a call of that in `load`.
final class FullMonth {
    struct Measured {
        /// From the call of `CalculateRun` to its reply, and as the host measured its part before storing.
        let seconds: Double
        let hostSeconds: Double
        let lines: Int64
        let statements: Int64
        /// The most memory that the host held, MiB.
        let mostMemory: Double
    }

    /// So many lines has England's month at least.
    static let linesOnce: Int64 = 150_000
    private static let agreements = 5
    private static let variationsOfPractice = 6

    let factor: Int
    private let bench: Workbench
    private let folder: String
    let register: BenchRegister
    let office: BenchOffice
    let month = BenchMonth()
    private let submitter: BenchPerson
    private let publisher = BenchPerson("sam", [.national(.cqrsOperator)])

    init(on bench: Workbench, factor: Int) async throws {
        self.bench = bench
        self.factor = factor
        folder = try bench.newFolder("full-month-\(factor)")
        register = try BenchRegister(on: bench, factor: factor)
        office = BenchOffice(register)
        submitter = BenchPerson(
            "pam", [.init(role: .pharmacyPaymentsSubmitter, organisations: register.boards)])
        let host = try await HostUnderTest.start(on: bench, data: folder)
        defer { host.end() }
        try await office.open(on: host, and: [submitter, publisher])
        try await load(on: host)
    }

    private func load(on host: HostUnderTest) async throws {
        try await with(office.payer, host) { session in
            try await self.office.loadContracts(
                from: self.month.adding(-FullMonth.arrears).firstDayText, over: session)
            try await self.office.loadLists(self.month, over: session)
            try await self.loadNetworks(over: session, on: host)
        }
        try await office.setRates(month, on: host)
        try await loadVariations(on: host)
        try await loadPharmacies(on: host)
        try await loadClaims(on: host)
        try await loadQuality(on: host)
        try await loadDispensing(on: host)
        try await loadLevies(on: host)
        try await loadPracticeClaims(on: host)
        try await eventsDelivered(on: host)
    }

    private func with(
        _ person: BenchPerson, _ host: HostUnderTest, _ body: (HostSession) async throws -> Void
    ) async throws {
        let session = try await person.session(on: host)
        try await body(session)
        await session.close()
    }

    // MARK: Kinds of lines

    private func loadNetworks(over session: HostSession, on host: HostUnderTest) async throws {
        var text = "pcn_code,registered_patients,adjusted_patients,weighted_patients\n"
        for (number, network) in register.networks.enumerated() {
            text +=
                "\(network.code),\(40_000 + number % 900),\(41_000 + number % 900).35,\(40_500 + number % 900).00\n"
        }
        let client = Pcs_Payments_V1_NetworkServiceClient(session.transport, options: session.slow)
        let first = Pcs_Payments_V1_LoadNetworkPopulationsRequest.with {
            ($0.fileName, $0.financialYear) = ("networks.csv", month.financialYear)
        }
        let load = try await client.loadNetworkPopulations(
            Chunks.of(Array(text.utf8), first: first) { $0.data = $1 })
        try await with(office.approver, host) { deciding in
            _ = try await Pcs_Payments_V1_NetworkServiceClient(deciding.transport).decideNetworkPopulations(
                .with {
                    ($0.loadID, $0.approve) = (load.loadID, true)
                    $0.controlTotalRegistered = load.registeredPatients
                    $0.controlTotalAdjustedHundredths = load.adjustedPatientsHundredths
                })
        }
        let from = month.month
        try await Concurrently.run(register.networks) { network in
            _ = try await client.setCareHomeBeds(
                .with {
                    ($0.pcnCode, $0.beds, $0.month) = (network.code, 300, from)
                    $0.reason = "Benchmark"
                })
        }
    }

    /// Monthly payments of six kinds to each practice, a file a commissioner and twenty thousand rows.
    private func loadVariations(on host: HostUnderTest) async throws {
        let (payer, decider) = (
            try await office.payer.session(on: host), try await office.commissioner.session(on: host)
        )
        let uploads = Pcs_Payments_V1_VariationServiceClient(payer.transport, options: payer.slow)
        for (commissioner, practices) in Dictionary(grouping: register.practices, by: \.commissioner) {
            let most = VariationRows.most / FullMonth.variationsOfPractice
            for start in stride(from: 0, to: practices.count, by: most) {
                let part = practices[start..<min(start + most, practices.count)].map(\.code)
                let file = VariationRows.sound(part, each: FullMonth.variationsOfPractice, month: month.text)
                let first = Pcs_Payments_V1_UploadVariationsRequest.with {
                    ($0.commissionerCode, $0.fileName) = (commissioner, "variations.csv")
                }
                let upload = try await uploads.uploadVariations(
                    Chunks.of(file, first: first) { $0.data = $1 })
                _ = try await uploads.submitVariations(
                    .with { ($0.uploadID, $0.commissionerCode) = (upload.uploadID, commissioner) })
                _ = try await Pcs_Payments_V1_VariationServiceClient(decider.transport).decideVariations(
                    .with {
                        ($0.uploadID, $0.commissionerCode, $0.approve) = (upload.uploadID, commissioner, true)
                        $0.sha256 = upload.sha256
                    }, options: decider.acting(for: commissioner))
            }
        }
        await payer.close()
        await decider.close()
    }

    /// Local payments that the run pays: as many agreements a pharmacy as make `agreements` for each of England's,
    /// `factor` times. There are not codes enough for ten times the pharmacies.
    private func loadPharmacies(on host: HostUnderTest) async throws {
        let loader = try await submitter.session(on: host)
        let deciders = [
            try await office.commissioner.session(on: host),
            try await office.secondCommissioner.session(on: host),
        ]
        let each =
            (10_500 * FullMonth.agreements * factor + register.pharmacies.count - 1)
            / register.pharmacies.count
        for (board, pharmacies) in Dictionary(grouping: register.pharmacies, by: \.commissioner) {
            let choice = Pcs_Payments_V1_SetLocalPaymentsPaidHereRequest.with {
                ($0.commissionerCode, $0.fromMonth, $0.paidHere) = (board, month.month, true)
                $0.reason = "Benchmark"
            }
            _ = try await Pcs_Payments_V1_PharmacyPaymentServiceClient(deciders[0].transport)
                .setLocalPaymentsPaidHere(choice, options: deciders[0].acting(for: board))
            var text = "contractorCode,lpaCode,amount,narrative,paymentMonth,levyStat,levyVol\n"
            for (number, pharmacy) in pharmacies.enumerated() {
                for agreement in 0..<each {
                    text +=
                        "\(pharmacy.code),LPA\(100 + agreement),\(40 + number % 300).\(10 + agreement),"
                        + "Local service \(agreement),\(month.text),Y,N\n"
                }
            }
            let first = Pcs_Payments_V1_LoadLocalPaymentsRequest.with {
                ($0.commissionerCode, $0.month, $0.fileName) = (board, month.month, "local.csv")
            }
            let file = try await Pcs_Payments_V1_PharmacyPaymentServiceClient(loader.transport)
                .loadLocalPayments(
                    Chunks.of(Array(text.utf8), first: first) { $0.data = $1 },
                    options: loader.acting(for: board))
            for decider in deciders {
                _ = try await Pcs_Payments_V1_PharmacyPaymentServiceClient(decider.transport)
                    .authoriseLocalPayments(
                        .with {
                            ($0.commissionerCode, $0.fileID) = (board, file.fileID)
                            $0.controlTotalPence = file.totalPence
                        }, options: decider.acting(for: board))
            }
        }
        for session in [loader] + deciders { await session.close() }
    }

    /// A batch of each contractor, by systems that send for a hundred of them.
    private func loadClaims(on host: HostUnderTest) async throws {
        let contractors = register.contractors
        try await with(office.payer, host) { try await OphthalmicPractices.register(contractors, over: $0) }
        let systems = stride(from: 0, to: contractors.count, by: 100).map { start in
            let part = contractors[start..<min(start + 100, contractors.count)].map(\.code)
            return BenchPerson("system.\(start)", [.init(role: .ophthalmicClaims, organisations: part)])
        }
        let local = try await host.operatorSession()
        try await Concurrently.run(systems, width: 8) { try await $0.register(over: local) }
        await local.close()
        let practice = OphthalmicPractices()
        let door = host.door
        try await Concurrently.run(systems, width: 4) { system in
            let session = try await system.session(through: door)
            for (number, contractor) in (system.duties.first?.organisations ?? []).enumerated() {
                let claims = OphthalmicPractices.Kind.allCases.flatMap { kind in
                    (0...(number % 3)).map {
                        practice.claim(kind, number: $0, of: Int(contractor.dropFirst(2)) ?? 0)
                    }
                }
                let messages = try OphthalmicPractices.encoded(claims, of: contractor)
                let batch = try await OphthalmicPractices.submit(messages, over: session, for: contractor)
                guard batch.rejected == 0, batch.awaitingFee == 0 else {
                    throw BenchError(
                        "claims of \(contractor) were rejected: \(batch.rejections.first?.codes ?? [])")
                }
            }
            await session.close()
        }
    }

    /// Two services of practices, approved by the system, sent to Payments as events.
    private func loadQuality(on host: HostUnderTest) async throws {
        let practices = register.practices.map(\.code)
        let session = try await office.payer.session(on: host)
        let checker = try await publisher.session(on: host)
        try await BenchService.loadWeightedLists(practices, over: session)
        for (code, payCode) in [("BENCHA2526", "LDHC"), ("BENCHB2526", "WMREF")] {
            try await BenchService(
                code: code, offerUnit: "practice",
                flags: ["noDeclarationRequired", "autoDeclare", "noApprovalRequired"], payCode: payCode
            ).publish(by: session, checkedBy: checker)
            let header = "QUALITY_SERVICE,SP_ORG_CODE,SP_ORG_NAME,CO_ORG_CODE,PART_ST_DT,PART_ED_DT\r\n"
            let text = header + practices.map { "\(code),\($0),Practice,,20250401,20260331\r\n" }.joined()
            let first = Pcs_Cqrs_V1_LoadExtractRequest.with {
                ($0.format, $0.fileName) = (.participationList, "\(code).csv")
            }
            _ = try await Pcs_Cqrs_V1_SubmissionServiceClient(session.transport, options: session.slow)
                .loadExtract(
                    Chunks.of(Array(text.utf8), first: first) { $0.data = $1 })
            _ = try await Pcs_Cqrs_V1_CalculationServiceClient(session.transport, options: session.slowest)
                .calculate(
                    .with { ($0.serviceCode, $0.achievementDate) = (code, BenchService.monthEnd) })
        }
        let night = try await Pcs_Cqrs_V1_DeclarationServiceClient(
            session.transport, options: session.slowest
        )
        .runNightly(.init())
        guard night.releasedInstructions == Int64(practices.count * 2) else {
            throw BenchError("\(night.releasedInstructions) instructions were sent")
        }
        await session.close()
        await checker.close()
    }

    private func eventsDelivered(on host: HostUnderTest) async throws {
        let local = try await host.operatorSession()
        let limit = Stopwatch()
        while limit.seconds < 300 {
            let plugins = try await Pcs_Host_V1_PluginServiceClient(local.transport).listPlugins(.init())
                .plugins
            guard plugins.allSatisfy({ $0.eventsParked == 0 }) else {
                throw BenchError("an event was parked")
            }
            if plugins.allSatisfy({ $0.eventsWaiting == 0 }) {
                await local.close()
                return
            }
            try await Task.sleep(for: .milliseconds(20))
        }
        throw BenchError("events still wait after five minutes")
    }

    // MARK: Measuring

    /// Opens and calculates the month on a fresh copy of the data.
    func measure() async throws -> Measured {
        let data = "\(bench.folder)/full-month-data"
        try? FileManager.default.removeItem(atPath: data)
        try FileManager.default.copyItem(atPath: folder, toPath: data)
        defer { try? FileManager.default.removeItem(atPath: data) }
        let host = try await HostUnderTest.start(on: bench, data: data)
        defer { host.end() }
        let session = try await office.payer.session(on: host)
        let runs = Pcs_Payments_V1_RunServiceClient(session.transport, options: session.slow)
        let opened = try await runs.openRun(.with { $0.month = month.month })
        let watch = Stopwatch()
        let run = try await runs.calculateRun(
            .with { ($0.runID, $0.beforeCutOff, $0.reason) = (opened.runID, true, "Benchmark") })
        let seconds = watch.seconds
        let memory = try ProcessMeter.mostResidentKiB(of: host.pid) / 1_024
        await session.close()
        guard run.lines >= FullMonth.linesOnce * Int64(factor) else {
            throw BenchError("the month has \(run.lines) lines only")
        }
        return Measured(
            seconds: seconds, hostSeconds: Double(run.calculationMicroseconds) / 1e6, lines: run.lines,
            statements: run.statements, mostMemory: memory)
    }
}

/// Files of contract variations.
enum VariationRows {
    /// Rows that one file may have.
    static let most = 20_000
    static let header =
        "practiceCode,paycode,narrative,paymentType,amount,firstPaymentMonth,lastPaymentMonth,totalAmount,"
        + "nppPaymentMonth,nppQofFinancialYear\n"
    private static let paycodes = ["LIS", "ESMS", "PRNT", "PWAT", "TSAL", "ADJP"]

    /// Monthly payments without a fault.
    static func sound(_ practices: [String], each: Int, month: String) -> [UInt8] {
        var text = header
        for (number, practice) in practices.enumerated() {
            for kind in 0..<each {
                text +=
                    "\(practice),\(paycodes[kind % paycodes.count]),Local scheme \(kind),MONTHLY,"
                    + "\(100 + number % 900).\(10 + kind % 90),\(month),,,,\n"
            }
        }
        return Array(text.utf8)
    }

    /// As many rows as a file may have, each with a fault or two of another rule.
    static func faulty(_ practices: [String], month: String) -> [UInt8] {
        var text = header
        for row in 0..<most {
            let practice = practices[row % practices.count]
            switch row % 5 {
            case 0: text += "X\(row),LIS,Scheme,MONTHLY,10.00,\(month),,,,\n"
            case 1: text += "\(practice),NOCODE,Scheme \(row),MONTHLY,10.00,\(month),,,,\n"
            case 2: text += "\(practice),LIS,,SOMETIMES,10.000,\(month),,,,\n"
            case 3: text += "\(practice),LIS,Scheme \(row),ONEOFF,10.00,\(month),\(month),11.00,,\n"
            default: text += "\(practice),LIS,Scheme \(row),MONTHLY,0.00,1999-01,,,2026-04,2026/27\n"
            }
        }
        return Array(text.utf8)
    }
}
