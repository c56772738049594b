import PCSCommand
import Testing

@Suite("JSON")
struct JSONTests {
    @Test(
        "what is read is written again",
        arguments: [
            #"{"a":1,"b":[true,false,null],"c":{"d":"x"}}"#, #"[]"#, #"{}"#, #""é€😀""#, "-0.5e10",
            "12345678901234567890",
            #""\"\\\n\r\t""#,
        ])
    func roundTrip(text: String) throws {
        #expect(try JSONParser.parse(Array(text.utf8)).compact == text)
    }

    @Test("escapes and surrogate pairs are resolved")
    func escapes() throws {
        #expect(try JSONParser.parse(Array(#""\u00e9\/\ud83d\ude00""#.utf8)).compact == "\"é/😀\"")
    }

    @Test("control characters are written as escapes, so that output cannot steer a terminal")
    func controlCharacters() {
        #expect(JSONValue.string("a\u{1B}[2Jb\u{9B}").compact == #""a\u001b[2Jb\u009b""#)
    }

    @Test(
        "what is not JSON is refused with its place",
        arguments: [
            ("{\n  \"a\": 01\n}", "line 2, column 9"), ("[1,]", "line 1, column 4"),
            ("{\"a\":1,\"a\":2}", "appears twice"),
            ("\"a", "no closing quote"), ("nul", "a value is expected"), ("1 2", "nothing may follow"),
            ("\"\\ud800\"", "surrogate"), ("{'a':1}", "double quotes"), ("", "ends where"),
            ("\"\u{01}\"", "control"),
        ])
    func refused(text: String, complaint: String) {
        let error = #expect(throws: JSONSyntaxError.self) { try JSONParser.parse(Array(text.utf8)) }
        #expect(error?.description.contains(complaint) == true, "\(error.map(\.description) ?? "")")
    }

    @Test("nesting is bounded")
    func depth() {
        let deep = String(repeating: "[", count: 5_000)
        #expect(throws: JSONSyntaxError.self) { try JSONParser.parse(Array(deep.utf8)) }
    }

    @Test("bytes that are not UTF-8 are refused")
    func encoding() {
        #expect(throws: JSONSyntaxError.self) { try JSONParser.parse([0x22, 0xFF, 0x22]) }
    }

    @Test("JSON lines are read one after another")
    func sequence() throws {
        let values = try JSONParser.parseSequence(Array("{\"a\":1}\n{\"a\":2}\n\n 3".utf8))
        #expect(values.map(\.compact) == [#"{"a":1}"#, #"{"a":2}"#, "3"])
    }

    @Test("pretty output has two spaces a level")
    func pretty() throws {
        let value = try JSONParser.parse(Array(#"{"a":[1,2],"b":{}}"#.utf8))
        #expect(value.pretty == "{\n  \"a\": [\n    1,\n    2\n  ],\n  \"b\": {}\n}")
    }
}
