import PluginAPI
import Testing

@testable import Host

@Suite("Registration codes and their letters")
struct RegistrationCodeTests {
    @Test("a code has 12 characters of 31 and a check character, and is read however it is typed")
    func form() throws {
        #expect(RegistrationCode.alphabet.count == 31 && Set(RegistrationCode.alphabet).count == 31)
        for letter in "0O1IL".utf8 { #expect(!RegistrationCode.alphabet.contains(letter)) }
        var seen: Set<String> = []
        for _ in 0..<1_000 {
            let code = RegistrationCode.random()
            #expect(code.text.utf8.count == 13 && seen.insert(code.text).inserted)
            #expect(try RegistrationCode(typed: code.grouped) == code)
            #expect(try RegistrationCode(typed: " " + code.text.lowercased()) == code)
        }
    }

    @Test("one wrong character and two exchanged neighbours never pass the check")
    func check() throws {
        for _ in 0..<50 {
            let good = Array(RegistrationCode.random().text.utf8)
            for place in good.indices {
                for other in RegistrationCode.alphabet where other != good[place] {
                    var wrong = good
                    wrong[place] = other
                    #expect(throws: RegistrationCode.Fault.check) {
                        try RegistrationCode(typed: String(decoding: wrong, as: UTF8.self))
                    }
                }
                guard place > 0, good[place] != good[place - 1] else { continue }
                var swapped = good
                swapped.swapAt(place, place - 1)
                #expect(throws: RegistrationCode.Fault.check) {
                    try RegistrationCode(typed: String(decoding: swapped, as: UTF8.self))
                }
            }
        }
    }

    @Test(
        "texts that are no code",
        arguments: ["", "ABC", "ABCDEFGHJKMN", "ABCDEFGHJKMN2Z", "OOOOOOOOOOOOO", "ABCD_EFGH_JKMN"])
    func noCode(_ text: String) {
        #expect(throws: RegistrationCode.Fault.form) { try RegistrationCode(typed: text) }
    }

    @Test("a digest fits its code at its organisation with its salt, and nothing else")
    func digest() throws {
        let code = RegistrationCode.random()
        let practice = try #require(ODSCode("A81001"))
        let other = try #require(ODSCode("A81002"))
        let salt = RegistrationCode.salt()
        let digest = code.digest(for: practice, salt: salt)
        #expect(code.fits(digest, for: practice, salt: salt))
        #expect(!code.fits(digest, for: other, salt: salt))
        #expect(!code.fits(digest, for: practice, salt: RegistrationCode.salt()))
        #expect(!RegistrationCode.random().fits(digest, for: practice, salt: salt))
    }

    @Test("what stands in a name is never taken for a place of the letter")
    func template() throws {
        let template = try LetterTemplate.shipped()
        let letter = template.letter([
            .organisationName: "{code} SURGERY", .address: "1 HIGH STREET", .date: "1 September 2019",
            .organisationCode: "A81001", .code: "ABCD", .expiresOn: "31 March 2020",
        ])
        #expect(letter.contains("{code} SURGERY\n1 HIGH STREET") && letter.contains("      ABCD\n"))
        #expect(throws: LetterTemplate.Incomplete.self) { try LetterTemplate("no places") }
    }

    @Test("the standing of a registration goes only the ways of its diagram")
    func standings() {
        let ways = RegistrationStanding.allCases.flatMap { from in
            RegistrationStanding.allCases.filter { from.mayBecome($0) }.map { "\(from) \($0)" }
        }
        #expect(
            Set(ways) == [
                "notInvited invited", "notInvited registered", "invited invited", "invited expired",
                "invited revoked",
                "invited codeAccepted", "invited closed", "expired invited", "expired closed",
                "revoked invited",
                "revoked closed", "codeAccepted registered", "codeAccepted closed", "registered suspended",
                "registered closed", "suspended registered", "suspended closed", "closed invited",
            ])
    }
}
