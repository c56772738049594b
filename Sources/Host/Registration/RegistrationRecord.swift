import CommonContract
import HostContract
import PluginAPI

/// An organisation's registration as the tables hold it.
struct RegistrationRecord: Sendable {
    let organisation: ODSCode
    private(set) var standing: RegistrationStanding
    var campaignID = ""
    /// Last day of the present code.
    var expiresOn: CalendarDate?
    var holderName = ""
    var holderEmail = ""
    var mainPractice = ""

    /// One that nobody has invited yet.
    init(_ organisation: ODSCode) {
        self.organisation = organisation
        standing = .notInvited
    }

    /// From a row of the record statements.
    init?(row: any Row) throws {
        guard let code = ODSCode(row.text(0)),
            let standing = RegistrationStanding(rawValue: Int(row.integer(1)))
        else { return nil }
        organisation = code
        self.standing = standing
        campaignID = row.text(2)
        expiresOn = try row.optionalDate(3)
        holderName = row.text(4)
        holderEmail = row.text(5)
        mainPractice = row.text(6)
    }

    static func find(_ organisation: ODSCode, in reader: any Reader) throws -> RegistrationRecord {
        try reader.first(
            RegistrationTables.record, [.text(organisation.value)], RegistrationRecord.init(row:)
        )
        .flatMap { $0 } ?? RegistrationRecord(organisation)
    }

    /// As it stands on a day: a code's last day ends an invitation also before the nightly job has said so.
    func standing(on day: CalendarDate) -> RegistrationStanding {
        guard standing == .invited, let expiresOn, expiresOn < day else { return standing }
        return .expired
    }

    /// Says durably that the code's last day has passed.
    mutating func expire(reason: String, today: CalendarDate, in transaction: any Transaction) throws {
        guard standing == .invited else { return }
        try step(.expired, by: "job/registration-upkeep", reason: reason, today: today, in: transaction)
    }

    /// - Throws: `STATE_WRONG` when the step is not one that follows.
    mutating func become(
        _ next: RegistrationStanding, by person: String, reason: String, today: CalendarDate,
        in transaction: any Transaction
    ) throws {
        guard standing(on: today).mayBecome(next) else {
            throw Failure(
                HostReasons.stateWrong,
                "The registration of \(organisation) is \(standing(on: today)) and cannot become \(next).")
        }
        try step(next, by: person, reason: reason, today: today, in: transaction)
    }

    private mutating func step(
        _ next: RegistrationStanding, by person: String, reason: String, today: CalendarDate,
        in transaction: any Transaction
    ) throws {
        standing = next
        try keep(in: transaction)
        try transaction.run(
            RegistrationTables.insertStep,
            [
                .text(transaction.newIdentifier()), .text(organisation.value), .integer(next.rawValue),
                .date(today), .text(person), .text(reason),
            ])
        try transaction.publish(
            Pcs_Host_V1_RegistrationChanged.with {
                $0.organisationCode = organisation.value
                $0.state = next.message
                $0.on = Pcs_Common_V1_Date(today)
            }, key: organisation.value)
        transaction.audit(
            AuditNote(
                object: "registration/\(organisation)", organisation: organisation.value,
                detail: "\(next): \(reason)"))
    }

    /// Writes the facts beside the state.
    func keep(in transaction: any Transaction) throws {
        try transaction.run(
            RegistrationTables.putRecord,
            [
                .text(organisation.value), .integer(standing.rawValue), .text(campaignID), .date(expiresOn),
                .text(holderName), .text(holderEmail), .text(mainPractice),
            ])
    }

    func message(on day: CalendarDate, locked: Bool) -> Pcs_Host_V1_OrganisationRegistration {
        .with {
            $0.organisationCode = organisation.value
            $0.state = standing(on: day).message
            $0.campaignID = campaignID
            if let expiresOn { $0.expiresOn = Pcs_Common_V1_Date(expiresOn) }
            $0.contractHolderName = holderName
            $0.contractHolderEmail = holderEmail
            $0.mainPracticeCode = mainPractice
            $0.locked = locked
        }
    }
}

extension Pcs_Host_V1_RegistrationStep {
    /// From a row of the step statement.
    init(row: any Row) throws {
        self.init()
        state = Pcs_Host_V1_RegistrationState(rawValue: Int(row.integer(0))) ?? .unspecified
        on = Pcs_Common_V1_Date(try row.date(1))
        by = row.text(2)
        reason = row.text(3)
    }
}
