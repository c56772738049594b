import PluginAPI

/// What a step's proof says.
struct Proof: Hashable, Sendable {
    struct Sums: Hashable, Sendable {
        var before: Int64
        var after: Int64
        var changes: [Int64]
    }
    struct Patients: Hashable, Sendable {
        var closingBefore: Int64
        var moved: Int64
        var excluded: Int64
        var receivingBefore: Int64
        var receivingAfter: Int64
    }
    var reference = ""
    var money: Sums?
    var patients: Patients?
    var grantMigration = ""
}

/// The invariants of 15.3: no penny and no patient is lost or counted twice.
enum ProofRules {
    struct Fault: Hashable, Sendable {
        var field: String
        var rule: String
        var words: String
    }

    static func faults(_ proof: Proof, _ kind: ProofKind) -> [Fault] {
        var faults: [Fault] = []
        if !(3...500).contains(proof.reference.count) {
            faults.append(
                Fault(
                    field: "proof.reference", rule: "15.3 proof",
                    words: "Where it can be seen is said with 3 to 500 characters."))
        }
        if let money = proof.money { faults += faultsOfMoney(money) }
        if let patients = proof.patients { faults += faultsOfPatients(patients) }
        switch kind {
        case .money where proof.money == nil:
            faults.append(
                Fault(
                    field: "proof.money", rule: "15.3 money", words: "The sums before and after are needed."))
        case .patients where proof.patients == nil:
            faults.append(
                Fault(
                    field: "proof.patients", rule: "15.3 patients",
                    words: "The counts of patients are needed."))
        case .grants where proof.grantMigration.isEmpty:
            faults.append(
                Fault(
                    field: "proof.grant_migration_id", rule: "15.3 step 15",
                    words: "The approved migration of grants is named, or \"none\"."))
        default: break
        }
        return faults
    }

    private static func faultsOfMoney(_ money: Proof.Sums) -> [Fault] {
        var sum = money.before
        for change in money.changes {
            let (next, overflow) = sum.addingReportingOverflow(change)
            if overflow {
                return [Fault(field: "proof.money", rule: "15.3 money", words: "The sums are too large.")]
            }
            sum = next
        }
        guard sum == money.after else {
            return [
                Fault(
                    field: "proof.money", rule: "15.3 money",
                    words:
                        "Before and the changes listed make \(Money(pence: sum)), not \(Money(pence: money.after))."
                )
            ]
        }
        return []
    }

    private static func faultsOfPatients(_ patients: Proof.Patients) -> [Fault] {
        let counts = [
            patients.closingBefore, patients.moved, patients.excluded, patients.receivingBefore,
            patients.receivingAfter,
        ]
        guard counts.allSatisfy({ (0...100_000_000).contains($0) }) else {
            return [Fault(field: "proof.patients", rule: "15.3 patients", words: "A count is out of range.")]
        }
        var faults: [Fault] = []
        if patients.moved + patients.excluded != patients.closingBefore {
            faults.append(
                Fault(
                    field: "proof.patients", rule: "15.3 patients",
                    words: "\(patients.moved) moved and \(patients.excluded) excluded are not "
                        + "\(patients.closingBefore): a patient is lost or counted twice."))
        }
        if patients.receivingBefore + patients.moved != patients.receivingAfter {
            faults.append(
                Fault(
                    field: "proof.patients", rule: "15.3 patients",
                    words: "\(patients.receivingBefore) and \(patients.moved) moved are not "
                        + "\(patients.receivingAfter): a patient is lost or registered twice."))
        }
        return faults
    }
}
