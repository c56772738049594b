import Testing

@testable import PCSCommand

@Suite("Protobuf text format")
struct TextFormatTests {
    private func decoded(_ text: String) throws -> String {
        let pool = DynamicMessageTests.pool
        let type = try DynamicMessageTests.type("pcs.payments.v1.AcceptExceptionRequest")
        let message = try DynamicTextDecoder(pool: pool).message(type, from: text)
        return DynamicJSONEncoder(pool: pool).json(message).compact
    }

    @Test("lists, comments, joined texts and separators are understood")
    func forms() throws {
        let text = """
            run_id: "2019" '-04-1'  # the run
            numbers: [1, 2], numbers: 3;
            reason: "a\\tb\\303\\251"
            """
        #expect(try decoded(text) == #"{"runId":"2019-04-1","numbers":[1,2,3],"reason":"a\tbé"}"#)
    }

    @Test(
        "what does not fit is refused with its line",
        arguments: [
            (
                "run_id: \"x\"\nnumber: 1",
                "line 2: pcs.payments.v1.AcceptExceptionRequest has no field \"number\"; did you mean \"numbers\"?"
            ),
            ("run_id: x", "line 1: run_id must be a text, not \"x\""),
            ("run_id \"x\"", "a colon is expected"),
            ("run_id: \"x", "no closing quote"), ("numbers: 1.5", "numbers must be a whole number"),
            ("run_id: \"x\" run_id: \"y\"", "given twice"), ("}", "a field name is expected"),
            ("numbers: [1", "numbers has no value"),
        ])
    func refused(text: String, complaint: String) {
        let error = #expect(throws: TextFormatError.self) { try decoded(text) }
        #expect(error?.description.contains(complaint) == true, "\(error.map(\.description) ?? "")")
    }
}
