import SwiftProtobuf
import Testing

@testable import PCSCommand

/// A type with a field of each kind, made by hand, because the contract has no use for all of them.
@Suite("Kinds of fields")
struct ScalarKindTests {
    private static let kinds: [(String, Google_Protobuf_FieldDescriptorProto.TypeEnum)] = [
        ("d", .double), ("f", .float), ("i32", .int32), ("i64", .int64), ("u32", .uint32), ("u64", .uint64),
        ("s32", .sint32), ("s64", .sint64), ("x32", .fixed32), ("x64", .fixed64), ("sx32", .sfixed32),
        ("sx64", .sfixed64), ("b", .bool), ("t", .string), ("y", .bytes),
    ]

    private static let pool: DescriptorPool = {
        var type = Google_Protobuf_DescriptorProto()
        type.name = "All"
        for (index, kind) in kinds.enumerated() {
            type.field.append(field(kind.0, Int32(index + 1), kind.1))
            type.field.append(field("many_" + kind.0, Int32(index + 101), kind.1, repeated: true))
        }
        var entry = Google_Protobuf_DescriptorProto()
        entry.name = "CountsEntry"
        entry.options.mapEntry = true
        entry.field = [field("key", 1, .string), field("value", 2, .int64)]
        type.nestedType = [entry]
        var counts = field("counts", 50, .message, repeated: true)
        counts.typeName = ".test.All.CountsEntry"
        type.field.append(counts)
        var file = Google_Protobuf_FileDescriptorProto()
        file.package = "test"
        file.messageType = [type]
        var set = Google_Protobuf_FileDescriptorSet()
        set.file = [file]
        return DescriptorPool([set])
    }()

    private static func field(
        _ name: String, _ number: Int32, _ type: Google_Protobuf_FieldDescriptorProto.TypeEnum,
        repeated: Bool = false
    ) -> Google_Protobuf_FieldDescriptorProto {
        var field = Google_Protobuf_FieldDescriptorProto()
        field.name = name
        field.number = number
        field.type = type
        field.label = repeated ? .repeated : .optional
        return field
    }

    private func encoded(_ json: String) throws -> [UInt8] {
        let type = try #require(Self.pool.message("test.All"))
        return try DynamicJSONDecoder(pool: Self.pool).message(type, from: JSONParser.parse(Array(json.utf8)))
            .encoded()
    }

    @Test(
        "each kind has its bytes",
        arguments: [
            (#"{"d":1.5}"#, [0x09, 0, 0, 0, 0, 0, 0, 0xF8, 0x3F]),
            (#"{"f":"-Infinity"}"#, [0x15, 0, 0, 0x80, 0xFF]),
            (#"{"i32":-1}"#, [0x18, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01]),
            (#"{"i64":"300"}"#, [0x20, 0xAC, 0x02]),
            (#"{"u32":4294967295}"#, [0x28, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F]),
            (
                #"{"u64":"18446744073709551615"}"#,
                [0x30, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01]
            ),
            (#"{"s32":-2}"#, [0x38, 0x03]), (#"{"s64":2147483648}"#, [0x40, 0x80, 0x80, 0x80, 0x80, 0x10]),
            (#"{"x32":1}"#, [0x4D, 1, 0, 0, 0]), (#"{"x64":"1"}"#, [0x51, 1, 0, 0, 0, 0, 0, 0, 0]),
            (#"{"sx32":-1}"#, [0x5D, 0xFF, 0xFF, 0xFF, 0xFF]),
            (#"{"sx64":"-2"}"#, [0x61, 0xFE] + Array(repeating: 0xFF, count: 7)),
            (#"{"b":true}"#, [0x68, 0x01]), (#"{"t":"hé"}"#, [0x72, 0x03, 0x68, 0xC3, 0xA9]),
            (#"{"y":"/w=="}"#, [0x7A, 0x01, 0xFF]),
            (#"{"i32":1e2}"#, [0x18, 0x64]), (#"{"i64":2.0}"#, [0x20, 0x02]),
            (#"{"manyI32":[1,2]}"#, [0xBA, 0x06, 0x02, 0x01, 0x02]),
            (#"{"many_t":["a","b"]}"#, [0x92, 0x07, 1, 0x61, 0x92, 0x07, 1, 0x62]),
            (#"{"counts":{"a":1}}"#, [0x92, 0x03, 0x05, 0x0A, 0x01, 0x61, 0x10, 0x01]),
        ] as [(String, [UInt8])])
    func bytes(json: String, bytes: [UInt8]) throws {
        #expect(try encoded(json) == bytes)
        let type = try #require(Self.pool.message("test.All"))
        let message = try DynamicMessage(decoding: bytes, as: type, pool: Self.pool)
        let again = DynamicJSONEncoder(pool: Self.pool).json(message)
        #expect(try encoded(again.compact) == bytes)
        let text = DynamicTextEncoder(pool: Self.pool).text(message)
        #expect(
            try DynamicTextDecoder(pool: Self.pool).message(type, from: text).encoded() == bytes, "\(text)")
    }

    @Test(
        "numbers out of range or of another kind are refused",
        arguments: [
            #"{"i32":2147483648}"#, #"{"u32":-1}"#, #"{"i64":1.5}"#, #"{"u64":"-1"}"#, #"{"f":1e39}"#,
            #"{"d":"high"}"#,
            #"{"i64":"1x"}"#, #"{"y":"%%"}"#, #"{"t":1}"#, #"{"i32":"+1"}"#, #"{"d":1e999}"#,
        ])
    func outOfRange(json: String) {
        #expect(throws: DynamicError.self) { try encoded(json) }
    }

    @Test("lists are read packed and unpacked")
    func packing() throws {
        let type = try #require(Self.pool.message("test.All"))
        let unpacked = try DynamicMessage(
            decoding: [0xB8, 0x06, 1, 0xB8, 0x06, 2], as: type, pool: Self.pool)
        #expect(unpacked.encoded() == [0xBA, 0x06, 0x02, 0x01, 0x02])
    }
}
