import CommonContract
import HostContract
import PluginAPI

/// Checks of fields that only systems have.
enum ClientFields {
    /// Longest life of a registration; then somebody looks at it again.
    static let longestDays = 731

    static func networks(_ texts: [String]) throws -> [String] {
        guard texts.count <= 64 else {
            throw Failure.invalid("allowed_networks", "client.networks", "At most 64 networks.")
        }
        for (index, text) in texts.enumerated() where Network(text) == nil {
            throw Failure.invalid(
                "allowed_networks[\(index)]", "client.network",
                "CIDR notation without bits behind the prefix, for example 10.20.0.0/16 or 2001:db8::/32.")
        }
        return texts
    }

    static func organisation(
        _ text: String, register: OrganisationRegister, today: CalendarDate
    ) throws -> ODSCode {
        let code = try FieldCheck.code(text, "organisation_code")
        guard let entry = register.organisation(code, at: today), entry.status != .inactive else {
            throw Failure.invalid(
                "organisation_code", "client.organisation", "\(code) is unknown to the register or closed.")
        }
        return code
    }

    static func expiry(_ message: Pcs_Common_V1_Date, today: CalendarDate) throws -> CalendarDate {
        let day = try FieldCheck.day(message, "expires_on")
        guard day >= today, day <= today.adding(days: longestDays) else {
            throw Failure.invalid(
                "expires_on", "client.expiry", "A day from today to two years ahead.")
        }
        return day
    }

    /// A certificate's name is one client's.
    static func requireFree(_ uri: String, for client: String, in reader: any Reader) throws {
        let holder = try reader.first(IdentityTables.subjectByCertificate, [.text(uri)], { $0.text(0) })
        guard holder == nil || holder == client else {
            throw Failure(
                HostReasons.alreadyExists, "Another client has this certificate name.",
                violations: [
                    Violation(
                        field: "certificate_pem", rule: "certificate.unique",
                        message: "Another client has this name.")
                ])
        }
    }
}
