import HostContract
import PluginAPI
import PluginTestKit
import Testing

@testable import Host

@Suite("Rules of accounts")
struct AccountsRulesTests {
    @Test(
        "one-time codes are those of RFC 6238, appendix B",
        arguments: [
            (59, "94287082"), (1_111_111_109, "07081804"), (1_111_111_111, "14050471"),
            (1_234_567_890, "89005924"), (2_000_000_000, "69279037"), (20_000_000_000, "65353130"),
        ])
    func vectors(_ seconds: Int64, _ expected: String) {
        let secret = Array("12345678901234567890".utf8)
        let step = TimeBasedCode.step(at: Instant(microsecondsSince1970: seconds * 1_000_000))
        #expect(TimeBasedCode.code(secret: secret, step: step, digits: 8) == expected)
        #expect(TimeBasedCode.code(secret: secret, step: step) == String(expected.suffix(6)))
    }

    @Test("a code is taken one step early and one step late, and no further")
    func tolerance() {
        let secret = TimeBasedCode.makeSecret()
        let now = Instant(microsecondsSince1970: 1_773_651_600_000_000)
        let step = TimeBasedCode.step(at: now)
        for distance in -3...3 {
            let code = TimeBasedCode.code(secret: secret, step: step + Int64(distance))
            let found = TimeBasedCode.step(of: code, secret: secret, at: now)
            #expect(found == (abs(distance) <= 1 ? step + Int64(distance) : nil), "\(distance)")
        }
        #expect(TimeBasedCode.step(of: "", secret: secret, at: now) == nil)
    }

    private func rule(_ minimum: Int = 12) -> PasswordRule {
        PasswordRule(
            minimum: minimum, maximum: 128, words: .shipped,
            personal: ["Anna Kowalczyk", "anna.kowalczyk@nhs.net"])
    }

    @Test(
        "what everybody tries first is no password",
        arguments: [
            "password1234", "Password12345!", "P@ssw0rd2026!!", "qwertyuiop123", "123456789012",
            "abcdefghijkl",
            "passwordpassword", "WelcomeSurgery2024", "Winter2025!!!!", "annakowalczyk1", "Kowalczyk-2026!",
            "aaaaaaaaaaaaaaaa", "abababababababab", "1qaz2wsx3edc4rfv", "NHSEngland12345", "short",
        ])
    func guessed(_ password: String) {
        #expect(rule().objection(to: password) != nil)
    }

    @Test(
        "long ones are taken, whatever characters they have",
        arguments: [
            "violet-anchor-teapot-51", "correct horse battery staple", "teapot winter purple lantern",
            "słoneczny dzień w Poznaniu", "🦊🌧️🪁🧭🫖🎻🪴🧦🛶🪵🧩🎈", "x9$Kq!vR2#mZ7", "829301746652",
            String(repeating: "lantern quay ", count: 9),
        ])
    func taken(_ password: String) {
        #expect(rule().objection(to: password) == nil)
    }

    @Test("lengths are counted in characters: 12, 15 for privileged people, at most 128")
    func lengths() {
        #expect(rule().objection(to: "kestrel-91x") != nil)
        #expect(rule().objection(to: "kestrel-91xq") == nil)
        #expect(rule(15).objection(to: "kestrel-91xq") != nil)
        #expect(rule(15).objection(to: "kestrel-91xq-uv") == nil)
        let long = String((0..<128).map { Character(UnicodeScalar(UInt8(97 + $0 * 7 % 26))) })
        #expect(rule().objection(to: long) == nil && rule().objection(to: long + "k") != nil)
    }

    @Test("the same characters typed in another way are the same password")
    func normalised() async throws {
        let hasher = PasswordHasher(rules: cheap())
        let composed = "caf\u{E9}-kestrel-lantern"
        let decomposed = "cafe\u{301}-kestrel-lantern"
        let hashed = try await hasher.hash(composed, source: "a")
        #expect(try await hasher.isCorrect(decomposed, hashed, source: "a"))
        #expect(try await !hasher.isCorrect("cafe-kestrel-lantern", hashed, source: "a"))
        #expect(try await !hasher.isCorrect(composed, nil, source: "a"))
    }

    @Test("hashing has the costs of the reference file, and a queue that ends")
    func queue() async throws {
        #expect(
            AccountRules.shipped[.scryptRounds] == 32_768 && AccountRules.shipped[.scryptParallelism] == 3)
        var rules = cheap()
        rules[.scryptRounds] = 8_192
        let hasher = PasswordHasher(rules: rules)
        let outcomes = await withTaskGroup(of: Bool.self) { group in
            for number in 0..<100 {
                group.addTask { (try? await hasher.hash("lantern", source: "\(number % 4)")) != nil }
            }
            return await group.reduce(into: (done: 0, refused: 0)) {
                $0 = $1 ? ($0.done + 1, $0.refused) : ($0.done, $0.refused + 1)
            }
        }
        #expect(outcomes.done >= 2 && outcomes.refused > 0 && outcomes.done + outcomes.refused == 100)
        // The queue empties: later ones are served again.
        #expect((try? await hasher.hash("lantern", source: "0")) != nil)
    }

    private func cheap() -> AccountRules {
        var rules = AccountRules.shipped
        rules[.scryptRounds] = 1_024
        rules[.scryptParallelism] = 1
        return rules
    }

    @Test("after five wrong tries an address waits 30 seconds, then twice as long, and is locked at ten")
    func waits() {
        let guessing = GuessGuard(rules: .shipped)
        var now = Instant(microsecondsSince1970: 1_773_651_600_000_000)
        var waits: [Int64] = []
        for number in 1...10 {
            #expect(guessing.wait(address: "a@b.uk", source: "s\(number)", at: now) == nil, "\(number)")
            let counted = guessing.failed(address: "a@b.uk", source: "s\(number)", at: now)
            #expect((counted == .locked) == (number == 10))
            var seconds: Int64 = 0
            while guessing.wait(address: "a@b.uk", source: "t", at: now) != nil {
                now = now.adding(milliseconds: 1_000)
                seconds += 1
            }
            waits.append(seconds)
        }
        #expect(waits == [0, 0, 0, 0, 30, 60, 120, 240, 480, 1_800])
        #expect(guessing.wait(address: "other@b.uk", source: "t", at: now) == nil)
    }

    @Test("a source that failed twenty times waits for its window, whichever addresses it tries")
    func sources() {
        let guessing = GuessGuard(rules: .shipped)
        let now = Instant(microsecondsSince1970: 1_773_651_600_000_000)
        for number in 0..<20 { _ = guessing.failed(address: "\(number)@b.uk", source: "bad", at: now) }
        #expect(guessing.wait(address: "new@b.uk", source: "bad", at: now) == .source)
        #expect(guessing.wait(address: "new@b.uk", source: "good", at: now) == nil)
        #expect(
            guessing.wait(address: "new@b.uk", source: "bad", at: now.adding(milliseconds: 600_000)) == nil)
    }

    @Test("addresses of one IPv6 network count as one source, those of IPv4 each for itself")
    func networks() {
        #expect(CallSource.network(of: "2001:db8:1:2::1") == CallSource.network(of: "2001:db8:1:2:ffff::9"))
        #expect(CallSource.network(of: "2001:db8:1:2::1") != CallSource.network(of: "2001:db8:1:3::1"))
        #expect(CallSource.network(of: "192.0.2.1") == "192.0.2.1")
        #expect(CallSource.network(of: "::ffff:192.0.2.1") != CallSource.network(of: "::ffff:192.0.2.2"))
    }

    @Test("a flood of addresses does not grow the memory without end")
    func bound() {
        let guessing = GuessGuard(rules: .shipped)
        let now = Instant(microsecondsSince1970: 1_773_651_600_000_000)
        for number in 0..<250_000 { _ = guessing.failed(address: "\(number)", source: "\(number)", at: now) }
        #expect(guessing.size <= 2 * GuessGuard.capacity)
    }

    @Test(
        "a file of rules that lacks one, has one twice, or has a figure that is none is refused with every row"
    )
    func file() throws {
        let lines = String(decoding: PackageResourcesProbe.rules, as: UTF8.self).split(separator: "\n").map(
            String.init)
        #expect(throws: Never.self) { try AccountRules(csv: Array(lines.joined(separator: "\n").utf8)) }
        let refused = #expect(throws: Failure.self) {
            try AccountRules(
                csv: Array(
                    (lines + ["nonsense,1,count,2024-01-01,x", "lock_minutes,zero,minutes,2024-01-01,x"])
                        .joined(separator: "\n").utf8))
        }
        #expect(
            refused?.reason == HostReasons.fileInvalid
                && refused?.violations.map(\.rule) == ["ACC01", "ACC02"])
        let short = #expect(throws: Failure.self) {
            try AccountRules(csv: Array(lines.dropLast().joined(separator: "\n").utf8))
        }
        #expect(short?.violations.map(\.rule) == ["ACC04"])
    }
}

/// The shipped file's bytes, read through the rules that came from it.
private enum PackageResourcesProbe {
    static var rules: [UInt8] {
        let rows = AccountRules.Name.allCases.map {
            "\($0.rawValue),\(AccountRules.shipped[$0]),unit,2024-01-01,source"
        }
        return Array((["name,value,unit,effective_from,source"] + rows).joined(separator: "\n").utf8)
    }
}
