import ArgumentParser
import Foundation
package import PaymentsContract

struct PaymentsLoadCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "load",
        abstract: "Load contracts, lists, a published year or reference data; .gz is taken as it is.",
        discussion:
            "A file is applied whole, or refused with every broken row. The same file again changes nothing.",
        subcommands: [Contracts.self, Capitation.self, Year.self, Rates.self])

    struct Contracts: ClientCommand {
        static let configuration = CommandConfiguration(
            abstract: "Contracts of practices, effective-dated (CSV).")
        @Argument(help: "CSV file.") var file: String
        @Flag(help: "Validate and report, and change nothing.") var dryRun = false
        @OptionGroup(title: "Connection") var connection: ConnectionOptions

        func run(_ session: Session) async throws {
            let upload = try UploadFile(path: file)
            let progress = ProgressBar(upload.name)
            defer { progress.finish() }
            let messages = upload.messages(progress: progress) { [dryRun, name = upload.name] piece in
                var first = Pcs_Payments_V1_LoadContractsRequest()
                first.fileName = name
                first.dryRun = dryRun
                first.data = Data(piece)
                return first
            } rest: { piece in
                var next = Pcs_Payments_V1_LoadContractsRequest()
                next.data = Data(piece)
                return next
            }
            let reply = try await session.contracts.loadContracts(messages, options: session.change())
            progress.finish()
            try session.show(reply) { PaymentsLoadView.sheet(reply).rendered(for: $0) }
        }
    }

    struct Capitation: ClientCommand {
        static let configuration = CommandConfiguration(
            abstract: "Registered and weighted lists of one quarter (CSV).")
        @Argument(help: "CSV file: practice_code, registered_patients, weighted_patients, london_patients.")
        var file: String
        @Option(help: "Quarter day, YYYY-MM-DD: 1 January, April, July or October.") var quarter: DayArgument
        @Flag(help: "Validate and report, and change nothing.") var dryRun = false
        @OptionGroup(title: "Connection") var connection: ConnectionOptions

        func run(_ session: Session) async throws {
            let upload = try UploadFile(path: file)
            let progress = ProgressBar(upload.name)
            defer { progress.finish() }
            let messages = upload.messages(progress: progress) {
                [dryRun, day = quarter.message, name = upload.name] piece in
                var first = Pcs_Payments_V1_LoadCapitationRequest()
                first.fileName = name
                first.quarterDay = day
                first.dryRun = dryRun
                first.data = Data(piece)
                return first
            } rest: { piece in
                var next = Pcs_Payments_V1_LoadCapitationRequest()
                next.data = Data(piece)
                return next
            }
            let reply = try await session.capitation.loadCapitation(messages, options: session.change())
            progress.finish()
            try session.show(reply) { PaymentsLoadView.sheet(reply).rendered(for: $0) }
        }
    }

    struct Year: ClientCommand {
        static let configuration = CommandConfiguration(
            abstract:
                "The official file \"NHS Payments to General Practice\" as contracts and lists of its year.")
        @Argument(help: "CSV file.") var file: String
        @Option(help: "Financial year, for example 2019/20.") var year: String
        @Flag(help: "Validate and report, and change nothing.") var dryRun = false
        @OptionGroup(title: "Connection") var connection: ConnectionOptions

        func run(_ session: Session) async throws {
            let reply = try await PublishedYearUpload.load(file, year: year, dryRun: dryRun, session)
            try session.show(reply) { PaymentsLoadView.sheet(reply).rendered(for: $0) }
        }
    }

    struct Rates: ClientCommand {
        static let configuration = CommandConfiguration(
            abstract:
                "Propose rates, or with --kind other reference data (CSV). Another person approves: "
                + "pcs payments rates decide."
        )
        @Argument(help: "CSV file.") var file: String
        @Option(help: "What the file holds.") var kind = Choice(Pcs_Payments_V1_ReferenceKind.rates)
        @Option(help: "Why; kept for the auditor.") var reason: String
        @OptionGroup(title: "Connection") var connection: ConnectionOptions

        func run(_ session: Session) async throws {
            let upload = try UploadFile(path: file)
            let progress = ProgressBar(upload.name)
            defer { progress.finish() }
            let messages = upload.messages(progress: progress) {
                [kind = kind.value, reason, name = upload.name] piece in
                var first = Pcs_Payments_V1_ProposeRatesRequest()
                first.kind = kind
                first.reason = reason
                first.fileName = name
                first.data = Data(piece)
                return first
            } rest: { piece in
                var next = Pcs_Payments_V1_ProposeRatesRequest()
                next.data = Data(piece)
                return next
            }
            let reply = try await session.rates.proposeRates(messages, options: session.change())
            progress.finish()
            try session.show(reply) { RatesView.sets([reply]).rendered(for: $0) }
        }
    }
}

/// Sends the official file of a year.
package enum PublishedYearUpload {
    package static func load(
        _ file: String, year: String, dryRun: Bool = false, _ session: Session
    ) async throws -> Pcs_Payments_V1_PublishedYearLoad {
        let upload = try UploadFile(path: file)
        let progress = ProgressBar(upload.name)
        defer { progress.finish() }
        let messages = upload.messages(progress: progress) { [name = upload.name] piece in
            var first = Pcs_Payments_V1_LoadPublishedYearRequest()
            first.financialYear = year
            first.fileName = name
            first.dryRun = dryRun
            first.data = Data(piece)
            return first
        } rest: { piece in
            var next = Pcs_Payments_V1_LoadPublishedYearRequest()
            next.data = Data(piece)
            return next
        }
        return try await session.published.loadPublishedYear(messages, options: session.change())
    }
}
