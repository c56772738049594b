import Foundation
import HostContract
import PluginAPI

/// Serves `pcs.host.v1.ReflectionService`: the contract of every area that this host serves, as one
/// descriptor set.
struct ReflectionServiceHandler: Pcs_Host_V1_ReflectionService {
    private let merged: Data

    /// - Parameter descriptorSets: serialised `google.protobuf.FileDescriptorSet`s; files of the same name
    ///   are kept once.
    init(descriptorSets: [[UInt8]]) { merged = Data(DescriptorSets.merge(descriptorSets)) }

    func getDescriptorSet(
        _ request: Pcs_Host_V1_GetDescriptorSetRequest, _ call: CallContext
    ) async throws -> Pcs_Host_V1_GetDescriptorSetResponse {
        var response = Pcs_Host_V1_GetDescriptorSetResponse()
        response.descriptorSet = merged
        return response
    }
}

/// A FileDescriptorSet is a list of `file` (field 1), each a message whose field 1 is its name. Merging
/// copies the entries whose names are new; nothing else has to be understood.
enum DescriptorSets {
    static func merge(_ sets: [[UInt8]]) -> [UInt8] {
        var names = Set<[UInt8]>()
        var merged: [UInt8] = []
        for set in sets {
            var position = 0
            while let entry = field(in: set, at: &position) {
                guard entry.number == 1 else { continue }
                let name = name(in: set[entry.content])
                if names.insert(name).inserted { merged += set[entry.whole] }
            }
        }
        return merged
    }

    private static func name(in file: ArraySlice<UInt8>) -> [UInt8] {
        let file = Array(file)
        var position = 0
        while let entry = field(in: file, at: &position) {
            if entry.number == 1 { return Array(file[entry.content]) }
        }
        return []
    }

    /// The next length-delimited field, stepping over others; `nil` at the end or when the bytes are no
    /// message.
    private static func field(
        in bytes: [UInt8], at position: inout Int
    ) -> (number: UInt64, whole: Range<Int>, content: Range<Int>)? {
        while position < bytes.count {
            let start = position
            guard let tag = varint(in: bytes, at: &position) else { return nil }
            switch tag & 7 {
            case 0: guard varint(in: bytes, at: &position) != nil else { return nil }
            case 1: position += 8
            case 5: position += 4
            case 2:
                guard let length = varint(in: bytes, at: &position), length <= UInt64(bytes.count - position)
                else {
                    return nil
                }
                let content = position..<(position + Int(length))
                position = content.upperBound
                return (tag >> 3, start..<position, content)
            default: return nil
            }
        }
        return nil
    }

    private static func varint(in bytes: [UInt8], at position: inout Int) -> UInt64? {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while position < bytes.count, shift < 64 {
            let byte = bytes[position]
            position += 1
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return value }
            shift += 7
        }
        return nil
    }
}
