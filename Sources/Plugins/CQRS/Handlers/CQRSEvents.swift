import CaseworkContract
import CqrsContract
import DocumentsContract

/// Names of the events that the plugin publishes.
enum CQRSEvents {
    static let published = [
        Pcs_Cqrs_V1_PaymentInstructed.protoMessageName,
        Pcs_Cqrs_V1_PaymentRecalled.protoMessageName,
        Pcs_Cqrs_V1_AchievementApproved.protoMessageName,
        Pcs_Cqrs_V1_AspirationSet.protoMessageName,
        Pcs_Cqrs_V1_ParticipationChanged.protoMessageName,
        Pcs_Casework_V1_TaskRequested.protoMessageName,
        Pcs_Casework_V1_TaskSettled.protoMessageName,
        Pcs_Casework_V1_MessagePosted.protoMessageName,
        Pcs_Documents_V1_DocumentLinked.protoMessageName,
    ]
}
