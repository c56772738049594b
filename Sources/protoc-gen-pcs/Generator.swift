import Foundation
import SwiftProtobuf
import SwiftProtobufPluginLibrary

/// The protoc plugin that turns the contract into service protocols, method tables, clients and catalogues. Started
/// with arguments it writes documents or compares two contracts instead.
@main
struct Generator: CodeGenerator {
    static func main() {
        let arguments = Array(CommandLine.arguments.dropFirst())
        guard let command = Command(arguments) else {
            Generator().main(arguments)
            return
        }
        do {
            try command.run()
        } catch {
            FileHandle.standardError.write(Data("\(error)\n".utf8))
            exit(1)
        }
    }

    let supportedFeatures: [Google_Protobuf_Compiler_CodeGeneratorResponse.Feature] = [.proto3Optional]
    let customOptionExtensions: [any AnyMessageExtension] = [
        Pcs_Access_V1_Extensions_access, Pcs_Access_V1_Extensions_failure, Pcs_Access_V1_Extensions_event,
    ]

    /// Parameters: `Module`, the Swift module written; `ProtoPathModuleMappings` as for protoc-gen-swift.
    func generate(
        files: [FileDescriptor], parameter: any CodeGeneratorParameter,
        protoCompilerContext: any ProtoCompilerContext, generatorOutputs: any GeneratorOutputs
    ) throws {
        var module = ""
        var mappings = ProtoFileToModuleMappings()
        for (key, value) in parameter.parsedPairs {
            switch key {
            case "Module": module = value
            case "ProtoPathModuleMappings":
                mappings = try ProtoFileToModuleMappings(path: value, swiftProtobufModuleName: nil)
            default: throw UsageError("unknown parameter \(key): use Module and ProtoPathModuleMappings")
            }
        }
        guard !module.isEmpty else {
            throw UsageError("the parameter Module is missing: name the Swift module")
        }

        let contract = try ContractReader.read(files)
        for file in contract.files where file.hasCode {
            let stem =
                file.descriptor.name.split(separator: "/").last.map { $0.split(separator: ".")[0] } ?? ""
            try generatorOutputs.add(
                fileName: "\(stem).pcs.swift",
                contents: SwiftFileWriter(file: file, mappings: mappings).text())
        }
        if contract.files.contains(where: { !$0.services.isEmpty }) {
            try generatorOutputs.add(
                fileName: "\(module)Descriptors.pcs.swift",
                contents: try DescriptorSetWriter.text(of: contract, module: module))
        }
    }
}

/// The generator was started in a way that it does not know.
struct UsageError: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
