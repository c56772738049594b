import ArgumentParser
import HostContract

struct UserProfileCommand: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "profile", abstract: "One's own account; with options, change it.")
    @Option(help: "Full name.") var name: String?
    @Option(help: "Job title.") var jobTitle: String?
    @Option(help: "Telephone.") var telephone: String?
    @OptionGroup(title: "Connection") var connection: ConnectionOptions

    func run(_ session: Session) async throws {
        let present = try await session.accounts.getProfile(.init())
        guard name != nil || jobTitle != nil || telephone != nil else { return try session.show(present) }
        var request = Pcs_Host_V1_UpdateProfileRequest()
        request.name = name ?? present.name
        request.jobTitle = jobTitle ?? present.jobTitle
        request.telephone = telephone ?? present.telephone
        try session.show(try await session.accounts.updateProfile(request, options: session.change()))
    }
}

struct UserSessionsCommand: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "sessions", abstract: "One's open sessions; --end closes one of them.")
    @Option(help: "Id of a session to end.") var end: String?
    @OptionGroup(title: "Connection") var connection: ConnectionOptions

    func run(_ session: Session) async throws {
        if let end {
            var request = Pcs_Host_V1_EndSessionRequest()
            request.sessionID = end
            _ = try await session.accounts.endSession(request, options: session.change())
        }
        let reply = try await session.accounts.listSessions(.init())
        try session.show(reply, rows: reply.sessions, nothing: "no session is open")
    }
}

struct UserShowCommand: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "An account's state and how it came to it.")
    @Argument(help: "Account id.") var account: String
    @OptionGroup(title: "Connection") var connection: ConnectionOptions

    func run(_ session: Session) async throws {
        var request = Pcs_Host_V1_GetAccountRequest()
        request.accountID = account
        try session.show(try await session.accounts.getAccount(request))
    }
}

struct UserInviteCommand: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "invite", abstract: "Invite again: the earlier code ends.",
        discussion: "The code goes by mail; national administrators are shown it too.")
    @Argument(help: "Account id.") var account: String
    @OptionGroup(title: "Connection") var connection: ConnectionOptions

    func run(_ session: Session) async throws {
        var request = Pcs_Host_V1_InviteRequest()
        request.accountID = account
        try session.show(try await session.accounts.invite(request, options: session.change()))
    }
}

/// What a change of an account takes.
struct AccountChangeOptions: ParsableArguments {
    @Argument(help: "Account id.") var account: String
    @Option(help: "Why; kept for the auditor.") var reason: String

    var request: Pcs_Host_V1_ChangeAccountRequest {
        var request = Pcs_Host_V1_ChangeAccountRequest()
        request.accountID = account
        request.reason = reason
        return request
    }
}

struct UserUnlockCommand: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "unlock", abstract: "End a lock before its time.")
    @OptionGroup var change: AccountChangeOptions
    @OptionGroup(title: "Connection") var connection: ConnectionOptions

    func run(_ session: Session) async throws {
        try session.show(try await session.accounts.unlockAccount(change.request, options: session.change()))
    }
}

struct UserDisableCommand: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "disable", abstract: "Nobody gets in by the account; its sessions end at once.")
    @OptionGroup var change: AccountChangeOptions
    @OptionGroup(title: "Connection") var connection: ConnectionOptions

    func run(_ session: Session) async throws {
        try session.show(try await session.accounts.disableAccount(change.request, options: session.change()))
    }
}

struct UserEnableCommand: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "enable", abstract: "Bring a dormant or disabled account back.")
    @OptionGroup var change: AccountChangeOptions
    @OptionGroup(title: "Connection") var connection: ConnectionOptions

    func run(_ session: Session) async throws {
        try session.show(
            try await session.accounts.reactivateAccount(change.request, options: session.change()))
    }
}

struct UserVouchCommand: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "vouch",
        abstract: "Give one's word that a person lost their second factor; a code goes to them by mail.")
    @OptionGroup var change: AccountChangeOptions
    @OptionGroup(title: "Connection") var connection: ConnectionOptions

    func run(_ session: Session) async throws {
        try session.show(try await session.accounts.vouchForPerson(change.request, options: session.change()))
    }
}
