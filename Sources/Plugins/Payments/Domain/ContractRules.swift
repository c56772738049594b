import PluginAPI

/// Rules that a contract must keep, by their codes; the plugin's README lists them.
enum ContractRules {
    struct Breach: Hashable, Sendable {
        var field: String
        var rule: String
        var message: String
    }

    /// Rules of the terms themselves.
    static func breaches(in terms: ContractTerms, to: CalendarDate?) -> [Breach] {
        var found: [Breach] = []
        func breach(_ field: String, _ rule: String, _ message: String) {
            found.append(Breach(field: field, rule: rule, message: message))
        }
        let payment = terms.payment
        if !(1...100).contains(terms.practiceName.count) {
            breach("practice_name", "CON02", "a practice has a name of 1 to 100 characters")
        }
        if payment.kind == .apms, to == nil {
            breach("valid_to", "CON04", "an APMS contract has an end date")
        }
        if payment.kind == .gms {
            if payment.baseline != nil {
                breach("baseline_basis", "CON08", "a GMS contract is paid the global sum, it has no baseline")
            }
        } else {
            if payment.baseline == nil {
                breach("baseline_basis", "CON08", "a \(payment.kind.name) contract needs a baseline")
            }
            if payment.outOfHoursOptOut || payment.minorSurgeryOptOut {
                breach(
                    "out_of_hours_opt_out", "CON06", "opt-outs are deductions from the global sum: GMS only")
            }
            if payment.temporaryPatientsPence != 0 {
                breach(
                    "temporary_patients_adjustment", "CON07", "the temporary patients adjustment is GMS only")
            }
            if payment.correctionFactorPence != 0 {
                breach("correction_factor", "CON07", "the correction factor is GMS only")
            }
            if payment.london != .none {
                breach("london_basis", "CON07", "the London adjustment is GMS only")
            }
        }
        return found
    }

    /// Rules of a change from one span to the next.
    static func breaches(changing before: ContractSpan?, to terms: ContractTerms, on day: CalendarDate)
        -> [Breach]
    {
        guard let before, before.to == nil || before.to == day else { return [] }
        var found: [Breach] = []
        let (old, new) = (before.terms.payment, terms.payment)
        let optOutsDiffer =
            old.outOfHoursOptOut != new.outOfHoursOptOut || old.minorSurgeryOptOut != new.minorSurgeryOptOut
        if optOutsDiffer, day.day != 1 {
            found.append(
                Breach(
                    field: "valid_from", rule: "CON05", message: "opt-outs change on the first day of a month"
                ))
        }
        if old.kind != new.kind {
            let globalSumStartsOrStops = old.kind == .gms || new.kind == .gms
            if globalSumStartsOrStops, Quarter(quarterDay: day) == nil {
                found.append(
                    Breach(
                        field: "valid_from", rule: "CON05",
                        message: "the global sum starts or stops on the first day of a quarter"))
            } else if day.day != 1 {
                found.append(
                    Breach(
                        field: "valid_from", rule: "CON05",
                        message: "the contract type changes on the first day of a month"))
            }
        }
        return found
    }
}
