import PluginAPI

/// Who may see a document: those whom the area that owns its record names; before it is linked, the organisation that
/// uploaded it and nobody else.
struct DocumentAccess: Sendable {
    struct Reader: Hashable, Sendable {
        var role: Role
        var organisation: String
    }

    var uploadedFor: String
    /// `nil` before the document is linked.
    var readers: [Reader]?

    /// - Parameters:
    ///   - roles: held at `organisation` today.
    ///   - member: the role that everybody who acts for an organisation has.
    func allows(_ organisation: String, roles: Set<Role>, member: Role) -> Bool {
        guard !organisation.isEmpty else { return false }
        guard let readers else { return organisation == uploadedFor }
        return readers.contains { reader in
            reader.organisation == organisation && (roles.contains(reader.role) || reader.role == member)
        }
    }
}
