import CommonContract
import EndToEndSupport
import Foundation
import FrameClient
import HostContract
import PaymentsContract
import PluginAPI

/// One payments operator with a key, and what the tests need of them.
struct PaymentsPeople: Sendable {
    private let payer = SignedPerson("olive.operator")

    func register(_ host: LiveHost) async throws {
        let local = FrameClient(FrameClientConfiguration(address: .unixSocket(path: host.socketPath)))
        try await payer.register(roles: [Roles.paymentsOperator], through: local)
        await local.close()
    }

    /// Calls as the payments operator, never sending again by itself.
    func asPayer<T: Sendable>(
        _ host: LiveHost, _ body: @Sendable (FrameClient, CallOptions) async throws -> T
    ) async throws -> T {
        var configuration = FrameClientConfiguration(address: .tcp(host: "127.0.0.1", port: host.tcpPort))
        configuration.retry = .never
        let client = FrameClient(configuration)
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

    func loadPublished(_ host: LiveHost, practices: Int) async throws {
        let text = try OpenData.payments2019(practices: practices)
        try await asPayer(host) { client, options in
            var load = Pcs_Payments_V1_LoadPublishedYearRequest()
            load.financialYear = "2019/20"
            load.fileName = "published.csv"
            load.data = Data(text.utf8)
            _ = try await Pcs_Payments_V1_PublishedYearServiceClient(client, options: options)
                .loadPublishedYear([load])
        }
    }

    func practiceCodes(_ host: LiveHost) async throws -> [String] {
        try await asPayer(host) { client, options in
            var request = Pcs_Payments_V1_ListContractsRequest()
            request.at.year = 2019
            request.at.month = 4
            request.at.day = 1
            var codes: [String] = []
            for try await contract in try await Pcs_Payments_V1_ContractServiceClient(
                client, options: options
            )
            .listContracts(request) {
                codes.append(contract.practiceCode)
            }
            return codes
        }
    }
}
