import HostContract
import PluginAPI

/// Checks the fields of a request one by one and refuses with all violations at once.
struct IdentityFields {
    private var violations: [Violation] = []

    mutating func subjectID(_ text: String, _ field: String) -> String {
        if !SubjectID.isValid(text) { add(field, "subject.id", "3 to 64 of a-z, 0-9, '.', '_' and '-'.") }
        return text
    }

    mutating func keyID(_ text: String, _ field: String) -> String {
        let isGood =
            (1...64).contains(text.utf8.count)
            && text.utf8.allSatisfy { (0x21...0x7E).contains($0) && $0 != 0x22 && $0 != 0x5C }
        if !isGood {
            add(field, "key.id", "1 to 64 printable ASCII characters without spaces, quotes and backslashes.")
        }
        return text
    }

    mutating func text(_ text: String, _ field: String, _ length: ClosedRange<Int>) -> String {
        do {
            return try FieldCheck.text(text, field, length)
        } catch let failure as Failure {
            violations += failure.violations
        } catch {
            add(field, "text.length", "\(length.lowerBound) to \(length.upperBound) characters.")
        }
        return text
    }

    /// The user name of an account (identity-and-organisations.md 7): one address, plain ASCII.
    mutating func email(_ text: String, _ field: String) -> String {
        let parts = text.utf8.split(separator: UInt8(ascii: "@"), omittingEmptySubsequences: false)
        let isPlain = text.utf8.allSatisfy {
            (0x21...0x7E).contains($0) && !"\"(),:;<>[]\\".utf8.contains($0)
        }
        let labels = parts.last?.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false) ?? []
        let isGood =
            text.utf8.count <= 254 && isPlain && parts.count == 2 && (1...64).contains(parts[0].count)
            && labels.count >= 2
            && labels.allSatisfy { (1...63).contains($0.count) }
        if !isGood { add(field, "email.form", "One e-mail address is required.") }
        return text
    }

    mutating func scopes(_ texts: [String], _ field: String) -> [String] {
        if texts.isEmpty || texts.count > 64 { add(field, "client.scopes", "1 to 64 scopes.") }
        for (index, text) in texts.enumerated() where MethodScope(text) == nil {
            add(
                "\(field)[\(index)]", "client.scope",
                "pcs.<area>.v1.*, pcs.<area>.v1.<Service>/* or pcs.<area>.v1.<Service>/<Method>.")
        }
        return texts
    }

    /// `nil` when empty.
    mutating func certificateURI(_ text: String, _ field: String) -> String? {
        guard !text.isEmpty else { return nil }
        let scheme = text.prefix { $0 != ":" }
        let isGood =
            text.utf8.count <= 512 && text.utf8.allSatisfy { (0x21...0x7E).contains($0) }
            && text.contains(":")
            && !scheme.isEmpty && text.utf8.count > scheme.utf8.count + 1
            && scheme.utf8.allSatisfy {
                (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || [0x2B, 0x2D, 0x2E].contains($0)
            }
        if !isGood {
            add(field, "client.certificate_uri", "An absolute URI, as in the certificate's alternative name.")
        }
        return text
    }

    mutating func publicKey(_ pem: String, _ field: String) -> VerificationKey? {
        do throws(VerificationKey.Problem) {
            return try VerificationKey(pem: pem)
        } catch {
            add(field, "key.pem", error.message)
            return nil
        }
    }

    /// Throws `FIELD_INVALID` with everything that was found.
    func finish() throws {
        guard let first = violations.first else { return }
        throw Failure(HostReasons.fieldInvalid, "\(first.field): \(first.message)", violations: violations)
    }

    private mutating func add(_ field: String, _ rule: String, _ message: String) {
        violations.append(Violation(field: field, rule: rule, message: message))
    }
}
