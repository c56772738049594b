import CaseworkContract
import HostContract
import PluginAPI

/// A kind of organisation that has no administrator role of its own: PCSE sets its Main Contact and completes the
/// registration.
enum CompletionTask {
    static func request(_ organisation: ODSCode, in transaction: any Transaction) throws {
        try transaction.publish(
            Pcs_Casework_V1_TaskRequested.with {
                $0.taskKey = key(organisation)
                $0.role = .pcseSupport
                $0.organisationCode = OrganisationRegister.operatorCode.value
                $0.title = "A registration waits to be completed"
                $0.detail =
                    "\(organisation) has entered its code. Its kind has no User Administrator role: propose its Main "
                    + "Contact, and a supervisor sets the registration to registered."
                $0.outcomes = ["registered", "closed"]
                $0.escalateToRole = .pcseSupervisor
                $0.escalateToOrganisationCode = OrganisationRegister.operatorCode.value
                $0.record = .with {
                    $0.area = "host"
                    $0.kind = "registration"
                    $0.recordID = organisation.value
                    $0.organisationCode = organisation.value
                }
            }, key: key(organisation))
    }

    static func settle(
        _ organisation: ODSCode, _ standing: RegistrationStanding, by author: String,
        in transaction: any Transaction
    ) throws {
        try transaction.publish(
            Pcs_Casework_V1_TaskSettled.with {
                $0.taskKey = key(organisation)
                $0.outcome = standing == .registered ? "registered" : "closed"
                $0.settledBy = author
            }, key: key(organisation))
    }

    private static func key(_ organisation: ODSCode) -> String {
        "host/registration/\(organisation)/complete"
    }
}
