import ArgumentParser
import Foundation
import HostContract

/// Where the password and the one-time code of a command come from.
struct ProofOptions: ParsableArguments {
    @Option(help: "File, mode 0600, with the password in its first line. Default: asked for.")
    var passwordFile: String?
    @Option(
        help: ArgumentHelp(
            "File, mode 0600, with the second factor's secret: for a set-up without a telephone. Default: the code is asked for.",
            valueName: "file"))
    var totpFile: String?

    func password(_ what: String = "password") throws -> String {
        try SecretInput.read(what, file: passwordFile)
    }

    func code() async throws -> String {
        if let totpFile { return try await SecondFactorFile(totpFile).nextCode() }
        return try SecretInput.read("one-time code")
    }
}

struct UserAcceptCommand: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "accept", abstract: "Accept an invitation: set the password and enrol a second factor.",
        discussion: """
            Asks for the activation code, the new password twice (12 characters or more; 15 with a privileged role), shows \
            the secret for an authenticator app, and asks for its first code. On standard input: activation code, \
            password, one-time code, a line each. With --totp-file the secret is kept there and the code is computed.
            """)
    @Option(help: "File, mode 0600, with the activation code. Default: asked for.") var codeFile: String?
    @OptionGroup var proof: ProofOptions
    @OptionGroup(title: "Connection") var connection: ConnectionOptions
    var isAnonymous: Bool { true }

    func run(_ session: Session) async throws {
        let invitation = try SecretInput.read("activation code", file: codeFile)
        var request = Pcs_Host_V1_AcceptInvitationRequest()
        request.code = invitation
        request.password = try SecretInput.new("new password", file: proof.passwordFile)
        let enrolled = try await session.accounts.acceptInvitation(request)
        if let file = proof.totpFile {
            try SecondFactorFile(file).keep(enrolled.secret)
        } else {
            Console.error("For your authenticator app, shown this once: \(enrolled.otpauthUri)")
            Console.error("or typed: \(enrolled.secret)")
        }
        var confirmation = Pcs_Host_V1_ConfirmSecondFactorRequest()
        confirmation.code = invitation
        confirmation.oneTimeCode = try await proof.code()
        try session.show(try await session.accounts.confirmSecondFactor(confirmation))
    }
}

struct UserLogInCommand: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "login",
        abstract: "Log in with password and one-time code; the session is kept in a file of mode 0600.",
        discussion: """
            Commands use the session without a name when there is one; with --session NAME several people can be logged in \
            side by side. On standard input: password and one-time code, a line each. Sessions lie in \
            ~/.config/pcs/sessions, or below PCS_SETTINGS_FOLDER.
            """)
    @Argument(help: "E-mail address.") var email: String
    @Option(help: "ODS code to act for. Default: the only one.") var organisation = ""
    @OptionGroup var proof: ProofOptions
    @OptionGroup(title: "Connection") var connection: ConnectionOptions
    var isAnonymous: Bool { true }

    func run(_ session: Session) async throws {
        var request = Pcs_Host_V1_LogInRequest()
        request.email = email
        request.password = try proof.password()
        request.oneTimeCode = try await proof.code()
        request.organisationCode = organisation.uppercased()
        try KeptSession(connection).keep(try await session.accounts.logIn(request), session)
    }
}

/// The session file that a command reads and writes.
struct KeptSession {
    let folder: SessionFolder
    let name: String

    init(_ options: ConnectionOptions) throws {
        let settings = try ClientSettings(options)
        folder = settings.sessions ?? SessionFolder(settingsFolder: nil)
        name = settings.sessionName ?? SessionFolder.usualName
    }

    /// Keeps what was opened and shows it without its token.
    func keep(_ opened: Pcs_Host_V1_OpenedSession, _ session: Session) throws {
        try folder.keep(opened, as: name, address: session.settings.address)
        var shown = opened
        shown.accessToken = ""
        try session.show(shown)
        if opened.organisationCode.isEmpty, !opened.organisationCodes.isEmpty {
            session.note("choose an organisation with: pcs user switch CODE")
        }
    }
}

struct UserLogOutCommand: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "logout", abstract: "End the session, at the host and here.")
    @OptionGroup(title: "Connection") var connection: ConnectionOptions

    func run(_ session: Session) async throws {
        // A session that the host has ended already is forgotten all the same.
        defer { if let kept = try? KeptSession(connection) { kept.folder.forget(kept.name) } }
        _ = try await session.accounts.logOut(.init(), options: session.change())
        session.note("logged out")
    }
}

struct UserSwitchCommand: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "switch", abstract: "Act for another of one's organisations; audited.")
    @Argument(help: "ODS code.") var organisation: String
    @OptionGroup(title: "Connection") var connection: ConnectionOptions

    func run(_ session: Session) async throws {
        var request = Pcs_Host_V1_ChooseOrganisationRequest()
        request.organisationCode = organisation.uppercased()
        try KeptSession(connection).keep(try await session.accounts.chooseOrganisation(request), session)
    }
}

struct UserStepUpCommand: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "step-up", abstract: "A fresh proof for dangerous acts, good for five minutes.")
    @OptionGroup var proof: ProofOptions
    @OptionGroup(title: "Connection") var connection: ConnectionOptions

    func run(_ session: Session) async throws {
        var request = Pcs_Host_V1_StepUpRequest()
        request.password = try proof.password()
        request.oneTimeCode = try await proof.code()
        try KeptSession(connection).keep(try await session.accounts.stepUp(request), session)
    }
}

struct UserPasswordCommand: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "password", abstract: "Change one's password; all other sessions end.",
        discussion: "On standard input: present password, new password, one-time code, a line each.")
    @Option(help: "File, mode 0600, with the new password. Default: asked for.") var newPasswordFile: String?
    @OptionGroup var proof: ProofOptions
    @OptionGroup(title: "Connection") var connection: ConnectionOptions

    func run(_ session: Session) async throws {
        var request = Pcs_Host_V1_ChangePasswordRequest()
        request.password = try proof.password("present password")
        request.newPassword = try SecretInput.new("new password", file: newPasswordFile)
        request.oneTimeCode = try await proof.code()
        _ = try await session.accounts.changePassword(request)
        session.note("the password is changed")
    }
}

struct UserForgottenCommand: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "forgotten", abstract: "Ask for a reset code by mail, or set a new password with one.",
        discussion: """
            pcs user forgotten ben@example.nhs.uk      always answers the same
            pcs user forgotten --complete              asks for the code and the new password
            """)
    @Argument(help: "E-mail address.") var email: String?
    @Flag(help: "Set a new password with the code that came.") var complete = false
    @OptionGroup(title: "Connection") var connection: ConnectionOptions
    var isAnonymous: Bool { true }

    func validate() throws {
        if (email == nil) != complete { throw ValidationError("Give an e-mail address, or --complete.") }
    }

    func run(_ session: Session) async throws {
        guard let email else {
            var request = Pcs_Host_V1_CompletePasswordResetRequest()
            request.code = try SecretInput.read("reset code")
            request.newPassword = try SecretInput.new("new password")
            _ = try await session.accounts.completePasswordReset(request)
            return session.note("the password is changed")
        }
        var request = Pcs_Host_V1_RequestPasswordResetRequest()
        request.email = email
        _ = try await session.accounts.requestPasswordReset(request)
        session.note("if that is the address of an account, a code of 30 minutes goes to it by mail")
    }
}

struct UserOneTimeCodeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "totp",
        abstract: "Compute a one-time code from a secret: for tests, and a set-up without a telephone.",
        discussion: """
            From a file that `pcs user accept --totp-file` wrote, each code is given out once, and the command waits for \
            the \
            next one (30 seconds at most). From standard input it is the code of this moment. Calls no host.
            """)
    @Argument(help: "File with the secret, mode 0600. Default: standard input.") var file: String?

    func run() async throws {
        do {
            if let file { return Console.out(try await SecondFactorFile(file).nextCode()) }
            let factor = try SecondFactor(base32: try SecretInput.read("secret"))
            Console.out(factor.code(step: SecondFactor.step(at: Date())))
        } catch {
            throw CommandFailures.report(error)
        }
    }
}
