import CommonContract
import HostContract
import PluginAPI

/// Makes codes and the letters that carry them.
struct LetterWriter: Sendable {
    /// A letter before it is written out; the only place, beside the stream, where a code stands.
    struct Letter: Sendable {
        let organisation: ODSCode
        var name = ""
        var address = StatedAddress(lines: [], postcode: "")
        var code: RegistrationCode?
        var expiresOn: CalendarDate?
        var email = ""
        var notIssuedBecause = ""
    }

    let register: OrganisationRegister
    let rules: RegistrationRules
    let template: LetterTemplate
    let today: CalendarDate

    /// Issues a code in place of any earlier one, unless the organisation cannot have one.
    /// - Parameters:
    ///   - campaign: decides how long it is valid; `nil` = the usual days.
    ///   - byEmail: then no postal address is needed.
    func issue(
        to organisation: ODSCode, of campaign: Pcs_Host_V1_RegistrationCampaign?, by author: String,
        reason: String, byEmail: Bool = false, in transaction: any Transaction
    ) throws -> Letter {
        var letter = Letter(organisation: organisation)
        var record = try RegistrationRecord.find(organisation, in: transaction)
        let entry = register.organisation(organisation, at: today)
        let address = try register.address(of: organisation, in: transaction)
        letter.name = entry?.name ?? ""
        if let obstacle = obstacle(record, entry, address, byEmail: byEmail) {
            letter.notIssuedBecause = obstacle
            return letter
        }
        let expiresOn = expiry(campaign)
        guard expiresOn >= today else {
            letter.notIssuedBecause = "codes of the campaign ended on \(expiresOn)"
            return letter
        }
        let code = RegistrationCode.random()
        try IssuedCode.issue(
            code, salt: RegistrationCode.salt(), for: organisation, expiresOn: expiresOn, by: author,
            in: transaction)
        record.expiresOn = expiresOn
        if let campaign { record.campaignID = campaign.campaignID }
        try record.become(.invited, by: author, reason: reason, today: today, in: transaction)
        letter.address = address ?? letter.address
        letter.code = code
        letter.expiresOn = expiresOn
        return letter
    }

    private func obstacle(
        _ record: RegistrationRecord, _ entry: DirectoryEntry?, _ address: StatedAddress?, byEmail: Bool
    ) -> String? {
        guard let entry else { return "it is not in the register" }
        guard entry.status != .inactive else { return "it has closed" }
        switch record.standing(on: today) {
        case .registered, .suspended: return "it is registered already"
        case .codeAccepted: return "its code was accepted already"
        case .notInvited, .invited, .expired, .closed, .revoked: break
        }
        guard byEmail || address?.isPostal ?? false else { return "the register has no postal address" }
        return nil
    }

    private func expiry(_ campaign: Pcs_Host_V1_RegistrationCampaign?) -> CalendarDate {
        if let campaign, campaign.hasExpiresOn, let day = campaign.expiresOn.calendarDate { return day }
        return today.adding(days: campaign.map { Int($0.validDays) } ?? rules[.codeValidDays])
    }

    func message(_ letter: Letter) -> Pcs_Host_V1_RegistrationLetter {
        .with {
            $0.organisationCode = letter.organisation.value
            $0.notIssuedBecause = letter.notIssuedBecause
            $0.email = letter.email
            guard let code = letter.code, let expiresOn = letter.expiresOn else { return }
            $0.fileName = "\(letter.organisation)-registration.txt"
            $0.expiresOn = Pcs_Common_V1_Date(expiresOn)
            let lines =
                letter.email.isEmpty ? letter.address.lines + [letter.address.postcode] : [letter.email]
            $0.text = template.letter([
                .organisationName: letter.name, .address: lines.joined(separator: "\n"), .date: today.inWords,
                .organisationCode: letter.organisation.value, .code: code.grouped,
                .expiresOn: expiresOn.inWords,
            ])
        }
    }
}
