import Foundation
package import HostContract
package import PaymentsContract
package import PluginAPI
package import SwiftProtobuf

/// An open connection to a host, and who calls over it. The access token lives in memory only.
package final class Session: Sendable {
    package let transport: any CallTransport
    /// Of every call: who calls, for whom, for how long.
    package let options: CallOptions
    package let settings: ClientSettings
    package let terminal: Terminal
    private let connection: HostConnection

    private init(
        connection: HostConnection, options: CallOptions, settings: ClientSettings, terminal: Terminal
    ) {
        self.connection = connection
        transport = connection.transport
        self.options = options
        self.settings = settings
        self.terminal = terminal
    }

    /// Connects, and gets a token when a person or system is named.
    package static func open(_ settings: ClientSettings, terminal: Terminal = .standardOutput) async throws
        -> Session
    {
        let connection = try await HostConnection.open(settings)
        var options = CallOptions(
            timeoutMilliseconds: settings.timeoutMilliseconds, actingFor: settings.actingFor)
        do {
            if let subject = settings.subject {
                options.accessToken = try await token(for: subject, settings, connection.transport)
            } else {
                options.accessToken = try keptToken(settings)
            }
        } catch {
            await connection.close()
            throw error
        }
        return Session(connection: connection, options: options, settings: settings, terminal: terminal)
    }

    package func close() async { await connection.close() }

    /// The token of a variable, or of a session that was opened at this host.
    private static func keptToken(_ settings: ClientSettings) throws -> String? {
        if let token = settings.token { return token }
        guard let folder = settings.sessions else { return nil }
        let address = SessionFolder.place(settings.address)
        guard let name = settings.sessionName else {
            let kept = try folder.session(SessionFolder.usualName)
            return kept.flatMap { $0.address == address ? $0.accessToken : nil }
        }
        guard let kept = try folder.session(name), kept.address == address else {
            throw CommandError(
                .denied, "there is no session \(name) at \(settings.address)",
                nextStep: "Log in with: pcs user login E-MAIL --session \(name)")
        }
        return kept.accessToken
    }

    private static func token(
        for subject: String, _ settings: ClientSettings, _ transport: any CallTransport
    ) async throws -> String {
        let key = try settings.keys.key(of: subject)
        var request = Pcs_Host_V1_IssueTokenRequest()
        request.clientAssertion = try key.assertion(
            subject: subject, audience: settings.audience,
            secondsSince1970: Int64(Date().timeIntervalSince1970),
            identifier: UUID().uuidString)
        return try await Pcs_Host_V1_IdentityServiceClient(transport).issueToken(request).accessToken
    }

    /// Options of one call that changes state: with a key of its own, so that sending it again after a broken
    /// connection cannot do it twice.
    package func change() -> CallOptions {
        var options = options
        options.idempotencyKey = UUID().uuidString
        return options
    }

    // MARK: Services

    package var plugins: Pcs_Host_V1_PluginServiceClient { .init(transport, options: options) }
    package var health: Pcs_Host_V1_HealthServiceClient { .init(transport, options: options) }
    package var reflection: Pcs_Host_V1_ReflectionServiceClient { .init(transport, options: options) }
    package var events: Pcs_Host_V1_EventServiceClient { .init(transport, options: options) }
    package var audit: Pcs_Host_V1_AuditServiceClient { .init(transport, options: options) }
    package var backups: Pcs_Host_V1_BackupServiceClient { .init(transport, options: options) }
    package var jobs: Pcs_Host_V1_JobServiceClient { .init(transport, options: options) }
    package var identity: Pcs_Host_V1_IdentityServiceClient { .init(transport, options: options) }
    package var organisations: Pcs_Host_V1_OrganisationServiceClient { .init(transport, options: options) }
    package var contracts: Pcs_Payments_V1_ContractServiceClient { .init(transport, options: options) }
    package var capitation: Pcs_Payments_V1_CapitationServiceClient { .init(transport, options: options) }
    package var published: Pcs_Payments_V1_PublishedYearServiceClient { .init(transport, options: options) }
    package var rates: Pcs_Payments_V1_ReferenceDataServiceClient { .init(transport, options: options) }
    package var runs: Pcs_Payments_V1_RunServiceClient { .init(transport, options: options) }
    package var qualityFigures: Pcs_Payments_V1_QualityFiguresServiceClient { .init(transport, options: options) }
    package var additionalRoles: Pcs_Payments_V1_AdditionalRolesServiceClient { .init(transport, options: options) }
    package var statements: Pcs_Payments_V1_StatementServiceClient { .init(transport, options: options) }

    // MARK: Printing

    /// One record: as JSON, or as `text` draws it.
    package func show(_ message: some Message, _ text: (Terminal) -> String) throws {
        switch settings.output {
        case .json: Console.out(try ContractJSON.json(message).pretty)
        case .table:
            let drawn = text(terminal)
            if !drawn.isEmpty { Console.out(drawn) }
        }
    }

    /// Records of a stream: one JSON object a line as they come, or a table once all are there.
    ///
    /// - Parameter nothing: said instead of an empty table.
    package func showEach<Row: Message>(
        _ rows: AsyncThrowingStream<Row, any Error>, _ empty: Table, nothing: String,
        _ cells: (Row) -> [Table.Cell]
    ) async throws {
        var table = empty
        for try await row in rows {
            switch settings.output {
            case .json: Console.out(try ContractJSON.json(row).compact)
            case .table: table.add(cells(row))
            }
        }
        if settings.output == .table { Console.out(table.isEmpty ? nothing : table.rendered(for: terminal)) }
    }

    /// Something worth knowing that is no result: standard error, in table output only.
    package func note(_ text: String) {
        if settings.output == .table { Console.error(text) }
    }
}
