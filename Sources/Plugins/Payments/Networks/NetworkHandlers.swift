import CommonContract
import HostContract
import PaymentsContract
import PluginAPI
import Tabular

/// Populations, beds and payees of networks.
struct NetworkHandlers: Pcs_Payments_V1_NetworkService {
    let context: PluginContext

    func loadNetworkPopulations(
        _ requests: RequestStream<Pcs_Payments_V1_LoadNetworkPopulationsRequest>, _ call: CallContext
    ) async throws -> Pcs_Payments_V1_NetworkPopulationsLoad {
        let first = requests.first
        var fields = RequestFields()
        let year = fields.financialYear(first.financialYear)
        try fields.finish()
        guard let year else { throw Failure(HostReasons.fieldInvalid) }
        let file = try await Upload.collect(requests, name: first.fileName) { Array($0.data) }
        let (rows, violations) = NetworkPopulationFile.read(file.bytes)
        guard violations.isEmpty else { throw Failure.file(violations) }
        try requireNetworks(rows, year, file)
        if first.dryRun {
            return try context.store.read { message(try figures(rows, year, file, $0)) }
        }
        return try await call.commit { transaction in
            if let known = try NetworkStore.load(year, sha256: file.sha256, transaction) {
                var reply = message(known)
                reply.alreadyLoaded = true
                return reply
            }
            if let known = try PopulationProposalStore.waiting(year, sha256: file.sha256, transaction) {
                var reply = message(known)
                reply.alreadyLoaded = true
                return reply
            }
            let actor = call.caller.responsible
            var load = try figures(rows, year, file, transaction)
            load.id = transaction.newIdentifier()
            let proposal = PopulationProposalStore.Proposal(
                load: load,
                evidenceID: try EvidenceStore.keep(file, kind: .networkPopulations, by: actor, in: transaction),
                registered: rows.reduce(0) { $0 + $1.registered },
                adjustedHundredths: rows.reduce(0) { $0 + $1.adjustedHundredths }, loadedBy: actor)
            try PopulationProposalStore.add(proposal, in: transaction)
            note(proposal, "\(load.networks) networks loaded, sha256 \(file.sha256)", in: transaction)
            return message(proposal)
        }
    }

    func decideNetworkPopulations(
        _ request: Pcs_Payments_V1_DecideNetworkPopulationsRequest, _ call: CallContext
    ) async throws -> Pcs_Payments_V1_NetworkPopulationsLoad {
        var fields = RequestFields()
        fields.reason(request.reason, mayBeEmpty: request.approve)
        try fields.finish()
        return try await call.commit { transaction in
            guard var proposal = try PopulationProposalStore.proposal(request.loadID, transaction) else {
                throw Failure(PaymentsReasons.networkProposalUnknown)
            }
            guard proposal.state == .proposed else { throw Failure(PaymentsReasons.alreadyDecided) }
            try call.requireOtherPerson(than: proposal.loadedBy, step: "putting populations in force")
            proposal.decidedBy = call.caller.responsible
            proposal.decisionReason = request.reason
            proposal.state = request.approve ? .approved : .returned
            if request.approve { try putInForce(&proposal, request, in: transaction) }
            try PopulationProposalStore.saveDecision(proposal, in: transaction)
            note(proposal, request.approve ? "in force" : "returned: \(request.reason)", in: transaction)
            return message(proposal)
        }
    }

    private func putInForce(
        _ proposal: inout PopulationProposalStore.Proposal,
        _ request: Pcs_Payments_V1_DecideNetworkPopulationsRequest, in transaction: any Transaction
    ) throws {
        guard request.controlTotalRegistered == proposal.registered,
            request.controlTotalAdjustedHundredths == proposal.adjustedHundredths
        else {
            throw Failure(
                PaymentsReasons.controlTotalMismatch,
                "The control totals are not the sums of registered and of adjusted patients.")
        }
        // The file as it was kept: what is in force is what was looked at.
        guard let body = try EvidenceStore.body(proposal.evidenceID, transaction) else {
            throw Failure(PaymentsReasons.networkProposalUnknown)
        }
        let (rows, violations) = NetworkPopulationFile.read(body)
        guard violations.isEmpty else { throw Failure.file(violations) }
        let year = proposal.load.year
        let next = FinancialYear(startYear: year.startYear + 1)
        let seq = try InputLog.record(
            .networks, from: year.firstDay, to: next?.firstDay, by: proposal.decidedBy,
            detail: "populations \(proposal.load.id)", in: transaction)
        try NetworkStore.add(proposal.load, rows, evidence: proposal.evidenceID, seq: seq, in: transaction)
    }

    private func note(
        _ proposal: PopulationProposalStore.Proposal, _ detail: String, in transaction: any Transaction
    ) {
        transaction.audit(AuditNote(object: "network-populations/\(proposal.load.year)", detail: detail))
    }

    /// NET01: every code must be a network that the register knows in the year.
    private func requireNetworks(
        _ rows: [NetworkStore.Population], _ year: FinancialYear, _ file: UploadedFile
    ) throws {
        let day = Swift.min(year.firstDay, context.clock.today)
        let unknown = Set(
            rows.lazy.map(\.network).filter { context.organisations.organisation($0, at: day)?.kind != .pcn })
        guard !unknown.isEmpty else { return }
        var reader = RowReader(upload: file.bytes, columns: NetworkPopulationFile.columns)
        while reader.next() {
            guard let code = ODSCode(reader.cell("pcn_code")), unknown.contains(code) else { continue }
            reader.refuse("pcn_code", "NET01", "\(code) is no primary care network on \(day)")
        }
        throw Failure.file(reader.violations)
    }

    private func figures(
        _ rows: [NetworkStore.Population], _ year: FinancialYear, _ file: UploadedFile, _ reader: any Reader
    ) throws -> NetworkStore.Load {
        let known = try NetworkStore.sizes(knownAt: .max, reader)
        var load = NetworkStore.Load(
            id: "", year: year, sha256: file.sha256, networks: Int64(rows.count), changed: 0, added: 0)
        for row in rows {
            guard let before = known[row.network]?[year] else {
                load.added += 1
                continue
            }
            let isSame =
                before.registered == row.registered && before.adjustedHundredths == row.adjustedHundredths
                && before.weightedHundredths == row.weightedHundredths
            if !isSame { load.changed += 1 }
        }
        return load
    }

    private func message(_ load: NetworkStore.Load) -> Pcs_Payments_V1_NetworkPopulationsLoad {
        .with {
            $0.loadID = load.id
            $0.financialYear = load.year.description
            ($0.networks, $0.changed, $0.added) = (load.networks, load.changed, load.added)
            $0.sha256 = load.sha256
            // Of a dry run there is nothing to decide; what has a number is in force.
            $0.state = load.id.isEmpty ? .unspecified : .approved
        }
    }

    private func message(
        _ proposal: PopulationProposalStore.Proposal
    ) -> Pcs_Payments_V1_NetworkPopulationsLoad {
        var message = message(proposal.load)
        message.state = .init(rawValue: Int(proposal.state.rawValue)) ?? .unspecified
        message.registeredPatients = proposal.registered
        message.adjustedPatientsHundredths = proposal.adjustedHundredths
        (message.loadedBy, message.decidedBy) = (proposal.loadedBy, proposal.decidedBy)
        message.decisionReason = proposal.decisionReason
        return message
    }

    func setCareHomeBeds(
        _ request: Pcs_Payments_V1_SetCareHomeBedsRequest, _ call: CallContext
    ) async throws -> Pcs_Payments_V1_CareHomeBeds {
        var fields = RequestFields()
        let network = network(request.pcnCode, &fields)
        let month = fields.month(request.month)
        fields.reason(request.reason)
        if !(0...20_000).contains(request.beds) {
            fields.refuse("beds", "8.2", "The number of beds is 0 to 20,000.")
        }
        if let month, month < YearMonth(containing: call.today).adding(months: -RunInputs.retroMonths) {
            fields.refuse("month", "12.2", "Corrections reach back six years.")
        }
        try fields.finish()
        guard let network, let month else { throw Failure(HostReasons.fieldInvalid) }
        return try await call.commit { transaction in
            let actor = call.caller.responsible
            let later = try NetworkStore.nextBeds(of: network, after: month, transaction)
            let seq = try InputLog.record(
                .networks, from: month.firstDay, to: later?.firstDay, by: actor, detail: "beds of \(network)",
                in: transaction)
            try NetworkStore.addBeds(
                network, from: month, beds: Int64(request.beds), seq: seq, by: actor, reason: request.reason,
                in: transaction)
            transaction.audit(
                AuditNote(
                    object: "network/\(network)", organisation: network.value,
                    detail: "\(request.beds) care-home beds from \(month): \(request.reason)"))
            return .with {
                $0.month = Pcs_Common_V1_Month(month)
                ($0.beds, $0.setBy) = (request.beds, actor)
            }
        }
    }

    func getNetwork(
        _ request: Pcs_Payments_V1_GetNetworkRequest, _ call: CallContext
    ) async throws -> Pcs_Payments_V1_Network {
        var fields = RequestFields()
        let code = network(request.pcnCode, &fields)
        try fields.finish()
        guard let code else { throw Failure(HostReasons.fieldInvalid) }
        return try context.store.read { reader in
            let sizes = try NetworkStore.sizes(knownAt: .max, reader)[code] ?? [:]
            let beds = try NetworkStore.beds(knownAt: .max, reader)[code] ?? []
            let payees = try NetworkStore.payees(knownAt: .max, reader)[code] ?? []
            let proposals = try PayeeProposalStore.proposals(of: code, reader)
            return .with {
                $0.pcnCode = code.value
                $0.name = context.organisations.organisation(code, at: call.today)?.name ?? ""
                $0.populations = sizes.sorted { $0.key > $1.key }.map { year, size in
                    .with {
                        $0.financialYear = year.description
                        $0.registeredPatients = size.registered
                        $0.adjustedPatientsHundredths = size.adjustedHundredths
                        $0.weightedPatientsHundredths = size.weightedHundredths
                        $0.version = size.version
                    }
                }
                $0.beds = beds.reversed().map { held in
                    .with {
                        $0.month = Pcs_Common_V1_Month(held.from)
                        $0.beds = Int32(clamping: held.beds)
                    }
                }
                $0.payees = payees.reversed().map { message($0, proposals) }
                $0.proposedPayees = proposals.filter { $0.state != .approved }.map { message($0) }
            }
        }
    }

    func network(_ text: String, _ fields: inout RequestFields) -> ODSCode? {
        guard let code = ODSCode(text),
            context.organisations.organisation(code, at: context.clock.today)?.kind == .pcn
        else {
            fields.refuse("pcn_code", "payments 1", "There is no such primary care network.")
            return nil
        }
        return code
    }
}
