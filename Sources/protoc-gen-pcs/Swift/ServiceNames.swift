import SwiftProtobufPluginLibrary

/// Swift names of a service and its methods.
struct ServiceNames {
    let namer: SwiftProtobufNamer
    let service: ServiceDescriptor

    init(_ service: Contract.Service, _ namer: SwiftProtobufNamer) {
        self.service = service.descriptor
        self.namer = namer
    }

    /// `Pcs_Host_V1_PluginService`.
    var base: String { namer.typePrefix(forFile: service.file) + service.name }
    var table: String { base + "Methods" }
    var client: String { base + "Client" }

    func function(_ method: Contract.Method) -> String {
        Spelling.identifier(Words.decapitalised(method.descriptor.name))
    }

    func request(_ method: Contract.Method) -> String { namer.fullName(message: method.descriptor.inputType) }
    func reply(_ method: Contract.Method) -> String { namer.fullName(message: method.descriptor.outputType) }
}
