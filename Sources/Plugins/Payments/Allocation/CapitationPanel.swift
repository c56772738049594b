import PluginAPI

/// How a practice's weighted list came about, reckoned again from what the calculation stood on (payments.md 3.3, 11).
struct CapitationPanel: Sendable {
    struct Cell: Sendable {
        var name: String
        var patients: Int64
        /// Coefficient as it was set.
        var weight: String
    }

    struct Index: Sendable {
        var component: FormulaComponent
        var perHead: PreciseDecimal
        var nationalMean: PreciseDecimal
        var index: PreciseDecimal
    }

    var calculation: AllocationStore.Calculation
    var snapshotOn: CalendarDate
    /// Men from young to old, then women.
    var cells: [Cell]
    var careHomeResidents: Int64
    var newRegistrations: Int64
    var indices: [Index]

    /// - Parameter lists: of the quarter, as paid on.
    /// - Returns: `nil` when the lists came from a file, not from a calculation.
    static func read(_ practice: ODSCode, _ lists: PatientLists, _ reader: any Reader) throws -> CapitationPanel? {
        guard let calculation = try AllocationStore.calculation(recordedAs: lists.version, reader) else { return nil }
        guard let input = try AllocationStore.input(of: practice, in: calculation.loadID, reader),
            let load = try AllocationStore.load(calculation.loadID, reader)
        else { throw PaymentsError.damaged("allocation " + calculation.id).failure }
        let coefficients = try FormulaStore.coefficients(of: calculation.setID, reader)
        let (perHead, indices, weighted) = try AllocationHandlers.refusingFormula {
            let perHead = try calculation.formula.formula(coefficients).perHead(input)
            let indices = try Allocation.indices(perHead, means: calculation.means)
            let weighted = try Allocation.weighted(
                input.registered, product: try Allocation.product(indices), normaliser: calculation.normaliser
            )
            return (perHead, indices, weighted)
        }
        guard weighted == lists.weightedHundredths, input.registered == lists.registered else {
            throw PaymentsError.damaged("allocation " + calculation.id).failure
        }
        return CapitationPanel(
            calculation: calculation, snapshotOn: load.snapshotOn,
            cells: zip(AllocationInput.cellNames, input.cells).map { name, patients in
                let weight = coefficients.values[FormulaCell(component: .ageSex, name: name)]?.description
                return Cell(name: name, patients: patients, weight: weight ?? "")
            },
            careHomeResidents: input.homeResidents, newRegistrations: input.newRegistrations,
            indices: FormulaComponent.allCases.indices.map { place in
                Index(
                    component: FormulaComponent.allCases[place], perHead: perHead[place],
                    nationalMean: calculation.means[place], index: indices[place])
            })
    }
}
