import CaseworkContract
import ChangesContract
import CqrsContract
import DocumentsContract
import HostContract
import PaymentsContract
package import SwiftProtobuf

/// Generated messages as JSON, in the same form that `pcs call` prints: every field each time.
package enum ContractJSON {
    /// Encoded descriptor sets of every contract that this build speaks.
    package static var descriptorSets: [[UInt8]] {
        [
            HostContractDescriptors.fileDescriptorSet, PaymentsContractDescriptors.fileDescriptorSet,
            CaseworkContractDescriptors.fileDescriptorSet, DocumentsContractDescriptors.fileDescriptorSet,
            ChangesContractDescriptors.fileDescriptorSet, CqrsContractDescriptors.fileDescriptorSet,
        ]
    }

    private static let pool: DescriptorPool = {
        do {
            return try DescriptorPool(serializedSets: descriptorSets)
        } catch {
            preconditionFailure("the descriptor set of this build is damaged: \(error)")
        }
    }()

    /// How people see messages of the contract.
    package static var view: RecordView { RecordView(pool: pool) }

    package static func json(_ message: some Message) throws -> JSONValue {
        DynamicJSONEncoder(pool: pool).json(try dynamic(message))
    }

    package static func dynamic(_ message: some Message) throws -> DynamicMessage {
        let name = Swift.type(of: message).protoMessageName
        guard let type = pool.message(name) else {
            throw DynamicError(path: "", problem: "the contract does not hold \(name)")
        }
        let bytes: [UInt8] = try message.serializedBytes()
        return try DynamicMessage(decoding: bytes, as: type, pool: pool)
    }

    /// Reads a message from JSON as `pcs call` does: days may be written `2019-04-01`.
    package static func message<Value: Message>(_ json: [UInt8], as type: Value.Type) throws -> Value {
        guard let known = pool.message(type.protoMessageName) else {
            throw DynamicError(path: "", problem: "the contract does not hold \(type.protoMessageName)")
        }
        let read = try DynamicJSONDecoder(pool: pool).message(known, from: try JSONParser.parse(json))
        return try Value(serializedBytes: read.encoded())
    }
}
