import CaseworkContract
import CommonContract
import Foundation
import HostContract
import Testing

@testable import PCSCommand

@Suite("People at the command line")
struct PeopleCommandTests {
    private func folder() throws -> String {
        let path = NSTemporaryDirectory() + "pcs-people-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        return path
    }

    private func mode(_ path: String) throws -> Int? {
        (try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? NSNumber)?.intValue
    }

    @Test(
        "one-time codes are those of RFC 6238, appendix B, for SHA-1",
        arguments: [
            (59, "287082"), (1_111_111_109, "081804"), (1_111_111_111, "050471"), (1_234_567_890, "005924"),
            (2_000_000_000, "279037"), (20_000_000_000, "353130"),
        ])
    func codes(seconds: Int, code: String) throws {
        let factor = try SecondFactor(base32: "gezd gnbv gy3t qojq gezd gnbv gy3t qojq")
        let step = SecondFactor.step(at: Date(timeIntervalSince1970: TimeInterval(seconds)))
        #expect(factor.code(step: step) == code)
    }

    @Test("what is no secret is refused", arguments: ["", "A", "GEZDGNBVGY3TQO1Q", "GEZDGNBVGY3TQO"])
    func wrongSecrets(text: String) {
        #expect(throws: CommandError.self) { try SecondFactor(base32: text) }
    }

    @Test("a file of a second factor gives each code once, and keeps its mode")
    func codesOnce() async throws {
        let path = try folder() + "/totp"
        let file = SecondFactorFile(path)
        try file.keep("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ")
        let first = try await file.nextCode()
        let second = try await file.nextCode()
        #expect(first != second && first.count == 6 && second.count == 6)
        #expect(try mode(path) == 0o600)
    }

    @Test("secrets that others may read are not used")
    func openFile() throws {
        let path = try folder() + "/password"
        try Data("a password of some length\n".utf8).write(to: URL(fileURLWithPath: path))
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: path)
        #expect(throws: CommandError.self) { try SecretInput.read("password", file: path) }
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
        #expect(try SecretInput.read("password", file: path) == "a password of some length")
    }

    @Test("a session is kept with mode 0600, named by its host, and forgotten")
    func sessions() throws {
        let sessions = SessionFolder(settingsFolder: try folder())
        var opened = Pcs_Host_V1_OpenedSession()
        opened.accessToken = "t-1"
        opened.organisationCode = "A81001"
        try sessions.keep(opened, as: "ada", address: .unix(path: "/run/../run/pcs.sock"))
        let kept = try #require(try sessions.session("ada"))
        #expect(kept.accessToken == "t-1" && kept.address == "unix:/run/pcs.sock")
        #expect(try mode(sessions.file("ada")) == 0o600)
        sessions.forget("ada")
        #expect(try sessions.session("ada") == nil)
        #expect(throws: CommandError.self) { try sessions.session("../ada") }
    }

    @Test("sessions and tokens come from options and variables, and are left out for those who have none")
    func settings() throws {
        let environment = ["PCS_TOKEN": "t", "PCS_SESSION": "one", "PCS_SETTINGS_FOLDER": "/s"]
        let options = try ConnectionOptions.parse(["--session", "two"])
        let settings = try ClientSettings(options, environment: environment)
        #expect(
            settings.token == "t" && settings.sessionName == "two" && settings.sessions?.path == "/s/sessions"
        )
        let anonymous = settings.anonymous
        #expect(anonymous.token == nil && anonymous.sessions == nil && anonymous.subject == nil)
    }

    @Test(
        "variables of those who call do not keep a host from starting",
        arguments: ["PCS_SESSION", "PCS_TOKEN", "PCS_SETTINGS_FOLDER", "PCS_AS", "PCS_HOST"])
    func variables(name: String) {
        #expect(SettingCatalogue.isOtherVariable(name) && !SettingCatalogue.isOtherVariable("PCS_SESION"))
    }

    @Test("the code is found in a letter, and in a file that holds nothing else")
    func letter() throws {
        let path = try folder() + "/letter"
        try PrivateFile.write("Dear contract manager,\n\n      ABCD-EFGH-JKMN-P\n\nYours\n", to: path)
        #expect(try LetterFiles.code(path) == "ABCD-EFGH-JKMN-P")
        try PrivateFile.write("no code here\n", to: path)
        #expect(throws: CommandError.self) { try LetterFiles.code(path) }
    }

    @Test("people are written with name and address")
    func people() throws {
        let person = try PersonReference.person("Dr Ann Holder <ann@example.nhs.uk>")
        #expect(person.name == "Dr Ann Holder" && person.email == "ann@example.nhs.uk")
        for wrong in ["ann@example.nhs.uk", "<ann@example.nhs.uk>", "Ann <>", "Ann <ann"] {
            #expect(throws: CommandError.self) { try PersonReference.person(wrong) }
        }
    }

    @Test("any record is drawn by its contract: names, days, enums, lists as tables")
    func records() throws {
        var registration = Pcs_Host_V1_OrganisationRegistration()
        registration.organisationCode = "A81001"
        registration.state = .codeAccepted
        registration.expiresOn = .with {
            $0.year = 2027
            $0.month = 4
            $0.day = 1
        }
        registration.history = [.with { $0.by = "p-1" }]
        let text = ContractJSON.view.text(try ContractJSON.dynamic(registration), for: .plain)
        #expect(
            text == """
                organisation code  A81001
                state              code accepted
                expires on         2027-04-01

                history
                  BY
                  p-1
                """)
        var task = Pcs_Casework_V1_Task()
        task.taskID = "T1"
        task.role = .practiceStatements
        let table = ContractJSON.view.table([try ContractJSON.dynamic(task)], columns: ["task_id", "role"])
        #expect(table.rendered() == "TASK ID  ROLE\nT1       PRACTICE_STATEMENTS")
    }

    @Test("JSON given to a command may write days as days")
    func json() throws {
        let task = try ContractJSON.message(
            Array(#"{"taskId": "T1", "dueOn": "2027-04-01"}"#.utf8), as: Pcs_Casework_V1_Task.self)
        #expect(task.taskID == "T1" && task.dueOn.year == 2027 && task.dueOn.day == 1)
    }

    @Test(
        "every noun of the command line parses its examples",
        arguments: [
            "org register redeem A81001 --contract-holder H --administrator A --acknowledge",
            "org local add LOCAL1 --kind accountant --name N --reason R", "org payee U89141",
            "user accept", "user login a@b", "user switch A81001", "user step-up", "user totp file",
            "user deactivate A81001 p-1 --reason R", "user unlock p-1 --reason R",
            "role give A81001 p-1 PRACTICE_STATEMENTS --acknowledge",
            "role who-could-see A81001 --on 2026-01-01",
            "role conflicts", "role proposal list", "role review list A81001", "role migration list",
            "client keys c-1 set.jwks --reason R", "client revoke c-1 --key k --reason R",
            "case enquiry raise payments --subject S --text T", "case desk step E1 acknowledge",
            "case change open A81001 @notice.json", "case change show C1 A81001 --steps",
            "case change step C1 3 not-applicable", "case change report C1 A81001",
            "task settle T1 done --reason R", "task watch", "message list --unread",
            "document upload f.pdf --kind claim_evidence", "document download D1", "article search words",
        ])
    func parses(line: String) throws {
        _ = try PCSCommandLine.parseAsRoot(line.split(separator: " ").map(String.init))
    }

    @Test("a password is no option of any command")
    func noSecretsInArguments() {
        let help = [
            UserLogInCommand.helpMessage(), UserAcceptCommand.helpMessage(), UserStepUpCommand.helpMessage(),
        ]
        #expect(help.allSatisfy { !$0.contains("--password ") && $0.contains("--password-file") })
    }
}
