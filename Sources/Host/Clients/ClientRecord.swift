import CommonContract
import HostContract
import PluginAPI

/// A system as the tables hold it.
struct ClientRecord: Sendable {
    let id: String
    let name: String
    var purpose: String
    var owner: String
    var scopes: [String]
    var certificateURI: String?
    var isActive: Bool
    var organisation: String
    var networks: [String]
    /// Last day on which it is let in.
    var expiresOn: CalendarDate?
    var certificateExpiresOn: CalendarDate?
    let registeredAt: Instant
    var lastUsedAt: Instant?
    var disabledBecause: String

    /// From a row of the client statements.
    init(row: any Row) throws {
        id = row.text(0)
        name = row.text(1)
        purpose = row.text(2)
        owner = row.text(3)
        scopes = row.text(4).split(separator: "\n").map(String.init)
        certificateURI = row.optionalText(5)
        isActive = row.bool(6)
        organisation = row.text(7)
        networks = row.text(8).split(separator: "\n").map(String.init)
        expiresOn = try row.optionalDate(9)
        certificateExpiresOn = try row.optionalDate(10)
        registeredAt = row.instant(11)
        lastUsedAt = row.isNull(12) ? nil : row.instant(12)
        disabledBecause = row.text(13)
    }

    static func find(_ id: String, in reader: any Reader) throws -> ClientRecord {
        guard let found = try reader.first(ClientTables.client, [.text(id)], ClientRecord.init(row:)) else {
            throw Failure(HostReasons.notFound, "There is no client '\(id.prefix(64))'.")
        }
        return found
    }

    var terms: ClientAdmission.Terms {
        ClientAdmission.Terms(
            networks: networks.compactMap { Network($0) },
            endsAt: expiresOn.map { LondonTime.instant(on: $0.adding(days: 1), hour: 0, minute: 0) })
    }

    func keep(in transaction: any Transaction) throws {
        try transaction.run(
            ClientTables.putRecord,
            [
                .text(id), .text(organisation), .text(networks.joined(separator: "\n")), .date(expiresOn),
                .date(certificateExpiresOn), .instant(registeredAt),
                .optional(lastUsedAt?.microsecondsSince1970), .text(disabledBecause),
            ])
    }

    func message(in reader: any Reader) throws -> Pcs_Host_V1_SystemClient {
        let keys = try reader.all(ClientTables.keys, [.text(id)]) { row in
            Pcs_Host_V1_ClientKey.with {
                $0.keyID = row.text(0)
                $0.algorithm = row.text(1)
                $0.revoked = !row.isNull(2)
                $0.retiresAtSeconds = row.isNull(3) ? 0 : row.instant(3).microsecondsSince1970 / 1_000_000
            }
        }
        return .with {
            $0.clientID = id
            $0.name = name
            $0.organisationCode = organisation
            $0.owner = owner
            $0.purpose = purpose
            $0.scopes = scopes
            $0.allowedNetworks = networks
            if let expiresOn { $0.expiresOn = Pcs_Common_V1_Date(expiresOn) }
            $0.certificateUri = certificateURI ?? ""
            if let certificateExpiresOn { $0.certificateExpiresOn = Pcs_Common_V1_Date(certificateExpiresOn) }
            $0.state = isActive ? .active : .disabled
            $0.disabledBecause = isActive ? "" : disabledBecause
            if let lastUsedAt { $0.lastUsedOn = Pcs_Common_V1_Date(LondonTime.day(at: lastUsedAt)) }
            $0.keys = keys
        }
    }
}
