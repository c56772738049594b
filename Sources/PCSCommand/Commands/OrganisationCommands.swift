import ArgumentParser
import HostContract

struct OrganisationCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "org",
        abstract: "The register of organisations: load it, look things up, register organisations.",
        subcommands: [
            Load.self, Show.self, List.self, Loads.self, Differences.self, Decide.self,
            RegistrationCommand.self,
            LocalOrganisationCommand.self, PayeeCommand.self,
        ])

    struct Load: ClientCommand {
        static let configuration = CommandConfiguration(
            abstract: "Load ODS files, or all known ones of a folder; .gz is taken as it is.",
            discussion: """
                The kind of a file follows from its name (epraccur, epcncorepartnerdetails, pcn, commissioners, \
                hierarchy, edispensary) unless --kind says it. Each file is one snapshot: applied whole, held for a \
                decision when it closes or lacks too many, or refused with every broken row.
                """)
        @Argument(help: "Files or folders.") var paths: [String]
        @Option(help: "What the files hold.") var kind: Choice<Pcs_Host_V1_SnapshotKind>?
        @Option(help: "Day on which the publisher made the snapshot, YYYY-MM-DD.") var publishedOn:
            DayArgument
        @Flag(help: "Validate and report, and change nothing.") var dryRun = false
        @OptionGroup(title: "Connection") var connection: ConnectionOptions

        func run(_ session: Session) async throws {
            let files = try SnapshotFiles.find(paths, kind: kind?.value)
            var loads: [Pcs_Host_V1_SnapshotLoad] = []
            for file in files {
                let load = try await SnapshotFiles.load(
                    file, publishedOn: publishedOn.message, dryRun: dryRun, session)
                loads.append(load)
                if session.settings.output == .json { try session.show(load) { _ in "" } }
            }
            if session.settings.output == .table {
                Console.out(OrganisationView.table(loads).rendered(for: session.terminal))
                for load in loads where load.state == .held {
                    session.note("held: \(load.heldBecause)")
                    session.note(
                        "  look: pcs org diff \(load.loadID)\n  decide, as another person: "
                            + "pcs org decide \(load.loadID) --apply --reason ..."
                    )
                }
            }
        }
    }

    struct Show: ClientCommand {
        static let configuration = CommandConfiguration(
            abstract: "One organisation as at a day, with its parents, memberships and successions.")
        @Argument(help: "ODS code.") var code: String
        @Option(help: "Day on which it is asked to be true, YYYY-MM-DD. Default: today.") var at: DayArgument?
        @Option(help: "What was known on that day, YYYY-MM-DD. Default: now.") var knownOn: DayArgument?
        @OptionGroup(title: "Connection") var connection: ConnectionOptions

        func run(_ session: Session) async throws {
            var request = Pcs_Host_V1_GetOrganisationRequest()
            request.code = code.uppercased()
            if let at { request.at = at.message }
            if let knownOn { request.knownOn = knownOn.message }
            let reply = try await session.organisations.getOrganisation(request)
            try session.show(reply) { OrganisationView.sheet(reply).rendered(for: $0) }
        }
    }

    struct List: ClientCommand {
        static let configuration = CommandConfiguration(
            abstract: "Organisations below another: practices of a Sub ICB Location, members of a PCN, ...")
        @Argument(help: "ODS code of the organisation above.") var parent: String
        @Option(help: "Kind wanted. Default: all directly below.") var kind:
            Choice<Pcs_Host_V1_OrganisationKind>?
        @Option(help: "Day, YYYY-MM-DD. Default: today.") var at: DayArgument?
        @OptionGroup(title: "Connection") var connection: ConnectionOptions

        func run(_ session: Session) async throws {
            var request = Pcs_Host_V1_ListOrganisationsRequest()
            request.parentCode = parent.uppercased()
            if let kind { request.kind = kind.value }
            if let at { request.at = at.message }
            let rows = try await session.organisations.listOrganisations(request)
            try await session.showEach(
                rows, OrganisationView.emptyTable,
                nothing: "nothing stands below \(request.parentCode) on that day",
                OrganisationView.cells)
        }
    }

    struct Loads: ClientCommand {
        static let configuration = CommandConfiguration(abstract: "All snapshots that were loaded.")
        @OptionGroup(title: "Connection") var connection: ConnectionOptions

        func run(_ session: Session) async throws {
            let reply = try await session.organisations.listSnapshotLoads(.init())
            try session.show(reply) { OrganisationView.table(reply.loads).rendered(for: $0) }
        }
    }

    struct Differences: ClientCommand {
        static let configuration = CommandConfiguration(
            commandName: "diff", abstract: "What one load changed, row by row.")
        @Argument(help: "Id of the load.") var load: String
        @OptionGroup(title: "Connection") var connection: ConnectionOptions

        func run(_ session: Session) async throws {
            var request = Pcs_Host_V1_GetSnapshotDifferencesRequest()
            request.loadID = load
            let rows = try await session.organisations.getSnapshotDifferences(request)
            let table = Table([
                .left("code"), .left("what"), .left("column"), .left("before", mayShorten: true),
                .left("after", mayShorten: true),
            ])
            try await session.showEach(rows, table, nothing: "the load changed nothing") { row in
                [
                    Table.Cell(row.code, style: .bold), Table.Cell(EnumWords.words(row.kind)),
                    Table.Cell(row.subject),
                    Table.Cell(row.before), Table.Cell(row.after),
                ]
            }
        }
    }

    struct Decide: ClientCommand {
        static let configuration = CommandConfiguration(
            abstract: "Apply or discard a held load. Not by the person who loaded it.")
        @Argument(help: "Id of the load.") var load: String
        @Flag(help: "Apply it.") var apply = false
        @Flag(help: "Discard it.") var discard = false
        @Option(help: "Why; kept for the auditor.") var reason: String
        @OptionGroup(title: "Connection") var connection: ConnectionOptions

        func validate() throws {
            if apply == discard { throw ValidationError("Say one of --apply and --discard.") }
        }

        func run(_ session: Session) async throws {
            var request = Pcs_Host_V1_DecideHeldSnapshotRequest()
            request.loadID = load
            request.apply = apply
            request.reason = reason
            let reply = try await session.organisations.decideHeldSnapshot(request, options: session.change())
            try session.show(reply) { OrganisationView.table([reply]).rendered(for: $0) }
        }
    }
}
