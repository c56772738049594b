import CommonContract
import HostContract
import PluginAPI

/// A campaign as asked for, with the organisations that it chooses.
struct WantedCampaign: Sendable {
    let name: String
    let validDays: Int
    let expiresOn: CalendarDate?
    let organisations: [ODSCode]
    let reason: String

    /// Organisations of one campaign at most.
    static let most = 50_000

    init(
        _ request: Pcs_Host_V1_CreateCampaignRequest, register: OrganisationRegister,
        rules: RegistrationRules,
        today: CalendarDate
    ) throws {
        name = try FieldCheck.text(request.name, "name", 3...100)
        try FieldCheck.reason(request.reason)
        reason = request.reason
        guard (0...366).contains(request.validDays) else {
            throw Failure.invalid("valid_days", "campaign.valid_days", "1 to 366 days.")
        }
        guard request.validDays == 0 || !request.hasExpiresOn else {
            throw Failure.invalid(
                "expires_on", "campaign.expiry", "Days of validity or a fixed day, not both.")
        }
        validDays = request.validDays == 0 ? rules[.codeValidDays] : Int(request.validDays)
        expiresOn = try request.hasExpiresOn ? FieldCheck.day(request.expiresOn, "expires_on") : nil
        if let expiresOn, expiresOn < today || expiresOn > today.adding(days: 366) {
            throw Failure.invalid("expires_on", "campaign.expiry", "A day from today to 366 days ahead.")
        }
        var chosen = try WantedCampaign.listed(request, register, today)
        chosen.formUnion(try WantedCampaign.found(request, register, today))
        guard (1...WantedCampaign.most).contains(chosen.count) else {
            throw Failure.invalid(
                "kinds", "campaign.organisations",
                "It chooses \(chosen.count) organisations; 1 to \(WantedCampaign.most) are possible.")
        }
        organisations = chosen.sorted()
    }

    private static func listed(
        _ request: Pcs_Host_V1_CreateCampaignRequest, _ register: OrganisationRegister, _ today: CalendarDate
    ) throws -> Set<ODSCode> {
        var chosen: Set<ODSCode> = []
        for (index, text) in request.organisationCodes.enumerated() {
            let field = "organisation_codes[\(index)]"
            let code = try FieldCheck.code(text, field)
            guard let entry = register.organisation(code, at: today), entry.status != .inactive else {
                throw Failure.invalid(field, "campaign.organisation", "\(code) is unknown or closed.")
            }
            chosen.insert(code)
        }
        return chosen
    }

    private static func found(
        _ request: Pcs_Host_V1_CreateCampaignRequest, _ register: OrganisationRegister, _ today: CalendarDate
    ) throws -> Set<ODSCode> {
        let kinds = try Set(
            request.kinds.enumerated().map { index, kind in
                guard let kind = OrganisationKind(rawValue: kind.rawValue), kind != .national else {
                    throw Failure.invalid(
                        "kinds[\(index)]", "organisation.kind", "There is no such kind to invite.")
                }
                return kind
            })
        let snapshot = register.snapshot
        guard !kinds.isEmpty else {
            guard request.commissionerCode.isEmpty else {
                throw Failure.invalid("kinds", "campaign.kinds", "Say which kinds below the commissioner.")
            }
            return []
        }
        let places: [Int32]
        if request.commissionerCode.isEmpty {
            places = snapshot.codes.indices.map { Int32($0) }
        } else {
            let commissioner = try FieldCheck.code(request.commissionerCode, "commissioner_code")
            guard let place = snapshot.place(of: commissioner) else {
                throw Failure.invalid(
                    "commissioner_code", "campaign.commissioner", "\(commissioner) is not in the register.")
            }
            places = kinds.flatMap { snapshot.places(below: place, kind: $0, at: today) }
        }
        return Set(
            places.filter { place in
                guard let slice = snapshot.slice(of: place, at: today) else { return false }
                return kinds.contains(slice.kind) && slice.status == .active
            }.map { snapshot.codes[Int($0)] })
    }
}
