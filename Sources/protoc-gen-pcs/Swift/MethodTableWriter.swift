import SwiftProtobufPluginLibrary

/// Writes the method table of a service: descriptors with their access rules, and `bind`.
struct MethodTableWriter {
    let service: Contract.Service
    let names: ServiceNames

    init(service: Contract.Service, namer: SwiftProtobufNamer) {
        self.service = service
        self.names = ServiceNames(service, namer)
    }

    func write(to source: inout SwiftSource) {
        source.documentation([
            "Methods of `\(service.descriptor.fullName)`, and how an implementation is bound to them."
        ])
        source.block("public enum \(names.table)") { source in
            for method in service.methods { write(method, to: &source) }
            source.documentation(["In the order of the contract."])
            source.line("public static let all: [MethodDescriptor] = [")
            source.indented { source in
                for method in service.methods { source.line("\(names.function(method)),") }
            }
            source.line("]")
            source.line()
            source.documentation(["Makes `service` callable by the Host."])
            source.line("public static func bind(_ service: some \(names.base)) -> [BoundMethod] {")
            source.line("    [")
            for method in service.methods { source.line("        bind\(method.descriptor.name)(service),") }
            source.line("    ]")
            source.line("}")
            for method in service.methods { writeBinding(of: method, to: &source) }
        }
    }

    private func write(_ method: Contract.Method, to source: inout SwiftSource) {
        let access = method.access
        source.documentation([], then: [access.inWords])
        source.line("public static let \(names.function(method)) = MethodDescriptor(")
        source.indented { source in
            source.line("path: \(Spelling.literal(method.path)),")
            source.line("kind: .\(method.kind.rawValue),")
            source.line("requestType: \(Spelling.literal(method.descriptor.inputType.fullName)),")
            source.line("replyType: \(Spelling.literal(method.descriptor.outputType.fullName)),")
            source.line("access: AccessRule(")
            source.indented { source in
                if access.allow.isEmpty {
                    source.line("allow: [],")
                } else {
                    source.line("allow: [")
                    for allow in access.allow { source.line("    \(literal(allow)),") }
                    source.line("],")
                }
                source.line("isAnonymous: \(access.isAnonymous), anyCaller: \(access.anyCaller),")
                source.line(
                    "changesState: \(access.changesState), needsSecondPerson: \(access.needsSecondPerson),")
                source.line("audit: .\(access.audit.rawValue),")
                source.line("timeLimitMilliseconds: \(Spelling.literal(access.timeLimitMilliseconds)),")
                source.line("maximumRequestBytes: \(Spelling.literal(access.maximumRequestBytes)),")
                let stepUp = access.needsStepUp ? ", needsStepUp: true" : ""
                source.line("execution: .\(access.execution.rawValue)\(stepUp)))")
            }
        }
        source.line()
    }

    private func literal(_ allow: Contract.Allow) -> String {
        let role = Words.lowerCamel(screaming: allow.role)
        let field =
            allow.organisationPath.isEmpty
            ? "" : ", organisationField: \(Spelling.literal(allow.organisationPath))"
        return "Allow(role: Roles.\(role), relation: .\(allow.relation.rawValue)\(field))"
    }

    private func writeBinding(of method: Contract.Method, to source: inout SwiftSource) {
        let function = names.function(method)
        source.line()
        source.block(
            "private static func bind\(method.descriptor.name)(_ service: some \(names.base)) -> BoundMethod"
        ) { source in
            source.line("BoundMethod(")
            source.line("    descriptor: \(function),")
            source.line("    handler: .\(method.kind.rawValue) { bytes in")
            source.indented { source in
                source.indented { source in
                    source.line(
                        "let request = try RequestDecodingFailure.decode(bytes, as: \(names.request(method)).self)"
                    )
                    source.lines(handler(of: method, calling: function))
                    source.lines(prepared(method))
                }
            }
            source.line("    })")
        }
    }

    private func handler(of method: Contract.Method, calling function: String) -> [String] {
        switch method.kind {
        case .unary:
            [
                "let run: BoundMethod.Unary = { call in",
                "    try await service.\(function)(request, call).serializedBytes()",
                "}",
            ]
        case .serverStreaming:
            [
                "let run: BoundMethod.ServerStreaming = { call, sink in",
                "    try await service.\(function)(request, ReplyStream(sink), call)",
                "}",
            ]
        case .clientStreaming:
            [
                "let run: BoundMethod.ClientStreaming = { call, rest in",
                "    try await service.\(function)(RequestStream(first: request, rest: rest), call).serializedBytes()",
                "}",
            ]
        }
    }

    /// The targets: each field named in the rule once, in the rule's order.
    private func prepared(_ method: Contract.Method) -> [String] {
        var seen: Set<String> = []
        let targets = method.access.allow.filter {
            !$0.organisationPath.isEmpty && seen.insert($0.organisationPath).inserted
        }.map { allow in
            let property = allow.organisationField.map { field in
                names.namer.messagePropertyNames(field: field, prefixed: "", includeHasAndClear: false).name
            }.joined(separator: ".")
            return
                "OrganisationTarget(field: \(Spelling.literal(allow.organisationPath)), code: request.\(property)),"
        }
        guard !targets.isEmpty else { return ["return BoundMethod.Prepared(organisations: [], run: run)"] }
        return ["return BoundMethod.Prepared(", "    organisations: ["] + targets.map { "        " + $0 } + [
            "    ],", "    run: run)",
        ]
    }
}
