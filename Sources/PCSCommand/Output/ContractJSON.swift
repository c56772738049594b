import HostContract
import PaymentsContract
package import SwiftProtobuf

/// Generated messages as JSON, in the same form that `pcs call` prints: every field each time.
package enum ContractJSON {
    /// Encoded descriptor sets of every contract that this build speaks.
    package static var descriptorSets: [[UInt8]] {
        [HostContractDescriptors.fileDescriptorSet, PaymentsContractDescriptors.fileDescriptorSet]
    }

    private static let pool: DescriptorPool = {
        do {
            return try DescriptorPool(serializedSets: descriptorSets)
        } catch {
            preconditionFailure("the descriptor set of this build is damaged: \(error)")
        }
    }()

    package static func json(_ message: some Message) throws -> JSONValue {
        guard let type = pool.message(Swift.type(of: message).protoMessageName) else {
            throw DynamicError(
                path: "", problem: "the contract does not hold \(Swift.type(of: message).protoMessageName)")
        }
        let bytes: [UInt8] = try message.serializedBytes()
        return DynamicJSONEncoder(pool: pool).json(try DynamicMessage(decoding: bytes, as: type, pool: pool))
    }
}
