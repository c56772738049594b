import CommonContract
import Foundation
import HostContract
import PaymentsContract
import SwiftProtobuf
import Testing

@testable import PCSCommand

/// The generated messages are the oracle: what they write we must read, and the other way round.
@Suite("Dynamic messages")
struct DynamicMessageTests {
    static let pool = (try? DescriptorPool(serializedSets: ContractJSON.descriptorSets)) ?? DescriptorPool([])

    static func type(_ name: String) throws -> MessageType { try #require(pool.message(name)) }

    static func dynamic(_ message: some Message) throws -> DynamicMessage {
        let bytes: [UInt8] = try message.serializedBytes()
        return try DynamicMessage(
            decoding: bytes, as: type(Swift.type(of: message).protoMessageName), pool: pool)
    }

    static var statement: Pcs_Payments_V1_Statement {
        var statement = Pcs_Payments_V1_Statement()
        statement.statementID = "2019-04-1/A81001"
        statement.month = Pcs_Common_V1_Month(year: 2019, month: 4)
        statement.published = true
        statement.practiceName = "Dr \"Größe\" & Söhne\n"
        statement.contractType = .apms
        statement.grossPence = .max
        statement.deductionsPence = .min
        statement.publishedAt = Google_Protobuf_Timestamp(seconds: 1_774_949_400, nanos: 120_000_000)
        for number in 1...3 {
            var line = Pcs_Payments_V1_StatementLine()
            line.lineNumber = Int32(number)
            line.amountPence = Int64(number) * -100
            line.paycode = "GSUM"
            statement.lines.append(line)
        }
        return statement
    }

    @Test("bytes of a generated message come out as they went in")
    func bytesRoundTrip() throws {
        let bytes: [UInt8] = try Self.statement.serializedBytes()
        #expect(try Self.dynamic(Self.statement).encoded() == bytes)
    }

    @Test("our JSON reads back into the generated message")
    func jsonToGenerated() throws {
        let json = DynamicJSONEncoder(pool: Self.pool).json(try Self.dynamic(Self.statement))
        #expect(try Pcs_Payments_V1_Statement(jsonString: json.compact) == Self.statement)
    }

    @Test("JSON of a generated message reads into the same bytes")
    func jsonFromGenerated() throws {
        let json = try JSONParser.parse(Array(try Self.statement.jsonString().utf8))
        let message = try DynamicJSONDecoder(pool: Self.pool).message(
            Self.type("pcs.payments.v1.Statement"), from: json)
        #expect(message.encoded() == (try Self.statement.serializedBytes() as [UInt8]))
    }

    @Test("text format goes both ways")
    func textFormat() throws {
        let text = DynamicTextEncoder(pool: Self.pool).text(try Self.dynamic(Self.statement))
        #expect(try Pcs_Payments_V1_Statement(textFormatString: text) == Self.statement)
        let message = try DynamicTextDecoder(pool: Self.pool).message(
            Self.type("pcs.payments.v1.Statement"), from: Self.statement.textFormatString())
        #expect(message.encoded() == (try Self.statement.serializedBytes() as [UInt8]))
    }

    @Test("every field of the type is in the JSON, zeros too")
    func zeros() throws {
        let json = DynamicJSONEncoder(pool: Self.pool).json(try Self.dynamic(Pcs_Host_V1_Plugin()))
        #expect(
            json.compact
                == #"{"name":"","version":"","state":"PLUGIN_STATE_UNSPECIFIED","because":"","callsInFlight":"0","#
                + #""callsTotal":"0","eventsWaiting":"0","eventsParked":"0"}"#
        )
    }

    @Test("an optional field that is not set is left out, and a set zero stays")
    func optionalField() throws {
        let type = try Self.type("pcs.payments.v1.ApproveRunRequest")
        let decoder = DynamicJSONDecoder(pool: Self.pool)
        let unset = try decoder.message(type, from: JSONParser.parse(Array(#"{"runId":"x"}"#.utf8)))
        let zero = try decoder.message(type, from: JSONParser.parse(Array(#"{"controlTotalPence":0}"#.utf8)))
        #expect(unset.encoded() == [0x0A, 0x01, 0x78])
        #expect(zero.encoded() == [0x18, 0x00])
        #expect(DynamicJSONEncoder(pool: Self.pool).json(unset).compact.contains("control") == false)
    }

    @Test("days and months may be written as people write them")
    func days() throws {
        let json = #"{"month":"2019-04","paymentDate":"2019-04-30"}"#
        let message = try DynamicJSONDecoder(pool: Self.pool).message(
            Self.type("pcs.payments.v1.OpenRunRequest"), from: JSONParser.parse(Array(json.utf8)))
        var expected = Pcs_Payments_V1_OpenRunRequest()
        expected.month = Pcs_Common_V1_Month(year: 2019, month: 4)
        expected.paymentDate.year = 2019
        expected.paymentDate.month = 4
        expected.paymentDate.day = 30
        #expect(message.encoded() == (try expected.serializedBytes() as [UInt8]))
    }

    @Test(
        "input that does not fit is refused with the field and a suggestion",
        arguments: [
            (#"{"pratciceCode":"A"}"#, #"has no field "pratciceCode"; did you mean "practiceCode"?"#),
            (#"{"month":{"year":"soon"}}"#, #"month.year: must be a whole number, not "soon""#),
            (#"{"month":"2019-13"}"#, #"month: must be a month such as "2026-04", not "2019-13""#),
            (#"{"collapsed":1}"#, "collapsed: must be true or false, not 1"),
            (#"{"month":{"year":3000000000}}"#, "month.year: must be a whole number, not 3000000000"),
            (#"{"month":[]}"#, "month: pcs.common.v1.Month is written as an object, not as a list"),
            (#"{"practiceCode":"A","practice_code":"B"}"#, "practiceCode: is given twice"),
            (#"[]"#, "is written as an object, not as a list"),
        ])
    func misfits(json: String, complaint: String) throws {
        let type = try Self.type("pcs.payments.v1.GetStatementRequest")
        let value = try JSONParser.parse(Array(json.utf8))
        let error = #expect(throws: DynamicError.self) {
            try DynamicJSONDecoder(pool: Self.pool).message(type, from: value)
        }
        #expect(error?.description.contains(complaint) == true, "\(error.map(\.description) ?? "")")
    }

    @Test("enums are read by name and number, and a wrong name gets a suggestion")
    func enums() throws {
        let type = try Self.type("pcs.payments.v1.GetRunTotalsRequest")
        let decoder = DynamicJSONDecoder(pool: Self.pool)
        for json in [#"{"dimension":"TOTAL_DIMENSION_REGION"}"#, #"{"dimension":2}"#] {
            #expect(
                try decoder.message(type, from: JSONParser.parse(Array(json.utf8))).encoded() == [0x10, 0x02])
        }
        let wrong = try JSONParser.parse(Array(#"{"dimension":"TOTAL_DIMENSION_REGIO"}"#.utf8))
        let error = #expect(throws: DynamicError.self) { try decoder.message(type, from: wrong) }
        #expect(error?.description.contains("did you mean \"TOTAL_DIMENSION_REGION\"") == true)
    }

    @Test("only one member of a oneof can be given, and the last one on the wire holds")
    func oneofs() throws {
        let type = try Self.type("pcs.payments.v1.PublishedComparison")
        let both = try JSONParser.parse(Array(#"{"practice":{},"summary":{}}"#.utf8))
        #expect(throws: DynamicError.self) {
            try DynamicJSONDecoder(pool: Self.pool).message(type, from: both)
        }
        let message = try DynamicMessage(decoding: [0x0A, 0x00, 0x12, 0x00], as: type, pool: Self.pool)
        #expect(DynamicJSONEncoder(pool: Self.pool).json(message).compact.hasPrefix(#"{"summary":"#))
    }

    @Test("fields that the type does not know are passed over")
    func unknownFields() throws {
        let type = try Self.type("pcs.host.v1.EchoRequest")
        let message = try DynamicMessage(
            decoding: [0xA0, 0x06, 0x05, 0xAA, 0x06, 0x01, 0x41, 0x10, 0x07], as: type, pool: Self.pool)
        #expect(message.encoded() == [0x10, 0x07])
    }

    @Test(
        "damaged bytes are refused, never a crash",
        arguments: [
            [0x0A], [0x0A, 0x05, 0x41], [0x10], [0x10, 0xFF], [UInt8](repeating: 0xFF, count: 11),
            [0x1A, 0x01, 0xFF], [0x0B],
        ])
    func damagedBytes(bytes: [UInt8]) throws {
        let type = try Self.type("pcs.host.v1.EchoRequest")
        #expect(throws: DynamicError.self) { try DynamicMessage(decoding: bytes, as: type, pool: Self.pool) }
    }

    @Test("random bytes are decoded or refused")
    func randomBytes() throws {
        let type = try Self.type("pcs.payments.v1.Statement")
        var random = SystemRandomNumberGenerator()
        for _ in 0..<5_000 {
            let bytes = (0..<Int.random(in: 0..<60, using: &random)).map { _ in
                UInt8.random(in: 0...255, using: &random)
            }
            if let message = try? DynamicMessage(decoding: bytes, as: type, pool: Self.pool) {
                let again = message.encoded()
                #expect(try DynamicMessage(decoding: again, as: type, pool: Self.pool).encoded() == again)
            }
        }
    }

    @Test("a method is found by an unambiguous end of its name")
    func methods() throws {
        #expect(try Self.pool.method("RunService/GetRun").path == "pcs.payments.v1.RunService/GetRun")
        #expect(try Self.pool.method("GetStatus").path == "pcs.host.v1.HealthService/GetStatus")
        let error = #expect(throws: DynamicError.self) { try Self.pool.method("RunServce/GetRun") }
        #expect(error?.description.contains("RunService/GetRun") == true)
    }
}
