import CqrsContract
import PluginAPI

extension Pcs_Cqrs_V1_QualityResult {
    /// What a practice's points became pounds with, area by area, for the payer's figures (payments.md 7.3).
    init(_ view: ResultView) {
        self.init()
        valuePerPoint = view.inputs.valuePerPoint?.value.description ?? ""
        registeredList = view.result.bases.list?.value.description ?? ""
        averageList = view.inputs.averageList?.value.description ?? ""
        prevalenceList = view.result.bases.prevalenceList?.value.description ?? ""
        nationalList = view.inputs.nationalList?.value.description ?? ""
        var found: [String: Pcs_Cqrs_V1_QualityResultArea] = [:]
        for line in view.result.lines where line.indicator >= 0 {
            let indicator = view.definition.indicators[line.indicator]
            guard indicator.purpose == .payment else { continue }
            let isWeighted = indicator.weighting == .register
            let name = isWeighted ? indicator.weightingGroup : indicator.group
            // A register's indicators that are paid unweighted stand apart from the weighted ones.
            let key = (isWeighted ? "1" : "2") + name
            var area = found[key] ?? .with { ($0.area, $0.weighted) = (name, isWeighted) }
            area.pointsHundredths += line.points.hundredths
            area.amountPence += line.amount.pence
            if isWeighted {
                area.practiceRegister = max(area.practiceRegister, line.register)
                area.nationalRegister = view.inputs.nationalRegisters[name]?.value.description ?? ""
            }
            found[key] = area
        }
        areas = found.sorted { $0.key < $1.key }.map(\.value)
    }
}
