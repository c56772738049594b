import PluginAPI

/// What happens to registrations by themselves, each night: codes whose last day has passed, organisations that closed.
package struct RegistrationUpkeep: Sendable {
    private let register: OrganisationRegister

    package init(register: OrganisationRegister) { self.register = register }

    /// The host runs it as a job.
    /// - Returns: a line for the operator.
    package func run() async throws -> String {
        let today = register.clock.today
        var expired = 0
        while true {
            let batch = try await register.store.write(actor: "job/registration-upkeep") { transaction in
                let overdue = try transaction.all(
                    RegistrationTables.overdue, [.date(today)], RegistrationRecord.init(row:)
                ).compactMap { $0 }
                for var record in overdue { try RegistrationUpkeep.expire(&record, today, in: transaction) }
                return overdue.count
            }
            expired += batch
            if batch < 1_000 { break }
        }
        let closed = try await closeThoseOfClosedOrganisations(today)
        return "\(expired) codes expired, \(closed) registrations closed with their organisations"
    }

    private static func expire(
        _ record: inout RegistrationRecord, _ today: CalendarDate, in transaction: any Transaction
    ) throws {
        let day = record.expiresOn.map { "\($0)" } ?? ""
        try record.expire(reason: "the code's last day was \(day)", today: today, in: transaction)
    }

    private func closeThoseOfClosedOrganisations(_ today: CalendarDate) async throws -> Int {
        let open = try register.store.read { reader in
            try reader.all(RegistrationTables.open, [], RegistrationRecord.init(row:))
        }.compactMap { $0?.organisation }
        let gone = open.filter { register.organisation($0, at: today)?.status == .inactive }
        guard !gone.isEmpty else { return 0 }
        return try await register.store.write(actor: "job/registration-upkeep") { transaction in
            for code in gone {
                var record = try RegistrationRecord.find(code, in: transaction)
                guard record.standing(on: today).mayBecome(.closed) else { continue }
                try record.become(
                    .closed, by: "job/registration-upkeep", reason: "the organisation has closed",
                    today: today,
                    in: transaction)
                try IssuedCode.endAll(of: code, because: "closed", in: transaction)
            }
            return gone.count
        }
    }
}
