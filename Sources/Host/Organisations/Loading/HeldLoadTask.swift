import CaseworkContract
import HostContract
import PluginAPI

/// A held load is work for whoever manages the register's data, until it is applied or discarded.
enum HeldLoadTask {
    static func request(for load: Pcs_Host_V1_SnapshotLoad, in transaction: any Transaction) throws {
        try transaction.publish(
            Pcs_Casework_V1_TaskRequested.with {
                $0.taskKey = key(load.loadID)
                $0.role = .organisationDataManager
                $0.organisationCode = OrganisationRegister.operatorCode.value
                $0.title = "A load of the register is held"
                $0.detail = String(
                    "\(load.fileName): \(load.heldBecause). Apply or discard load \(load.loadID).".prefix(
                        4_000))
                $0.outcomes = ["applied", "discarded"]
                $0.priority = .urgent
                $0.record = .with {
                    $0.area = "host"
                    $0.kind = "snapshot"
                    $0.recordID = load.loadID
                }
            }, key: key(load.loadID))
    }

    static func settle(
        _ load: Pcs_Host_V1_SnapshotLoad, by person: String, reason: String, in transaction: any Transaction
    ) throws {
        try transaction.publish(
            Pcs_Casework_V1_TaskSettled.with {
                $0.taskKey = key(load.loadID)
                $0.outcome = load.state == .applied ? "applied" : "discarded"
                $0.settledBy = person
                $0.reason = reason
            }, key: key(load.loadID))
    }

    private static func key(_ loadID: String) -> String { "host/snapshot/\(loadID)/decide" }
}
