import SwiftProtobufPluginLibrary

/// Writes the protocol that a plugin implements to serve a service.
struct ServiceProtocolWriter {
    let service: Contract.Service
    let names: ServiceNames

    init(service: Contract.Service, namer: SwiftProtobufNamer) {
        self.service = service
        self.names = ServiceNames(service, namer)
    }

    func write(to source: inout SwiftSource) {
        let comment = service.descriptor.commentLines
        source.documentation(comment.isEmpty ? ["Serves `\(service.descriptor.fullName)`."] : comment)
        source.block("public protocol \(names.base): Sendable") { source in
            for (index, method) in service.methods.enumerated() {
                if index > 0 { source.line() }
                source.documentation(method.descriptor.commentLines, then: [method.access.inWords])
                source.lines(signature(method))
            }
        }
    }

    private func signature(_ method: Contract.Method) -> [String] {
        let (name, request, reply) = (names.function(method), names.request(method), names.reply(method))
        return switch method.kind {
        case .unary:
            [
                "func \(name)(",
                "    _ request: \(request), _ call: CallContext",
                ") async throws -> \(reply)",
            ]
        case .serverStreaming:
            [
                "func \(name)(",
                "    _ request: \(request), _ reply: ReplyStream<\(reply)>,",
                "    _ call: CallContext",
                ") async throws",
            ]
        case .clientStreaming:
            [
                "func \(name)(",
                "    _ requests: RequestStream<\(request)>, _ call: CallContext",
                ") async throws -> \(reply)",
            ]
        }
    }
}

extension Contract.Access {
    /// Who may call, and what follows, in one or two sentences.
    var inWords: String {
        var text = "Callers: "
        if isAnonymous {
            text += "anybody, without identity."
        } else if anyCaller {
            text += "any authenticated caller."
        } else {
            text += allow.map(\.inWords).joined(separator: "; ") + "."
        }
        if changesState { text += " Changes state." }
        if needsSecondPerson { text += " Takes a second person." }
        if needsStepUp { text += " Takes a fresh proof of the person." }
        if audit == .sensitiveRead { text += " Reading is recorded." }
        return text
    }
}

extension Contract.Allow {
    var inWords: String {
        switch relation {
        case .national: "`\(role)` nationally"
        case .own: "`\(role)` of the organisation in `\(organisationPath)`"
        case .commissioner: "`\(role)` of the commissioner of `\(organisationPath)`"
        case .icb: "`\(role)` of the ICB above `\(organisationPath)`"
        case .region: "`\(role)` of the region above `\(organisationPath)`"
        case .pcnMember: "`\(role)` of a member practice of the PCN in `\(organisationPath)`"
        case .pcnOf: "`\(role)` of the PCN of the practice in `\(organisationPath)`"
        case .pcnPeer: "`\(role)` of a practice in the same PCN as `\(organisationPath)`"
        case .acting: "`\(role)` of the organisation acted for"
        }
    }
}
