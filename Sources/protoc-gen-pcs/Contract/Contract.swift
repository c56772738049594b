import SwiftProtobufPluginLibrary

/// The contract as read from descriptors and found whole: everything that Swift code and documents are written from.
struct Contract {
    var files: [File] = []

    struct File {
        let descriptor: FileDescriptor
        var services: [Service] = []
        var reasons: [ReasonCatalogue] = []
        var events: [Event] = []
        var roles: [RoleEntry] = []

        /// Whether a Swift file is worth writing for it.
        var hasCode: Bool { !services.isEmpty || !reasons.isEmpty || !roles.isEmpty }
    }

    struct Service {
        let descriptor: ServiceDescriptor
        let methods: [Method]
    }

    struct Method {
        let descriptor: SwiftProtobufPluginLibrary.MethodDescriptor
        let kind: Kind
        let access: Access

        /// `pcs.host.v1.PluginService/ListPlugins`.
        var path: String { "\(descriptor.service.fullName)/\(descriptor.name)" }
    }

    /// The raw values are the cases of `PluginAPI.MethodDescriptor.Kind`.
    enum Kind: String {
        case unary, serverStreaming, clientStreaming

        var inWords: String {
            switch self {
            case .unary: "unary"
            case .serverStreaming: "server streaming"
            case .clientStreaming: "client streaming"
            }
        }
    }

    /// An access rule with its defaults filled in.
    struct Access {
        var allow: [Allow] = []
        var isAnonymous = false
        var anyCaller = false
        var changesState = false
        var needsSecondPerson = false
        var audit = Audit.none
        var timeLimitMilliseconds: UInt32 = 30_000
        var maximumRequestBytes: UInt32 = 65_536
        var execution = Execution.inline
        var needsStepUp = false
    }

    /// The raw values are the cases of `PluginAPI.AccessRule.Audit`.
    enum Audit: String { case none, change, sensitiveRead }
    /// The raw values are the cases of `PluginAPI.AccessRule.Execution`.
    enum Execution: String { case inline, pooled }
    /// The raw values are the cases of `PluginAPI.Relation`.
    enum Relation: String { case national, own, commissioner, icb, region, pcnMember, pcnOf, pcnPeer, acting }

    struct Allow {
        /// Without the `ROLE_` prefix.
        let role: String
        let relation: Relation
        /// Fields from the request down to the string with the ODS code; empty for `.national` and `.acting`.
        let organisationField: [FieldDescriptor]

        /// `practice_code`, or `filter.practice_code` when nested.
        var organisationPath: String { organisationField.map(\.name).joined(separator: ".") }
    }

    struct ReasonCatalogue {
        let descriptor: EnumDescriptor
        let entries: [ReasonEntry]
    }

    struct ReasonEntry {
        /// `RUN_STATE_WRONG`.
        let name: String
        let code: StatusName
        let summary: String
        let nextStep: String
    }

    struct RoleEntry {
        /// Without the `ROLE_` prefix.
        let name: String
        let comment: [String]
    }

    struct Event {
        let descriptor: Descriptor
        let keyField: FieldDescriptor
    }
}

/// Names of the gRPC status codes that a refusal may have; the raw values are the cases of `PluginAPI.StatusCode`.
enum StatusName: String, CaseIterable {
    case cancelled, unknown, invalidArgument, deadlineExceeded, notFound, alreadyExists, permissionDenied
    case resourceExhausted, failedPrecondition, aborted, outOfRange, unimplemented, `internal`, unavailable,
        dataLoss
    case unauthenticated

    /// As written in proto: `FAILED_PRECONDITION`.
    var protoName: String { Words.screaming(rawValue) }

    init?(protoName: String) {
        guard let match = StatusName.allCases.first(where: { $0.protoName == protoName }) else { return nil }
        self = match
    }
}
