import CommonContract
import EndToEndSupport
import Foundation
import FrameClient
import HostContract
import PaymentsContract
import PluginAPI
import Testing

/// The host is ended with SIGKILL in the middle of calculating a payment run. A run is calculated entirely or not at
/// all, and calculating again gives the same bytes.
@Suite("Kills in the middle of a run", .serialized)
struct RunsSurviveKills {
    static let rounds = 20
    static let practices = 300

    @Test("after twenty kills the run is whole, the same to the byte, and approved only once")
    func twentyKills() async throws {
        let host = try LiveHost()
        let people = People()
        try host.start()
        let runID = try await people.prepare(host, practices: Self.practices)

        // What an undisturbed calculation gives, and how long it takes.
        let started = ContinuousClock.now
        let reference = try await people.calculate(runID, host, key: "reference")
        let took = ContinuousClock.now - started
        #expect(reference.lines > Int64(Self.practices))
        host.killNow()

        for round in 1...Self.rounds {
            try host.start()
            let before = try await people.run(runID, host)
            #expect(before.state == .calculated)
            #expect(before.statementsSha256 == reference.statementsSha256)
            #expect(try await people.netByPaycode(runID, host) == reference.netPence)
            let calculation = Task { try? await people.calculate(runID, host, key: "round-\(round)") }
            let microseconds = Int64(took / .microseconds(1))
            try await Task.sleep(
                for: .microseconds(microseconds * Int64((round * 7) % Self.rounds) / Int64(Self.rounds)))
            host.killNow()
            _ = await calculation.value
        }

        try host.start()
        // The last key again: done before the kill or done now, the outcome is one.
        let last = try await people.calculate(runID, host, key: "round-\(Self.rounds)")
        let again = try await people.calculate(runID, host, key: "round-\(Self.rounds)")
        #expect(last == again)
        #expect(last.statementsSha256 == reference.statementsSha256)
        #expect(last.netPence == reference.netPence)
        #expect(last.calculation <= Int32(Self.rounds) + 1)
        let operatorClient = FrameClient(
            FrameClientConfiguration(address: .unixSocket(path: host.socketPath)))
        let audit = try await Pcs_Host_V1_AuditServiceClient(operatorClient).verifyAudit(
            Pcs_Host_V1_VerifyAuditRequest())
        #expect(audit.whole)
        await operatorClient.close()
        #expect(host.stop() == 0)
        print(
            "crash: \(Self.rounds) kills in a run of \(Self.practices) practices; \(last.calculation - 1) of them after "
                + "the commit; \(last.lines) lines, the same to the byte")
    }
}

/// The people who pay, and what they do in these tests.
struct People {
    private let payer = SignedPerson("olive.operator")

    private func client(_ host: LiveHost) -> FrameClient {
        var configuration = FrameClientConfiguration(address: .tcp(host: "127.0.0.1", port: host.tcpPort))
        configuration.retry = .never
        return FrameClient(configuration)
    }

    /// Calls as the payments operator, on a connection of its own.
    private func asPayer<T: Sendable>(
        _ host: LiveHost, _ body: @Sendable (FrameClient, CallOptions) async throws -> T
    ) async throws -> T {
        let client = client(host)
        do {
            let token = try await payer.token(through: client)
            let result = try await body(client, CallOptions(accessToken: token))
            await client.close()
            return result
        } catch {
            await client.close()
            throw error
        }
    }

    /// Registers the operator, loads practices of 2019/20 and opens April 2019.
    func prepare(_ host: LiveHost, practices: Int) async throws -> String {
        let local = FrameClient(FrameClientConfiguration(address: .unixSocket(path: host.socketPath)))
        try await payer.register(roles: [Roles.paymentsOperator], through: local)
        await local.close()
        return try await asPayer(host) { client, options in
            var load = Pcs_Payments_V1_LoadPublishedYearRequest()
            load.financialYear = "2019/20"
            load.fileName = "published.csv"
            load.data = Data(try OpenData.payments2019(practices: practices).utf8)
            _ = try await Pcs_Payments_V1_PublishedYearServiceClient(client, options: options)
                .loadPublishedYear([load])
            var open = Pcs_Payments_V1_OpenRunRequest()
            open.month.year = 2019
            open.month.month = 4
            return try await Pcs_Payments_V1_RunServiceClient(client, options: options).openRun(open).runID
        }
    }

    func calculate(_ runID: String, _ host: LiveHost, key: String) async throws -> Pcs_Payments_V1_Run {
        try await asPayer(host) { client, options in
            var options = options
            options.idempotencyKey = key
            var request = Pcs_Payments_V1_CalculateRunRequest()
            request.runID = runID
            request.beforeCutOff = true
            request.reason = "Crash test"
            return try await Pcs_Payments_V1_RunServiceClient(client, options: options).calculateRun(request)
        }
    }

    func run(_ runID: String, _ host: LiveHost) async throws -> Pcs_Payments_V1_Run {
        try await asPayer(host) { client, options in
            var request = Pcs_Payments_V1_GetRunRequest()
            request.runID = runID
            return try await Pcs_Payments_V1_RunServiceClient(client, options: options).getRun(request)
        }
    }

    func netByPaycode(_ runID: String, _ host: LiveHost) async throws -> Int64 {
        try await asPayer(host) { client, options in
            var request = Pcs_Payments_V1_GetRunTotalsRequest()
            request.runID = runID
            request.dimension = .paycode
            let totals = try await Pcs_Payments_V1_RunServiceClient(client, options: options).getRunTotals(
                request
            ).totals
            return totals.map(\.netPence).reduce(0, +)
        }
    }
}
