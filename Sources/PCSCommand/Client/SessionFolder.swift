import Foundation
package import HostContract

/// Sessions of people who logged in: one file of mode 0600 for each name, in the settings folder.
package struct SessionFolder: Sendable {
    /// What a file holds. The token is sent to the host that gave it and to no other.
    package struct Kept: Codable, Sendable {
        package var address: String
        package var accessToken: String
        package var accountID: String
        package var organisationCode: String
        package var expiresAt: Int64
    }

    package static let usualName = "default"
    package let path: String

    package init(path: String) { self.path = path }

    /// `PCS_SETTINGS_FOLDER`, or `~/.config/pcs`; sessions lie in `sessions` below.
    package init(settingsFolder: String?) {
        path = (settingsFolder ?? NSHomeDirectory() + "/.config/pcs") + "/sessions"
    }

    package func file(_ name: String) -> String { "\(path)/\(name).json" }

    /// The host as a session names it: with the whole path of its socket.
    package static func place(_ address: HostAddress) -> String {
        guard case .unix(let path) = address else { return address.description }
        return HostAddress.unix(path: URL(fileURLWithPath: path).standardized.path).description
    }

    package static func isName(_ text: String) -> Bool { KeyFolder.isSubject(text) }

    /// `nil` when there is none of that name.
    /// - Throws: `CommandError` when others may read it, or when it cannot be read.
    package func session(_ name: String) throws -> Kept? {
        guard Self.isName(name) else {
            throw CommandError(.usage, "\"\(name)\" is no name of a session: 3 to 64 of a-z 0-9 . _ -")
        }
        guard FileManager.default.fileExists(atPath: file(name)) else { return nil }
        let text = try PrivateFile.read(file(name))
        guard let kept = try? JSONDecoder().decode(Kept.self, from: Data(text.utf8)) else {
            throw CommandError(
                .data, "\(file(name)) holds no session", nextStep: "Delete it and log in again.")
        }
        return kept
    }

    package func keep(_ opened: Pcs_Host_V1_OpenedSession, as name: String, address: HostAddress) throws {
        let kept = Kept(
            address: Self.place(address), accessToken: opened.accessToken, accountID: opened.accountID,
            organisationCode: opened.organisationCode, expiresAt: opened.expiresAt.seconds)
        try PrivateFile.write(
            String(decoding: JSONEncoder().encode(kept), as: UTF8.self) + "\n", to: file(name))
    }

    package func forget(_ name: String) { try? FileManager.default.removeItem(atPath: file(name)) }
}
