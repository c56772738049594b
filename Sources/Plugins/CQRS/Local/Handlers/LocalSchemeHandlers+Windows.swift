import CommonContract
import CqrsContract
import HostContract
import PluginAPI

// Windows, and for a provider what is open to it and why not (R14).
extension LocalSchemeHandlers {
    func addClaimWindows(_ request: Pcs_Cqrs_V1_AddClaimWindowsRequest, _ call: CallContext) async throws
        -> Pcs_Cqrs_V1_ListClaimWindowsResponse
    {
        try await call.commit { transaction in
            try gate(call).commissioner(request.commissionerCode, LocalGate.figures(transaction))
            let versions = try owned(request.serviceID, request.commissionerCode, transaction)
            guard let scheme = versions.first(where: { $0.state == .published })?.scheme,
                !scheme.isParticipationOnly
            else {
                throw Failure(
                    CqrsReasons.localServiceStateWrong,
                    "Windows are set for a published service that is claimed.")
            }
            var fields = RequestFields()
            if !(1...120).contains(request.windows.count) {
                fields.refuse("windows", "10.1", "1 to 120 windows are needed.")
            }
            var present = try LocalWindowStore.windows(of: scheme.id, transaction)
            for (index, message) in request.windows.enumerated() {
                let path = "windows[\(index)]"
                guard let window = window(message, scheme, path, transaction.newIdentifier(), &fields) else {
                    continue
                }
                if present.contains(where: {
                    $0.activityFrom <= window.activityTo && window.activityFrom <= $0.activityTo
                }) {
                    fields.refuse(
                        path + ".activity_from", "LOC-7", "Another window covers some of this activity.")
                }
                present.append(window)
                if fields.violations.isEmpty {
                    try LocalWindowStore.add(window, by: call.caller.responsible, in: transaction)
                }
            }
            try fields.finish()
            transaction.audit(
                AuditNote(
                    object: "local-service/" + scheme.id, organisation: request.commissionerCode,
                    detail: "\(request.windows.count) windows added"))
            return try list(scheme.id, transaction)
        }
    }

    private func window(
        _ message: Pcs_Cqrs_V1_ClaimWindow, _ scheme: LocalScheme, _ path: String, _ id: String,
        _ fields: inout RequestFields
    ) -> LocalWindow? {
        guard let from = message.activityFrom.calendarDate, let to = message.activityTo.calendarDate,
            let opens = message.opensOn.calendarDate, let closes = message.closesOn.calendarDate, from <= to,
            opens <= closes
        else {
            fields.refuse(
                path, "10.1",
                "First and last day of the activity, opening and closing are needed, in this order.")
            return nil
        }
        let late = message.hasLateUntil ? message.lateUntil.calendarDate : nil
        if message.hasLateUntil, late.map({ $0 < closes }) ?? true {
            fields.refuse(path + ".late_until", "10.1", "It is a day not before the closing.")
        }
        if !scheme.covers(from) || !scheme.covers(to) {
            fields.refuse(
                path, "LOC-2", "The activity lies within the service, \(scheme.start) to \(scheme.end).")
        }
        return LocalWindow(
            id: id, service: scheme.id, activityFrom: from, activityTo: to, opens: opens, closes: closes,
            lateUntil: late)
    }

    func withdrawClaimWindow(_ request: Pcs_Cqrs_V1_WithdrawClaimWindowRequest, _ call: CallContext)
        async throws
        -> Pcs_Cqrs_V1_ListClaimWindowsResponse
    {
        try reason(request.reason)
        return try await call.commit { transaction in
            try gate(call).commissioner(request.commissionerCode, LocalGate.figures(transaction))
            let window = try window(request.windowID, of: request.commissionerCode, transaction)
            guard try LocalClaimStore.count(inWindow: window.id, transaction) == 0 else {
                throw Failure(CqrsReasons.localWindowInUse)
            }
            try LocalWindowStore.withdraw(
                window.id, reason: request.reason, by: call.caller.responsible, in: transaction)
            transaction.audit(
                AuditNote(
                    object: "local-window/" + window.id, organisation: request.commissionerCode,
                    detail: "withdrawn: " + request.reason))
            return try list(window.service, transaction)
        }
    }

    func extendClaimWindow(_ request: Pcs_Cqrs_V1_ExtendClaimWindowRequest, _ call: CallContext) async throws
        -> Pcs_Cqrs_V1_ClaimWindow
    {
        var fields = RequestFields()
        fields.reason(request.reason)
        if ODSCode(request.providerCode) == nil {
            fields.refuse("provider_code", "10.4", "A provider is needed.")
        }
        let until = request.openUntil.calendarDate
        if until.map({ $0 < call.today }) ?? true {
            fields.refuse("open_until", "10.4", "Today or a later day is needed.")
        }
        try fields.finish()
        return try await call.commit { transaction in
            try gate(call).commissioner(request.commissionerCode, LocalGate.figures(transaction))
            // Also of a shared service: whose contract the provider has.
            guard let window = try LocalWindowStore.window(request.windowID, transaction),
                let scheme = try LocalSchemeStore.present(window.service, transaction)?.scheme,
                scheme.isOpen(to: request.commissionerCode),
                try LocalContractStore.terms(of: request.providerCode, transaction).contains(where: {
                    $0.commissioner == request.commissionerCode && $0.items[window.service] != nil
                })
            else { throw Failure(CqrsReasons.localWindowUnknown) }
            try LocalWindowStore.extend(
                window.id, request.providerCode, until: until ?? call.today, reason: request.reason,
                by: call.caller.responsible, in: transaction)
            try LocalNotices.extended(
                window, request.providerCode, until ?? call.today, scheme.name, in: transaction)
            transaction.audit(
                AuditNote(
                    object: "local-window/" + window.id, organisation: request.providerCode,
                    detail: "open until \(until ?? call.today): \(request.reason)"))
            return Pcs_Cqrs_V1_ClaimWindow(
                window, claims: try LocalClaimStore.count(inWindow: window.id, transaction))
        }
    }

    private func window(_ id: String, of commissioner: String, _ reader: any Reader) throws -> LocalWindow {
        guard let window = try LocalWindowStore.window(id, reader),
            try LocalSchemeStore.versions(of: window.service, reader).first?.owner == commissioner
        else { throw Failure(CqrsReasons.localWindowUnknown) }
        return window
    }

    func listClaimWindows(_ request: Pcs_Cqrs_V1_ListClaimWindowsRequest, _ call: CallContext) async throws
        -> Pcs_Cqrs_V1_ListClaimWindowsResponse
    {
        try context.store.read { reader in
            let national = !call.caller.roles.isDisjoint(with: [Roles.cqrsOperator, Roles.auditor])
            guard let record = try LocalSchemeStore.present(request.serviceID, reader),
                national || record.scheme.isOpen(to: request.commissionerCode)
            else { throw Failure(CqrsReasons.localServiceUnknown) }
            return try list(record.id, reader)
        }
    }

    private func list(_ service: String, _ reader: any Reader) throws -> Pcs_Cqrs_V1_ListClaimWindowsResponse
    {
        let windows = try LocalWindowStore.windows(of: service, reader).map {
            Pcs_Cqrs_V1_ClaimWindow($0, claims: try LocalClaimStore.count(inWindow: $0.id, reader))
        }
        return .with { $0.windows = windows }
    }

    // MARK: R14

    func getClaimAvailability(_ request: Pcs_Cqrs_V1_GetClaimAvailabilityRequest, _ call: CallContext)
        async throws
        -> Pcs_Cqrs_V1_ClaimAvailability
    {
        try context.store.read { reader in
            let book = try LocalBook(provider: request.providerCode, context, today: call.today, reader)
            var reply = Pcs_Cqrs_V1_ClaimAvailability()
            for service in book.services where request.serviceID.isEmpty || service == request.serviceID {
                for window in try LocalWindowStore.windows(of: service, reader) {
                    if let answer = try book.availability(of: window, reader) {
                        reply.windows.append(answer.message)
                    }
                }
            }
            return reply
        }
    }
}

extension Pcs_Cqrs_V1_ClaimWindow {
    init(_ window: LocalWindow, claims count: Int64 = 0) {
        self.init()
        windowID = window.id
        serviceID = window.service
        activityFrom = Pcs_Common_V1_Date(window.activityFrom)
        activityTo = Pcs_Common_V1_Date(window.activityTo)
        opensOn = Pcs_Common_V1_Date(window.opens)
        closesOn = Pcs_Common_V1_Date(window.closes)
        if let day = window.lateUntil { lateUntil = Pcs_Common_V1_Date(day) }
        claims = count
    }
}
