import PluginAPI

extension HostCore {
    /// What is done for the register, registrations and systems by the clock.
    static func careOfOrganisations(
        _ register: OrganisationRegister, _ identity: IdentityRegistry, folder: String?
    ) -> [ScheduledJob] {
        let calendar = OrganisationCalendar(register: register)
        let registrations = RegistrationUpkeep(register: register)
        let clients = ClientUpkeep(identity: identity)
        var jobs = [
            ScheduledJob(name: "organisation-calendar", schedule: .daily(hour: 0, minute: 5)) {
                try await calendar.run()
            },
            ScheduledJob(name: "registration-upkeep", schedule: .daily(hour: 0, minute: 15)) {
                try await registrations.run()
            },
            ScheduledJob(name: "client-upkeep", schedule: .daily(hour: 1, minute: 20)) {
                try await clients.run()
            },
            ScheduledJob(name: "retire-client-keys", schedule: .every(seconds: 60)) {
                try await clients.retireKeys()
            },
        ]
        if let folder {
            // The national reports are made anew at two (identity-and-organisations.md 3).
            let files = RegisterFolder(path: folder, register: register)
            jobs.append(
                ScheduledJob(name: "organisation-files", schedule: .daily(hour: 2, minute: 30)) {
                    try await files.run()
                })
        }
        return jobs
    }
}
