import CqrsContract
import PluginAPI

/// Where an instruction pays the whole of a result that is one count at one tariff, it says both, so that the statement
/// can show them.
enum InstructedUnits {
    static func fill(
        _ event: Pcs_Cqrs_V1_PaymentInstructed, _ instruction: InstructionStore.Record, _ reader: any Reader
    ) throws -> Pcs_Cqrs_V1_PaymentInstructed {
        guard let record = try DeclarationStore.record(instruction.declaration, reader),
            record.kind == .achievement, record.pence == instruction.pence,
            let definition = try ServiceStore.record(record.service, record.serviceVersion, reader)?
                .definition,
            let stored = try CalculationStore.results(
                of: record.provider, .init(service: record.service, date: record.date), reader
            ).first(where: { $0.id == record.calculation })
        else { return event }
        let paid = try stored.result().lines.filter { $0.amount != .zero }
        guard paid.count == 1, let line = paid.first, definition.tariffs.indices.contains(line.tariff) else {
            return event
        }
        let rate = definition.tariffs[line.tariff].amount
        let product = try? rate.rational.multiplied(by: Rational(line.quantity))
        guard line.quantity > 0, let product, (try? Rounding.toPence(product).pence) == instruction.pence
        else {
            return event
        }
        var filled = event
        (filled.quantity, filled.rate) = (String(line.quantity), rate.description)
        return filled
    }
}
