import CommonContract
import Foundation
import HostContract
import PaymentsContract
import PluginAPI

/// Kinds of lines that practices have beside contract and variations: dispensing, levies, claims.
extension FullMonth {
    /// Months that dispensing is paid in arrears (rate `dispensing_arrears_months` as shipped).
    static let arrears = 3
    /// One practice in so many dispenses; the others administer some drugs themselves.
    private static let dispensingEvery = 7

    // MARK: Dispensing

    /// The file of the pricing authority for the month that this run pays, authorised by another person, after bands
    /// that hold for it.
    func loadDispensing(on host: HostUnderTest) async throws {
        let paid = month.adding(-FullMonth.arrears)
        try await approve(DispensingRows.bands(from: paid.firstDayText), .dispensingBands, on: host)
        let loader = try await office.payer.session(on: host)
        let decider = try await office.approver.session(on: host)
        let first = Pcs_Payments_V1_LoadDispensingRequest.with {
            ($0.month, $0.fileName) = (paid.month, "dispensing.csv")
        }
        let file = DispensingRows.file(
            register.practices.map(\.code), month: paid.text, dispensingEvery: FullMonth.dispensingEvery)
        let load = try await Pcs_Payments_V1_DispensingServiceClient(loader.transport, options: loader.slow)
            .loadDispensing(Chunks.of(file, first: first) { $0.data = $1 })
        _ = try await Pcs_Payments_V1_DispensingServiceClient(decider.transport, options: decider.slow)
            .decideDispensing(
                .with {
                    ($0.loadID, $0.authorise) = (load.loadID, true)
                    $0.controlTotalPence = load.basicPricePence
                })
        await loader.close()
        await decider.close()
    }

    private func approve(
        _ file: [UInt8], _ kind: Pcs_Payments_V1_ReferenceKind, on host: HostUnderTest
    ) async throws {
        let (proposing, deciding) = (
            try await office.editor.session(on: host), try await office.checker.session(on: host)
        )
        let first = Pcs_Payments_V1_ProposeRatesRequest.with {
            ($0.kind, $0.reason, $0.fileName) = (kind, "Benchmark", "reference.csv")
        }
        let set = try await Pcs_Payments_V1_ReferenceDataServiceClient(proposing.transport)
            .proposeRates(Chunks.of(file, first: first) { $0.data = $1 })
        _ = try await Pcs_Payments_V1_ReferenceDataServiceClient(deciding.transport).approveRates(
            .with { ($0.setID, $0.approve) = (set.setID, true) })
        await proposing.close()
        await deciding.close()
    }

    // MARK: Levies

    /// A committee of each family for each Sub ICB Location: its practices pay both medical levies, its ophthalmic
    /// contractors a share of their sight-test fees.
    func loadLevies(on host: HostUnderTest) async throws {
        let proposing = try await office.payer.session(on: host)
        let deciding = try await office.approver.session(on: host)
        let desk = LevyDesk(
            proposer: Pcs_Payments_V1_LevyServiceClient(proposing.transport, options: proposing.slow),
            decider: Pcs_Payments_V1_LevyServiceClient(deciding.transport, options: deciding.slow),
            from: month.quarterDay)
        for (commissioner, practices) in Dictionary(grouping: register.practices, by: \.commissioner) {
            let committee = "LMC" + commissioner
            try await desk.setCommittee(committee, .medical, of: commissioner)
            for (kind, pence) in [(Pcs_Payments_V1_LevyKind.statutory, "42.5"), (.voluntary, "6")] {
                try await desk.instruct(commissioner) {
                    $0.rate = .with {
                        ($0.committeeCode, $0.kind, $0.pencePerPatient) = (committee, kind, pence)
                        ($0.period, $0.effectiveFrom) = (.year, desk.from)
                    }
                }
            }
            let members = practices.map(\.code)
            try await desk.setMembers(members, committee, .medical, of: commissioner)
        }
        for (commissioner, contractors) in Dictionary(grouping: register.contractors, by: \.commissioner) {
            let committee = "LOC" + commissioner
            try await desk.setCommittee(committee, .optical, of: commissioner)
            try await desk.instruct(commissioner) {
                $0.rate = .with {
                    ($0.committeeCode, $0.kind, $0.percentOfFees) = (committee, .optical, "0.5")
                    ($0.period, $0.effectiveFrom) = (.sightTestFees, desk.from)
                }
            }
            try await desk.setMembers(contractors.map(\.code), committee, .optical, of: commissioner)
        }
        await proposing.close()
        await deciding.close()
    }

    /// Who proposes and who decides instructions about levies.
    private struct LevyDesk {
        let proposer: Pcs_Payments_V1_LevyServiceClient
        let decider: Pcs_Payments_V1_LevyServiceClient
        let from: Pcs_Common_V1_Date

        func instruct(
            _ commissioner: String, _ change: (inout Pcs_Payments_V1_ProposeLevyInstructionRequest) -> Void
        ) async throws {
            var request = Pcs_Payments_V1_ProposeLevyInstructionRequest()
            (request.commissionerCode, request.authority, request.reason) = (commissioner, "Benchmark", "Benchmark")
            change(&request)
            let instruction = try await proposer.proposeLevyInstruction(request)
            _ = try await decider.decideLevyInstruction(
                .with {
                    ($0.instructionID, $0.commissionerCode, $0.approve) = (
                        instruction.instructionID, commissioner, true
                    )
                })
        }

        func setCommittee(
            _ code: String, _ family: Pcs_Payments_V1_LevyFamily, of commissioner: String
        ) async throws {
            try await instruct(commissioner) {
                $0.committee = .with {
                    ($0.committeeCode, $0.name, $0.family) = (code, "Committee \(code)", family)
                    ($0.runBy, $0.collection, $0.effectiveFrom) = (.payments, .eachMonth, from)
                }
            }
        }

        func setMembers(
            _ codes: [String], _ committee: String, _ family: Pcs_Payments_V1_LevyFamily, of commissioner: String
        ) async throws {
            try await instruct(commissioner) {
                $0.memberships = .with {
                    ($0.committeeCode, $0.family, $0.effectiveFrom) = (committee, family, from)
                    $0.members = codes.map { code in
                        .with { member in
                            member.practiceCode = code
                            if family == .medical { (member.mandate, member.voluntary) = (true, true) }
                        }
                    }
                }
            }
        }
    }

    // MARK: Claims

    /// A bill for rent of each practice, submitted by people who claim for a hundred of them and approved by the
    /// commissioner.
    func loadPracticeClaims(on host: HostUnderTest) async throws {
        let practices = register.practices
        let claimants = stride(from: 0, to: practices.count, by: 100).map { start in
            Claimant(number: start, practices: Array(practices[start..<min(start + 100, practices.count)]))
        }
        let local = try await host.operatorSession()
        try await Concurrently.run(claimants, width: 8) { try await $0.person.register(over: local) }
        await local.close()
        let (door, decider) = (host.door, office.commissioner)
        let month = month.adding(-1)
        try await Concurrently.run(claimants, width: 4) { claimant in
            let claiming = try await claimant.person.session(through: door)
            let deciding = try await decider.session(through: door)
            let claims = Pcs_Payments_V1_ClaimServiceClient(claiming.transport)
            for (number, practice) in claimant.practices.enumerated() {
                let acting = claiming.acting(for: practice.code)
                let draft = try await claims.createClaim(
                    .with { $0.claim = claimant.rent(of: practice.code, number: number, month) },
                    options: acting)
                let submitted = try await claims.submitClaim(
                    .with { ($0.claimID, $0.practiceCode) = (draft.claimID, practice.code) }, options: acting)
                _ = try await Pcs_Payments_V1_ClaimServiceClient(deciding.transport).decideClaim(
                    .with {
                        ($0.claimID, $0.practiceCode) = (submitted.claimID, practice.code)
                        ($0.version, $0.decision) = (submitted.version, .approve)
                    }, options: deciding.acting(for: practice.commissioner))
            }
            await claiming.close()
            await deciding.close()
        }
    }

    private struct Claimant: Sendable {
        let person: BenchPerson
        let practices: [BenchRegister.Practice]

        init(number: Int, practices: [BenchRegister.Practice]) {
            self.practices = practices
            person = BenchPerson(
                "claims.\(number)", [.init(role: .practiceClaimsAdmin, organisations: practices.map(\.code))])
        }

        func rent(of practice: String, number: Int, _ month: BenchMonth) -> Pcs_Payments_V1_ClaimContents {
            .with {
                ($0.practiceCode, $0.type, $0.amountPence) = (
                    practice, .actualRent, Int64(300_000 + number * 1_001)
                )
                ($0.invoiceNumber, $0.evidenceDocumentIds) = ("RENT-\(number)", ["lease-\(practice)"])
                $0.periodFrom = month.firstDay
                $0.periodTo = month.firstDay
                $0.periodTo.day = 28
            }
        }
    }
}

/// Files of dispensing.
private enum DispensingRows {
    private static let bandHeader =
        "scale,effective_from,effective_to,lower,upper,value,grade,source,note\n"
    private static let header =
        "practice_code,dispensing_month,kind,prescriptions,practitioners,basic_price,vat_base,charges_collected\n"

    /// Bands of a year, the shape of the published ones.
    static func bands(from day: String) -> [UInt8] {
        var text = bandHeader
        func scale(_ name: String, width: Int, bands: Int, _ value: (Int) -> String) {
            for band in 0..<bands {
                let upper = band == bands - 1 ? "" : String((band + 1) * width)
                text += "\(name),\(day),,\(band * width + 1),\(upper),\(value(band)),X,bench,\n"
            }
        }
        scale("DISCOUNT", width: 2_000, bands: 13) { "\(3 + $0 / 2).\(10 + $0)" }
        scale("DISPENSING_FEE", width: 450, bands: 14) { "\(230 - $0 * 2).5" }
        scale("PRESCRIBING_FEE", width: 450, bands: 14) { "\(240 - $0 * 2).5" }
        return Array(text.utf8)
    }

    static func file(_ practices: [String], month: String, dispensingEvery: Int) -> [UInt8] {
        var text = header
        for (number, practice) in practices.enumerated() {
            let (spread, doctors) = (number % 800, 1 + number % 9)
            if number % dispensingEvery == 0 {
                text +=
                    "\(practice),\(month),DISPENSING,\(3_000 + spread * 7),\(doctors),\(24_000 + spread * 31).17,"
                    + "\(900 + spread).40,\(1_200 + spread).05\n"
            } else {
                text +=
                    "\(practice),\(month),PRESCRIBING,\(200 + spread),\(doctors),\(1_900 + spread * 3).28,"
                    + "\(1_500 + spread).60,\(number % 3 == 0 ? 0 : 40 + number % 50).10\n"
            }
        }
        return Array(text.utf8)
    }
}
