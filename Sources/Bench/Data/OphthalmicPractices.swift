import CommonContract
import Foundation
import HostContract
import PaymentsContract
import PluginAPI
import SwiftProtobuf

/// Ophthalmic contractors of a measured host, and the claims that their systems send.
struct OphthalmicPractices: Sendable {
    /// A day so many days before today.
    static func day(before days: Int) -> Pcs_Common_V1_Date {
        let date = Date().addingTimeInterval(-86_400 * Double(days))
        let parts = Calendar(identifier: .gregorian).dateComponents(in: .gmt, from: date)
        return .with {
            $0.year = Int32(parts.year ?? 0)
            $0.month = Int32(parts.month ?? 0)
            $0.day = Int32(parts.day ?? 0)
        }
    }

    /// Claims of a kind, each of another patient.
    enum Kind: Int, CaseIterable {
        case sightTest, singleVision, bifocal, strongBifocal, repair
    }

    private let tested = day(before: 20)
    private let signed = day(before: 10)
    private let born = Pcs_Common_V1_Date.with { ($0.year, $0.month, $0.day) = (1950, 2, 3) }

    func claim(_ kind: Kind, number: Int, of contractor: Int) -> Pcs_Payments_V1_OphthalmicClaimContents {
        .with {
            $0.reference = "\(kind.rawValue)-\(number)"
            $0.patientSurname = "Patient \(contractor) \(kind.rawValue)"
            $0.patientForenames = "Jo\(number) Ann"
            $0.patientBorn = born
            $0.eligibility = .aged60
            $0.performedOn = tested
            $0.neverTested = true
            $0.performerNumber = "01-12345"
            ($0.performerSignedOn, $0.contractorSignedOn, $0.patientSignedOn) = (signed, signed, signed)
            guard kind != .sightTest else {
                $0.form = .gos1
                return
            }
            $0.form = kind == .repair ? .gos4 : .gos3
            if kind == .repair { $0.repairReason = "frame broken in a fall" }
            $0.right = .with { $0.sphereHundredths = kind == .strongBifocal ? 1_425 : 100 }
            $0.bifocal = kind == .bifocal || kind == .strongBifocal
            $0.voucherType = kind == .bifocal ? "E" : kind == .strongBifocal ? "H" : "A"
            $0.pricePence = 30_000
            $0.prescribedOn = tested
        }
    }

    /// Registers contractors as the payments operator.
    static func register(_ contractors: [BenchRegister.Organisation], over session: HostSession) async throws
    {
        let client = Pcs_Payments_V1_OphthalmicServiceClient(session.transport)
        try await Concurrently.run(contractors) { contractor in
            _ = try await client.registerContractor(
                .with {
                    ($0.contractorCode, $0.name) = (contractor.code, "Optician \(contractor.code)")
                    $0.commissionerCode = contractor.commissioner
                    $0.committeeName = "Local Optical Committee"
                    ($0.effectiveFrom.year, $0.effectiveFrom.month, $0.effectiveFrom.day) = (2020, 1, 1)
                })
        }
    }

    /// Messages of one batch as they go over the wire, below the largest that the method takes.
    static func encoded(
        _ claims: [Pcs_Payments_V1_OphthalmicClaimContents], of contractor: String, perMessage: Int = 4_000
    ) throws -> [[UInt8]] {
        try stride(from: 0, to: claims.count, by: perMessage).map { start in
            let message = Pcs_Payments_V1_SubmitOphthalmicClaimsRequest.with {
                if start == 0 { $0.contractorCode = contractor }
                $0.claims = Array(claims[start..<min(start + perMessage, claims.count)])
            }
            return try message.serializedBytes()
        }
    }

    static func submit(_ messages: [[UInt8]], over session: HostSession, for contractor: String) async throws
        -> Pcs_Payments_V1_OphthalmicBatch
    {
        let stream = AsyncThrowingStream<[UInt8], any Error> { continuation in
            for message in messages { continuation.yield(message) }
            continuation.finish()
        }
        let reply = try await session.transport.clientStreaming(
            Pcs_Payments_V1_OphthalmicServiceMethods.submitOphthalmicClaims, stream,
            session.acting(for: contractor))
        return try Pcs_Payments_V1_OphthalmicBatch(serializedBytes: reply)
    }
}

/// A million claims in batches of the largest size, from a few practice systems at once.
struct ClaimFlood {
    struct Measured {
        let seconds: Double
        let claims: Int
        let cpuSeconds: Double
    }

    static let claims = 1_000_000
    private static let batch = 20_000
    private static let systems = 4

    static func measure(on bench: Workbench) async throws -> Measured {
        let data = try bench.newFolder("claims-\(UUID().uuidString.prefix(8))")
        defer { try? FileManager.default.removeItem(atPath: data) }
        let register = try BenchRegister(on: bench)
        let contractors = Array(register.contractors.prefix(systems))
        let host = try await HostUnderTest.start(on: bench, data: data)
        defer { host.end() }
        try await register.load(into: host)
        let payer = BenchPerson("olive", [.national(.paymentsOperator)])
        let systems = contractors.map { contractor in
            BenchPerson(
                "system." + contractor.code.lowercased(),
                [.init(role: .ophthalmicClaims, organisations: [contractor.code])])
        }
        let local = try await host.operatorSession()
        for person in [payer] + systems { try await person.register(over: local) }
        await local.close()
        let paying = try await payer.session(on: host)
        try await OphthalmicPractices.register(contractors, over: paying)
        await paying.close()
        let batches = try encoded(contractors)
        var sessions: [HostSession] = []
        for system in systems { sessions.append(try await system.session(on: host)) }
        let before = ProcessMeter.cpuNanoseconds(of: host.pid)
        let watch = Stopwatch()
        let accepted = try await withThrowingTaskGroup(of: Int.self) { group in
            for (index, contractor) in contractors.enumerated() {
                let (session, own) = (sessions[index], batches[index])
                group.addTask {
                    var accepted = 0
                    for messages in own {
                        accepted += Int(
                            try await OphthalmicPractices.submit(
                                messages, over: session, for: contractor.code
                            ).accepted)
                    }
                    return accepted
                }
            }
            return try await group.reduce(0, +)
        }
        let seconds = watch.seconds
        let cpu = Double(ProcessMeter.cpuNanoseconds(of: host.pid) - before) / 1e9
        for session in sessions { await session.close() }
        guard accepted == claims else { throw BenchError("\(accepted) of \(claims) claims were accepted") }
        return Measured(seconds: seconds, claims: accepted, cpuSeconds: cpu)
    }

    /// By contractor, the messages of each of its batches: encoded before the clock starts, since a practice system
    /// does that on a machine of its own.
    private static func encoded(_ contractors: [BenchRegister.Organisation]) throws -> [[[[UInt8]]]] {
        let practice = OphthalmicPractices()
        let batches = claims / batch
        return try contractors.indices.map { index in
            try stride(from: index, to: batches, by: systems).map { number in
                let contents = (0..<batch).map { claim in
                    practice.claim(
                        OphthalmicPractices.Kind(rawValue: claim % 5) ?? .sightTest,
                        number: number * batch + claim,
                        of: index)
                }
                return try OphthalmicPractices.encoded(contents, of: contractors[index].code)
            }
        }
    }
}
