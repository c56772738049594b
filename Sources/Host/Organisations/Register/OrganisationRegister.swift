import CommonContract
import HostContract
package import Logging
package import PluginAPI
import Synchronization

/// The register of organisations: the tables in the host's database, and in memory what is known now.
///
/// Questions are answered from an immutable snapshot; a load writes the tables, and when that is durable `load()` makes
/// the next snapshot and exchanges it.
package final class OrganisationRegister: OrganisationDirectory, Sendable {
    /// The organisation that operates this host: national roles are granted here.
    package static let operatorCode: ODSCode = {
        guard let code = ODSCode("PCS") else { preconditionFailure("PCS has the form of an ODS code") }
        return code
    }()

    package static let migrations = OrganisationTables.migrations + OrganisationTables.lifeMigrations

    let store: HostStore
    let clock: any HostClock
    private let logger: Logger
    private let current: Mutex<RegisterSnapshot>
    /// Held while reading the tables, so that of two loads the later one's state stays.
    private let loading = Mutex(())

    package init(store: HostStore, clock: any HostClock, logger: Logger) {
        self.store = store
        self.clock = clock
        self.logger = logger
        current = Mutex(RegisterSnapshot(OrganisationRegister.withOperator(RegisterRows())))
    }

    /// Reads the tables into memory. Call it at start, after a restore, and after each change of the tables.
    package func load() throws {
        try loading.withLock { _ in
            let rows = OrganisationRegister.withOperator(try store.read { try RegisterRows($0) })
            let snapshot = RegisterSnapshot(rows)
            current.withLock { $0 = snapshot }
            logger.info("organisations in memory", metadata: ["organisations": "\(rows.slices.count)"])
        }
    }

    private static func withOperator(_ rows: RegisterRows) -> RegisterRows {
        var rows = rows
        rows.slices[operatorCode] = [
            OrganisationSlice(
                from: .unboundedStart, to: .unboundedEnd, kind: .national, status: .active,
                name: "Primary Care Services, operator of this host", postcode: "", town: "", openedOn: nil,
                closedOn: nil)
        ]
        return rows
    }

    var snapshot: RegisterSnapshot { current.withLock { $0 } }

    // MARK: OrganisationDirectory

    package func organisation(_ code: ODSCode, at day: CalendarDate) -> DirectoryEntry? {
        let register = snapshot
        guard let slice = register.place(of: code).flatMap({ register.slice(of: $0, at: day) }) else {
            return nil
        }
        return DirectoryEntry(
            code: code, name: slice.name, kind: slice.kind, status: slice.status, openedOn: slice.openedOn,
            closedOn: slice.closedOn, postcode: slice.postcode)
    }

    package func commissioner(of code: ODSCode, at day: CalendarDate) -> ODSCode? {
        ask(code) { $0.superior(of: $1, at: day) }
    }

    package func icb(of code: ODSCode, at day: CalendarDate) -> ODSCode? {
        ask(code) { $0.icb(of: $1, at: day) }
    }

    package func region(of code: ODSCode, at day: CalendarDate) -> ODSCode? {
        ask(code) { $0.region(of: $1, at: day) }
    }

    package func pcn(of practice: ODSCode, at day: CalendarDate) -> ODSCode? {
        ask(practice) { $0.pcn(of: $1, at: day) }
    }

    package func members(of pcn: ODSCode, at day: CalendarDate) -> [ODSCode] {
        let register = snapshot
        guard let place = register.place(of: pcn) else { return [] }
        // A practice has one PCN a day, also where the files overlap: ask it, so that both directions agree.
        return register.members[place].lazy
            .filter { $0.holds(on: day) && register.pcn(of: $0.place, at: day) == place }
            .map { register.codes[Int($0.place)] }
    }

    package func practices(commissionedBy commissioner: ODSCode, at day: CalendarDate) -> [ODSCode] {
        let register = snapshot
        guard let place = register.place(of: commissioner) else { return [] }
        return register.commissioned[place].lazy
            .filter {
                $0.holds(on: day)
                    && register.slice(of: $0.place, at: day).map {
                        $0.kind == .practice && $0.status != .inactive
                    } ?? false
            }
            .map { register.codes[Int($0.place)] }
    }

    package func successors(of code: ODSCode) -> [ODSCode] {
        let register = snapshot
        return register.place(of: code).map { register.successors(of: $0).map { register.codes[Int($0)] } }
            ?? []
    }

    package func predecessors(of code: ODSCode) -> [ODSCode] {
        let register = snapshot
        return register.place(of: code).map { register.predecessors(of: $0).map { register.codes[Int($0)] } }
            ?? []
    }

    package func payee(forPCN pcn: ODSCode, at day: CalendarDate) -> ODSCode? {
        ask(pcn) { $0.payee(of: $1, at: day) }
    }

    package func operatingOrganisation(of code: ODSCode, at day: CalendarDate) -> ODSCode? {
        ask(code) { $0.operatingOrganisation(of: $1, at: day) }
    }

    /// Address as the files stated it last. Reads the tables.
    package func address(of code: ODSCode, in reader: any Reader) throws -> StatedAddress? {
        try reader.first(
            OrganisationTables.addressOf, [.text(code.value), .date(clock.today)], StatedAddress.init(row:))
    }

    private func ask(_ code: ODSCode, _ question: (RegisterSnapshot, Int32) -> Int32?) -> ODSCode? {
        let register = snapshot
        return register.place(of: code).flatMap { question(register, $0) }.map { register.codes[Int($0)] }
    }
}

/// What the access rules ask beyond the directory that plugins see.
package protocol OrganisationClosures: Sendable {
    /// The last day before `day` on which the organisation was inactive; `nil` when it never was.
    func lastInactiveDay(of code: ODSCode, before day: CalendarDate) -> CalendarDate?
}

extension OrganisationRegister: OrganisationClosures {
    package func lastInactiveDay(of code: ODSCode, before day: CalendarDate) -> CalendarDate? {
        let register = snapshot
        guard let place = register.place(of: code) else { return nil }
        return register.slices[place].last { $0.status == .inactive && $0.from < day }.map {
            min($0.to, day.adding(days: -1))
        }
    }
}
