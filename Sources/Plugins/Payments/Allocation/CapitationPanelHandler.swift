import CommonContract
import HostContract
import PaymentsContract
import PluginAPI

// The capitation panel (payments.md 11, complaint C6): how a practice's weighted list came about, reckoned again from
// what the calculation stood on.
extension AllocationHandlers {
    func getCapitationPanel(
        _ request: Pcs_Payments_V1_GetCapitationPanelRequest, _ call: CallContext
    ) async throws -> Pcs_Payments_V1_CapitationPanel {
        var fields = RequestFields()
        let practice = fields.practice(request.practiceCode)
        let day = fields.date(request.at, isSet: request.hasAt, field: "at") ?? call.today
        try fields.finish()
        guard let practice else { throw Failure(PaymentsReasons.capitationUnknown) }
        let quarter = Quarter(containing: day)
        return try context.store.read { reader in
            guard let lists = try CapitationStore.history(of: practice, in: quarter, reader).first?.0 else {
                throw Failure(
                    PaymentsReasons.capitationUnknown,
                    "\(practice) has no lists for the quarter of \(quarter).")
            }
            var panel = Pcs_Payments_V1_CapitationPanel.with {
                $0.practiceCode = practice.value
                $0.quarterDay = Pcs_Common_V1_Date(quarter.quarterDay)
                $0.registeredPatients = lists.registered
                $0.weightedPatientsHundredths = lists.weightedHundredths
                ($0.londonPatients, $0.version) = (lists.london, lists.version)
            }
            panel.price = try price(of: practice, on: max(day, quarter.quarterDay), reader)
            if let load = try CapitationStore.loads(reader).first(where: { $0.seq == lists.version }) {
                panel.source = try EvidenceStore.evidence(load.evidenceID, reader)?.fileName ?? ""
            }
            if let reckoned = try CapitationPanel.read(practice, lists, reader) {
                try add(reckoned, of: practice, to: &panel, reader)
            }
            return panel
        }
    }

    /// Pounds for each patient: the global sum's price, or that of a baseline by list.
    private func price(of practice: ODSCode, on day: CalendarDate, _ reader: any Reader) throws -> String {
        let timeline = try ContractStore.timeline(of: practice, knownAt: .max, reader)
        guard let terms = timeline.span(at: day)?.terms.payment else { return "" }
        switch terms.baseline {
        case .weighted(let price), .raw(let price):
            return ExactDecimal(mantissa: price, scale: 6).trimmed(keeping: 2).description
        case .fixed: return ""
        case nil:
            let rates = try ReferenceStore.rates(knownAt: .max, reader)
            return (try? rates.rate(.globalSumPrice, at: day))?.value.description ?? ""
        }
    }

    private func add(
        _ reckoned: CapitationPanel, of practice: ODSCode, to panel: inout Pcs_Payments_V1_CapitationPanel,
        _ reader: any Reader
    ) throws {
        let calculation = reckoned.calculation
        (panel.formula, panel.calculationID) = (calculation.formula.rawValue, calculation.id)
        panel.snapshotOn = Pcs_Common_V1_Date(reckoned.snapshotOn)
        panel.cells = reckoned.cells.map { cell in
            .with { ($0.cell, $0.patients, $0.weight) = (cell.name, cell.patients, cell.weight) }
        }
        (panel.careHomeResidents, panel.newRegistrations) = (reckoned.careHomeResidents, reckoned.newRegistrations)
        panel.indices = reckoned.indices.map { index in
            .with {
                $0.component = index.component.rawValue
                $0.perHead = index.perHead.text(decimals: 12)
                $0.nationalMean = index.nationalMean.text(decimals: 12)
                $0.index = index.index.text(decimals: 12)
            }
        }
        panel.normaliser = calculation.normaliser.text(decimals: 12)
        panel.warnings = try AllocationStore.warnings(of: calculation.id, practice: practice, reader)
            .map { Pcs_Payments_V1_AllocationWarning($0) }
        guard let before = try AllocationStore.lastApproved(of: calculation.quarter.previous, reader),
            let index = try AllocationStore.turnoverIndices(of: before.id, reader)[practice],
            let now = reckoned.indices.first(where: { $0.component == .turnover })?.index
        else { return }
        panel.turnoverBefore = index.text(decimals: 6)
        panel.turnoverMovement = PreciseDecimal(units: now.units - index.units).text(decimals: 6)
    }
}
