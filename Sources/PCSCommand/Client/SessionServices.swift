package import CaseworkContract
package import ChangesContract
package import DocumentsContract
package import HostContract

/// The services about organisations, people, cases and documents.
extension Session {
    package var accounts: Pcs_Host_V1_AccountServiceClient { .init(transport, options: options) }
    package var users: Pcs_Host_V1_UserServiceClient { .init(transport, options: options) }
    package var roles: Pcs_Host_V1_RoleServiceClient { .init(transport, options: options) }
    package var proposals: Pcs_Host_V1_GrantProposalServiceClient { .init(transport, options: options) }
    package var contacts: Pcs_Host_V1_AuthorisedContactServiceClient { .init(transport, options: options) }
    package var reviews: Pcs_Host_V1_GrantReviewServiceClient { .init(transport, options: options) }
    package var migrations: Pcs_Host_V1_GrantMigrationServiceClient { .init(transport, options: options) }
    package var accessLog: Pcs_Host_V1_AccessLogServiceClient { .init(transport, options: options) }
    package var breakGlass: Pcs_Host_V1_BreakGlassServiceClient { .init(transport, options: options) }
    package var registrations: Pcs_Host_V1_OrganisationRegistrationServiceClient {
        .init(transport, options: options)
    }
    package var systems: Pcs_Host_V1_ClientServiceClient { .init(transport, options: options) }
    package var enquiries: Pcs_Casework_V1_EnquiryServiceClient { .init(transport, options: options) }
    package var desk: Pcs_Casework_V1_CaseServiceClient { .init(transport, options: options) }
    package var tasks: Pcs_Casework_V1_TaskServiceClient { .init(transport, options: options) }
    package var messages: Pcs_Casework_V1_MessageServiceClient { .init(transport, options: options) }
    package var articles: Pcs_Casework_V1_ArticleServiceClient { .init(transport, options: options) }
    package var uploads: Pcs_Documents_V1_UploadServiceClient { .init(transport, options: options) }
    package var documents: Pcs_Documents_V1_DocumentServiceClient { .init(transport, options: options) }
    package var notices: Pcs_Changes_V1_NoticeServiceClient { .init(transport, options: options) }
    package var changeCases: Pcs_Changes_V1_ChangeCaseServiceClient { .init(transport, options: options) }
    package var changeProgress: Pcs_Changes_V1_ChangeProgressServiceClient {
        .init(transport, options: options)
    }
}
