import CaseworkContract
import CommonContract
import PluginAPI

/// What the Host tells people about users and their roles: published in the transaction of the change itself.
enum UserMessages {
    struct Words {
        let title: String
        let body: String
    }

    /// To one person, wherever they are.
    static func tell(
        person: String, _ words: Words, about record: String, at organisation: String = "", key: String,
        in transaction: any Transaction
    ) throws {
        var message = Self.message(words, about: record, at: organisation, key: key)
        message.personID = person
        try transaction.publish(message, key: key)
    }

    /// To everybody who holds a role at an organisation.
    static func tell(
        role: Role, at organisation: String, _ words: Words, about record: String, key: String,
        in transaction: any Transaction
    ) throws {
        var message = Self.message(words, about: record, at: organisation, key: key)
        message.role = WantedGrant.role(named: role.name)
        message.organisationCode = organisation
        try transaction.publish(message, key: key)
    }

    private static func message(_ words: Words, about record: String, at organisation: String, key: String)
        -> Pcs_Casework_V1_MessagePosted
    {
        .with {
            $0.messageKey = key
            $0.title = words.title
            $0.body = words.body
            // Access is a matter of security: such messages cannot be switched off.
            $0.class = .mandatory
            $0.record = .with {
                $0.area = "host"
                $0.kind = String(record.prefix { $0 != "/" })
                $0.recordID = String(record.drop { $0 != "/" }.dropFirst())
                $0.organisationCode = organisation
            }
        }
    }
}
