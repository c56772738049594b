import CaseworkContract
import CommonContract
import Foundation
import HostContract
import PluginAPI

/// Loads register files that somebody dropped into a folder, each night: the ODS reports by their names, applied or
/// held as if a person had loaded them; what is held becomes a task, what is refused a message with every violation.
///
/// A file is moved out of the way when it has been dealt with: to `loaded/`, `held/` or `refused/` below the folder.
package struct RegisterFolder: Sendable {
    static let actor = "job/organisation-files"

    let path: String
    let register: OrganisationRegister
    let loader: SnapshotLoader

    package init(
        path: String, register: OrganisationRegister,
        settings: OrganisationLoadSettings = OrganisationLoadSettings()
    ) {
        self.path = path
        self.register = register
        loader = SnapshotLoader(settings: settings)
    }

    /// A file of the folder whose name says what it holds.
    struct Waiting: Sendable, Equatable {
        let name: String
        let layout: SnapshotLayout
        let publishedOn: CalendarDate
    }

    /// Names of the reports, in the order in which hardly any reference waits. Of two that begin alike the longer comes
    /// first.
    private static let reports: [(name: String, layout: SnapshotLayout)] = [
        ("commissioners", .commissioners), ("hierarchy", .hierarchy), ("etr", .trusts),
        ("epcncorepartnerdetails", .pcnMembers), ("epcn", .pcns), ("pcn", .pcns), ("epraccur", .practices),
        ("ebranchs", .branchSurgeries), ("epharmacyhq", .pharmacyHeadquarters), ("edispensary", .pharmacies),
        ("eopthq", .opticalHeadquarters), ("eoptsite", .opticalSites), ("egdpprac", .dentalPractices),
        ("payees", .nominatedPayees), ("succ", .successions),
    ]
    private static let order: [SnapshotLayout] = [
        .commissioners, .hierarchy, .trusts, .pcns, .practices, .pcnMembers, .branchSurgeries,
        .pharmacyHeadquarters, .pharmacies, .opticalHeadquarters, .opticalSites, .dentalPractices,
        .nominatedPayees, .successions,
    ]

    /// Loads what lies there. Files whose names say nothing are left where they are.
    /// - Returns: a line for the operator.
    package func run() async throws -> String {
        var counts: [Outcome: Int] = [:]
        for file in try waiting() { counts[try await load(file), default: 0] += 1 }
        return
            "\(counts[.loaded] ?? 0) files loaded, \(counts[.held] ?? 0) held, \(counts[.refused] ?? 0) refused"
    }

    func waiting() throws -> [Waiting] {
        let today = register.clock.today
        let names: [String]
        do {
            names = try FileManager.default.contentsOfDirectory(atPath: path)
        } catch {
            throw Failure(HostReasons.storageUnavailable, "The folder of register files cannot be read.")
        }
        return names.compactMap { RegisterFolder.reading(name: $0, today: today) }.sorted { left, right in
            let ranks = [left, right].map { file in RegisterFolder.order.firstIndex(of: file.layout) ?? 0 }
            return (ranks[0], left.publishedOn, left.name) < (ranks[1], right.publishedOn, right.name)
        }
    }

    /// `epraccur-2026-03-02.csv`: the report's name, and the day of publication when the name has one; else today.
    static func reading(name: String, today: CalendarDate) -> Waiting? {
        guard name.hasSuffix(".csv"), !name.hasPrefix(".") else { return nil }
        let stem = name.dropLast(4).lowercased()
        guard let report = reports.first(where: { stem.hasPrefix($0.name) }) else { return nil }
        let day = CalendarDate(iso8601: stem.suffix(10)) ?? CalendarDate(compact: stem.suffix(8)) ?? today
        return Waiting(name: name, layout: report.layout, publishedOn: min(day, today))
    }

    private enum Outcome: String { case loaded, held, refused }

    private func load(_ file: Waiting) async throws -> Outcome {
        let from = path + "/" + file.name
        let outcome: Outcome
        do {
            let bytes = try await offThePool { Array(try Data(contentsOf: URL(fileURLWithPath: from))) }
            let staged = try loader.stage(
                bytes, layout: file.layout, fileName: file.name, publishedOn: file.publishedOn,
                loadedBy: RegisterFolder.actor)
            let today = register.clock.today
            let load = try await register.store.write(actor: RegisterFolder.actor) { [loader] transaction in
                try loader.load(staged, dryRun: false, today: today, in: transaction)
            }
            if load.state == .applied { try register.load() }
            outcome = load.state == .held ? .held : .loaded
        } catch let failure as Failure where failure.reason == HostReasons.fileInvalid {
            try await register.store.write(actor: RegisterFolder.actor) { transaction in
                try RegisterFolder.tell(of: failure, file, in: transaction)
            }
            outcome = .refused
        }
        try move(file.name, to: outcome)
        return outcome
    }

    private static func tell(
        of failure: Failure, _ file: Waiting, in transaction: any Transaction
    ) throws {
        let key = "host/register-file/\(transaction.newIdentifier())"
        let lines = failure.violations.prefix(20).map {
            "row \($0.row) column \($0.column): \($0.message) [\($0.rule)]"
        }
        try transaction.publish(
            Pcs_Casework_V1_MessagePosted.with {
                $0.messageKey = key
                $0.role = .organisationDataManager
                $0.organisationCode = OrganisationRegister.operatorCode.value
                $0.title = "A file of the register was refused"
                $0.body = String(
                    ("\(file.name) breaks \(failure.violationCount) rules; nothing of it was applied.\n"
                        + lines.joined(separator: "\n")).prefix(4_000))
                $0.class = .mandatory
            }, key: key)
        transaction.audit(
            AuditNote(
                object: "register-file/\(file.name)", detail: "refused: \(failure.violationCount) violations")
        )
    }

    /// Under a name of its own, so that the next file of the same name finds its way free.
    private func move(_ name: String, to outcome: Outcome) throws {
        let folder = path + "/" + outcome.rawValue
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let stamp = register.clock.now.microsecondsSince1970
        try FileManager.default.moveItem(atPath: path + "/" + name, toPath: "\(folder)/\(stamp)-\(name)")
    }
}
