import Foundation
import SwiftProtobuf
import SwiftProtobufPluginLibrary

/// What the generator does when it is started by hand instead of by protoc.
enum Command {
    /// Writes the documents of a descriptor set into a folder.
    case documents(descriptorSet: String, folder: String)
    /// Fails when the newer contract breaks a client of the older one.
    case compare(older: String, newer: String)

    init?(_ arguments: [String]) {
        switch (arguments.first, arguments.count) {
        case ("--documents", 3): self = .documents(descriptorSet: arguments[1], folder: arguments[2])
        case ("--compare", 3): self = .compare(older: arguments[1], newer: arguments[2])
        default: return nil
        }
    }

    func run() throws {
        switch self {
        case .documents(let path, let folder):
            let set = DescriptorSet(proto: try Self.descriptorSet(at: path))
            let own = set.files.filter { $0.package.hasPrefix("pcs.") }.sorted { $0.name < $1.name }
            let contract = try ContractReader.read(own)
            for document in Documents.all(of: contract) {
                let url = URL(fileURLWithPath: folder).appendingPathComponent(document.name)
                try Data(document.text.utf8).write(to: url)
            }
        case .compare(let older, let newer):
            let breaks = ContractComparison.breaks(
                from: try Self.descriptorSet(at: older), to: try Self.descriptorSet(at: newer))
            guard breaks.isEmpty else { throw IncompatibleChange(breaks: breaks) }
        }
    }

    private static func descriptorSet(at path: String) throws -> Google_Protobuf_FileDescriptorSet {
        let data = try Data(contentsOf: URL(fileURLWithPath: path))
        var options = SimpleExtensionMap()
        options.insert(contentsOf: Generator().customOptionExtensions)
        return try Google_Protobuf_FileDescriptorSet(serializedBytes: data, extensions: options)
    }
}

/// The newer contract breaks clients of the older one.
struct IncompatibleChange: Error, CustomStringConvertible {
    let breaks: [String]
    var description: String {
        "The contract changed in a way that breaks released clients; see proto/README.md:\n"
            + breaks.map { "  " + $0 }.joined(separator: "\n")
    }
}
