import CommonContract
import CqrsContract
import HostContract
import PluginAPI
import SwiftProtobuf

// What callers see of offers and participations.
extension ParticipationHandlers {
    func getParticipation(_ request: Pcs_Cqrs_V1_GetParticipationRequest, _ call: CallContext) async throws
        -> Pcs_Cqrs_V1_Participation
    {
        try context.store.read { try whole(own(request.participationID, request.providerCode, 0, $0), $0) }
    }

    func listParticipations(_ request: Pcs_Cqrs_V1_ListParticipationsRequest, _ call: CallContext)
        async throws
        -> Pcs_Cqrs_V1_ListParticipationsResponse
    {
        let day = request.hasAt ? request.at.calendarDate : nil
        let kind = ODSCode(request.organisationCode).flatMap {
            context.organisations.organisation($0, at: call.today)?.kind
        }
        let records = try context.store.read { reader in
            switch kind {
            case .pcn?: try ParticipationStore.of(pcn: request.organisationCode, reader)
            case .subICBLocation?: try ParticipationStore.of(commissioner: request.organisationCode, reader)
            default: try ParticipationStore.of(provider: request.organisationCode, reader)
            }
        }.filter { record in
            (request.serviceCode.isEmpty || record.service == request.serviceCode)
                && (day.map { record.covers($0) } ?? true)
        }
        return .with { $0.participations = records.map { message($0) } }
    }

    func listOfferedServices(_ request: Pcs_Cqrs_V1_ListOfferedServicesRequest, _ call: CallContext)
        async throws
        -> Pcs_Cqrs_V1_ListOfferedServicesResponse
    {
        try context.store.read { reader in
            let records = try ParticipationStore.of(commissioner: request.commissionerCode, reader)
                .filter { request.serviceCode.isEmpty || $0.service == request.serviceCode }
            let byService = Dictionary(grouping: records, by: \.service)
            return try .with { reply in
                reply.services = try byService.keys.sorted().map { code in
                    let definition = try ServiceStore.published(code, reader)?.definition
                    let isByNetwork = definition.map(OfferPlan.isByNetwork) ?? false
                    return .with { service in
                        service.serviceCode = code
                        service.serviceName = definition?.name ?? ""
                        service.byNetwork = isByNetwork
                        guard isByNetwork else {
                            service.participations = (byService[code] ?? []).map { message($0) }
                            return
                        }
                        let networks = Dictionary(grouping: byService[code] ?? [], by: \.pcn)
                        service.networks = networks.keys.sorted().map { pcn in
                            .with {
                                $0.pcnCode = pcn
                                $0.pcnName = name(pcn, call.today)
                                $0.associatedServiceProviders = (networks[pcn] ?? []).map { message($0) }
                            }
                        }
                    }
                }
            }
        }
    }

    func listUnoffered(_ request: Pcs_Cqrs_V1_ListUnofferedRequest, _ call: CallContext) async throws
        -> Pcs_Cqrs_V1_ListUnofferedResponse
    {
        guard let commissioner = ODSCode(request.commissionerCode) else {
            throw Failure.field("commissioner_code", "R3", "Name the commissioner.")
        }
        return try context.store.read { reader in
            let records = try ParticipationStore.of(service: request.serviceCode, reader)
            let newest = Dictionary(
                records.map { ($0.provider, $0) }, uniquingKeysWith: { $0.start <= $1.start ? $1 : $0 })
            return .with { reply in
                for practice in context.organisations.practices(commissionedBy: commissioner, at: call.today)
                {
                    let standing: String
                    switch newest[practice.value]?.state {
                    case nil, .withdrawn?, .cancelled?, .ended?: standing = "not offered"
                    case .scheduled?, .offered?: standing = "waiting"
                    case .lapsed?: standing = "lapsed"
                    case .declined?: standing = "declined"
                    case .accepted?, .active?: continue
                    }
                    reply.providers.append(
                        .with {
                            $0.providerCode = practice.value
                            $0.providerName = name(practice.value, call.today)
                            $0.serviceCode = request.serviceCode
                            $0.standing = standing
                            if let by = newest[practice.value]?.answerBy {
                                $0.answerBy = Pcs_Common_V1_Date(by)
                            }
                        })
                }
            }
        }
    }

    func name(_ code: String, _ day: CalendarDate) -> String {
        ODSCode(code).flatMap { context.organisations.organisation($0, at: day)?.name } ?? ""
    }

    func message(_ record: Record) -> Pcs_Cqrs_V1_Participation {
        .with {
            $0.participationID = record.id
            $0.offerID = record.offer
            $0.serviceCode = record.service
            $0.serviceVersion = Int32(clamping: record.serviceVersion)
            $0.providerCode = record.provider
            $0.pcnCode = record.pcn
            $0.commissionerCode = record.commissioner
            $0.state = .init(rawValue: record.state.rawValue) ?? .unspecified
            $0.startOn = Pcs_Common_V1_Date(record.start)
            if let end = record.end { $0.endOn = Pcs_Common_V1_Date(end) }
            if let by = record.answerBy { $0.answerBy = Pcs_Common_V1_Date(by) }
            $0.automatic = record.isAutomatic
            $0.backdatingUnconfirmed = record.isBackdatingUnconfirmed
            $0.reason = record.reason
            $0.version = record.version
        }
    }

    func whole(_ record: Record, _ reader: any Reader) throws -> Pcs_Cqrs_V1_Participation {
        var message = message(record)
        message.history = try ParticipationStore.steps(of: record.id, reader).map { step in
            .with {
                $0.from = .init(rawValue: step.from) ?? .unspecified
                $0.to = .init(rawValue: step.to) ?? .unspecified
                $0.by = step.by
                $0.at = Google_Protobuf_Timestamp(step.at)
                $0.reason = step.reason
            }
        }
        return message
    }

    func message(_ offer: ParticipationStore.Offer, _ records: [Record]) -> Pcs_Cqrs_V1_Offer {
        .with {
            $0.offerID = offer.id
            $0.commissionerCode = offer.commissioner
            $0.serviceCode = offer.service
            $0.serviceVersion = Int32(clamping: offer.version)
            $0.startOn = Pcs_Common_V1_Date(offer.start)
            $0.endOn = Pcs_Common_V1_Date(offer.end)
            if let by = offer.answerBy { $0.answerBy = Pcs_Common_V1_Date(by) }
            $0.offerOn = Pcs_Common_V1_Date(offer.offerOn)
            $0.automaticallyAccepted = offer.isAutomatic
            $0.providers = Int64(records.count)
            $0.pcnCodes = Set(records.map(\.pcn)).subtracting([""]).sorted()
            $0.madeBy = offer.by
            $0.madeAt = Google_Protobuf_Timestamp(offer.at)
            $0.accepted = Int64(records.count { $0.state == .accepted || $0.state == .active })
            $0.declined = Int64(records.count { $0.state == .declined })
            $0.waiting = Int64(records.count { $0.state == .offered || $0.state == .scheduled })
        }
    }
}
