import Crypto
import Foundation
import PluginAPI

/// A registration code: 12 characters of 31 that cannot be mistaken for each other, and a check character
/// (identity-and-organisations.md 6). About 59 random bits, so a fast keyed hash keeps it.
package struct RegistrationCode: Sendable, Equatable {
    /// Without 0 and O, 1, I and L.
    static let alphabet = Array("ABCDEFGHJKMNPQRSTUVWXYZ23456789".utf8)
    static let length = 12

    /// The 12 characters and the check character.
    package let text: String

    /// A text that is no code, told apart for the person who types it. Neither can be a guess at a code.
    package enum Fault: Error, Sendable {
        /// Not 13 characters of the alphabet.
        case form
        /// The check character does not fit: something was mistyped.
        case check
    }

    package static func random() -> RegistrationCode {
        var generator = SystemRandomNumberGenerator()
        let values = (0..<length).map { _ in Int.random(in: 0..<alphabet.count, using: &generator) }
        let characters = (values + [check(of: values)]).map { alphabet[$0] }
        return RegistrationCode(text: String(decoding: characters, as: UTF8.self))
    }

    private init(text: String) { self.text = text }

    /// Takes small letters, and spaces and hyphens between the characters.
    package init(typed: String) throws(Fault) {
        guard typed.utf8.count <= 64 else { throw .form }
        let characters = typed.utf8.filter { $0 != UInt8(ascii: " ") && $0 != UInt8(ascii: "-") }
            .map { (0x61...0x7A).contains($0) ? $0 - 0x20 : $0 }
        let values = characters.compactMap { RegistrationCode.alphabet.firstIndex(of: $0) }
        guard characters.count == RegistrationCode.length + 1, values.count == characters.count else {
            throw .form
        }
        guard RegistrationCode.check(of: Array(values.dropLast())) == values.last else { throw .check }
        text = String(decoding: characters, as: UTF8.self)
    }

    /// 31 is a prime and the weights differ, so one wrong character and two exchanged neighbours are always noticed.
    private static func check(of values: [Int]) -> Int {
        let sum = values.enumerated().reduce(0) { $0 + ($1.offset + 2) * $1.element }
        return (alphabet.count - sum % alphabet.count) % alphabet.count
    }

    /// As the letter shows it: `ABCD-EFGH-JKMN-P`.
    package var grouped: String {
        stride(from: 0, to: text.count, by: 4).map { start in
            String(text.dropFirst(start).prefix(4))
        }.joined(separator: "-")
    }

    // MARK: On disk

    static func salt() -> [UInt8] {
        var generator = SystemRandomNumberGenerator()
        return (0..<16).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
    }

    /// Bound to the organisation: the same code means nothing for another one.
    func digest(for organisation: ODSCode, salt: [UInt8]) -> [UInt8] {
        Array(HMAC<SHA256>.authenticationCode(for: message(organisation), using: SymmetricKey(data: salt)))
    }

    /// In the same time whether it fits or not.
    func fits(_ digest: [UInt8], for organisation: ODSCode, salt: [UInt8]) -> Bool {
        HMAC<SHA256>.isValidAuthenticationCode(
            digest, authenticating: message(organisation), using: SymmetricKey(data: salt))
    }

    private func message(_ organisation: ODSCode) -> Data { Data("\(organisation)\n\(text)".utf8) }
}
