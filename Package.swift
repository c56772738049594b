// swift-tools-version: 6.2
import Foundation
import PackageDescription

// One list of targets, one loop of settings. Who may import what is written here, and checked again, import by
// import, in Tests/ArchitectureTests.

let protobuf: Target.Dependency = .product(name: "SwiftProtobuf", package: "swift-protobuf")
let protobufPlugin: Target.Dependency = .product(name: "SwiftProtobufPluginLibrary", package: "swift-protobuf")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let nioCore: Target.Dependency = .product(name: "NIOCore", package: "swift-nio")
let nioPosix: Target.Dependency = .product(name: "NIOPosix", package: "swift-nio")
let nioTLS: Target.Dependency = .product(name: "NIOTLS", package: "swift-nio")
let nioSSL: Target.Dependency = .product(name: "NIOSSL", package: "swift-nio-ssl")
let nioEmbedded: Target.Dependency = .product(name: "NIOEmbedded", package: "swift-nio")
let crypto: Target.Dependency = .product(name: "Crypto", package: "swift-crypto")
let cryptoExtras: Target.Dependency = .product(name: "CryptoExtras", package: "swift-crypto")
let arguments: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")
let lifecycle: Target.Dependency = .product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let unixSignals: Target.Dependency = .product(name: "UnixSignals", package: "swift-service-lifecycle")
let configuration: Target.Dependency = .product(name: "Configuration", package: "swift-configuration")

var targets: [Target] = [
    // Pure rules: money, time, frames.
    .target(name: "Accounting"),
    .target(name: "FrameProtocol"),

    .target(name: "Digests", dependencies: [crypto]),
    // What looks like a patient's identifier in text and tables.
    .target(name: "PatientPrivacy"),

    // What a plugin may see.
    .target(name: "PluginAPI", dependencies: ["Accounting", protobuf, logging]),

    // Rows of uploaded files.
    .target(name: "Tabular", dependencies: ["PluginAPI", "Accounting"]),
    .systemLibrary(name: "CZlib", providers: [.apt(["zlib1g-dev"])]),
    .target(name: "Workbook", dependencies: ["Tabular", "CZlib"]),

    // Files for people to read and print.
    .target(name: "PortableDocument"),

    // Generated from proto/, committed.
    .target(name: "CommonContract", dependencies: [protobuf, "PluginAPI"], path: "Sources/Contracts/Common"),
    .target(name: "FrameContract", dependencies: [protobuf], path: "Sources/Contracts/Frame"),
    .target(
        name: "HostContract", dependencies: [protobuf, "PluginAPI", "CommonContract"], path: "Sources/Contracts/Host"),
    .target(
        name: "PaymentsContract", dependencies: [protobuf, "PluginAPI", "CommonContract"],
        path: "Sources/Contracts/Payments"),
    .target(
        name: "CaseworkContract", dependencies: [protobuf, "PluginAPI", "CommonContract"],
        path: "Sources/Contracts/Casework"),
    .target(
        name: "DocumentsContract", dependencies: [protobuf, "PluginAPI", "CommonContract"],
        path: "Sources/Contracts/Documents"),
    .target(
        name: "CqrsContract", dependencies: [protobuf, "PluginAPI", "CommonContract"], path: "Sources/Contracts/Cqrs"),
    .target(
        name: "PensionsContract", dependencies: [protobuf, "PluginAPI", "CommonContract"],
        path: "Sources/Contracts/Pensions"),
    .target(
        name: "ChangesContract", dependencies: [protobuf, "PluginAPI", "CommonContract"],
        path: "Sources/Contracts/Changes"),
    .executableTarget(name: "protoc-gen-pcs", dependencies: [protobuf, protobufPlugin]),

    // The house.
    .systemLibrary(name: "CSQLite", providers: [.apt(["libsqlite3-dev"])]),
    .target(name: "StorageSQLite", dependencies: ["PluginAPI", "CSQLite", crypto, logging]),
    .target(
        name: "FrameClient",
        dependencies: ["FrameProtocol", "PluginAPI", "CommonContract", protobuf, nioCore, nioPosix, nioSSL, logging]),
    .target(
        name: "Host",
        dependencies: [
            "PluginAPI", "Accounting", "Tabular", "FrameProtocol", "CommonContract", "HostContract", "CaseworkContract",
            protobuf, logging, nioCore, nioPosix, nioSSL, crypto, cryptoExtras, lifecycle,
        ],
        resources: [
            .embedInCode("Roles/ReferenceData"), .embedInCode("Accounts/ReferenceData"),
            .embedInCode("Organisations/ReferenceData"), .embedInCode("Registration/ReferenceData"),
        ]),

    // The plugins.
    .target(
        name: "PaymentsPlugin",
        dependencies: [
            "Digests", "PluginAPI", "Accounting", "Tabular", "Workbook", "PortableDocument", "CommonContract", "HostContract",
            "CaseworkContract", "ChangesContract", "CqrsContract", "PensionsContract", "PaymentsContract", protobuf,
        ],
        path: "Sources/Plugins/Payments",
        exclude: ["README.md", "OWNERS"],
        resources: [.embedInCode("ReferenceData")]),
    .target(
        name: "CaseworkPlugin",
        dependencies: [
            "PluginAPI", "Accounting", "Tabular", "CommonContract", "HostContract", "CaseworkContract", protobuf,
        ],
        path: "Sources/Plugins/Casework",
        exclude: ["README.md", "OWNERS"],
        resources: [.embedInCode("ReferenceData")]),

    .target(
        name: "CQRSPlugin",
        dependencies: [
            "Digests", "PluginAPI", "Accounting", "Tabular", "CommonContract", "HostContract", "CqrsContract", "CaseworkContract",
            "DocumentsContract", "PaymentsContract", "PatientPrivacy", protobuf,
        ],
        path: "Sources/Plugins/CQRS",
        exclude: ["README.md", "OWNERS"],
        resources: [.embedInCode("ReferenceData")]),

    .target(
        name: "DocumentsPlugin",
        dependencies: [
            "Digests", "PluginAPI", "Accounting", "Tabular", "CommonContract", "HostContract", "CaseworkContract",
            "DocumentsContract", "PatientPrivacy", protobuf,
        ],
        path: "Sources/Plugins/Documents",
        exclude: ["README.md", "OWNERS"],
        resources: [.embedInCode("ReferenceData")]),
    .target(
        name: "PracticeChangesPlugin",
        dependencies: [
            "Digests", "PluginAPI", "Accounting", "Tabular", "CommonContract", "HostContract", "CaseworkContract",
            "ChangesContract", protobuf,
        ],
        path: "Sources/Plugins/PracticeChanges",
        exclude: ["README.md", "OWNERS"],
        resources: [.embedInCode("ReferenceData")]),

    // The operators' command line, and the one executable: the composition root that alone knows the plugins.
    .target(
        name: "PCSCommand",
        dependencies: [
            "PluginAPI", "Accounting", "CommonContract", "HostContract", "PaymentsContract", "CaseworkContract",
            "DocumentsContract", "ChangesContract", "CqrsContract", "FrameClient", "Host",
            "CZlib", protobuf, logging, arguments, lifecycle, unixSignals, configuration, crypto, nioCore,
            nioPosix, nioSSL,
        ]),
    .executableTarget(
        name: "pcs",
        dependencies: [
            "PCSCommand", "PluginAPI", "StorageSQLite", "PaymentsPlugin", "CQRSPlugin", "CaseworkPlugin",
            "DocumentsPlugin", "PracticeChangesPlugin",
        ]),

    .target(
        name: "PluginTestKit",
        dependencies: [
            "PluginAPI", "Host", "FrameClient", "StorageSQLite", "CommonContract", "HostContract", protobuf, logging,
            crypto, cryptoExtras, nioPosix,
        ]),

    // C: the client library for older systems, the codec oracle, and the echo yardstick of the benchmark.
    .systemLibrary(name: "CProtobufC", pkgConfig: "libprotobuf-c", providers: [.apt(["libprotobuf-c-dev"])]),
    .target(name: "CClient", dependencies: ["CProtobufC"]),
    .executableTarget(name: "pcs-c-example", dependencies: ["CClient"], path: "Sources/CClientExample"),
    .executableTarget(name: "pcs-bench-load", path: "Sources/BenchLoad"),

    .executableTarget(
        name: "pcs-bench",
        dependencies: [
            "PluginAPI", "Accounting", "FrameProtocol", "FrameClient", "Host", "StorageSQLite", "CommonContract",
            "HostContract", "PaymentsContract", "CqrsContract", "CSQLite", protobuf, logging, crypto,
        ],
        path: "Sources/Bench"),

    // Tests mirror the targets.
    .testTarget(name: "AccountingTests", dependencies: ["Accounting"]),
    .testTarget(name: "TabularTests", dependencies: ["Tabular", "PluginAPI"]),
    .testTarget(name: "PortableDocumentTests", dependencies: ["PortableDocument"]),
    .testTarget(name: "WorkbookTests", dependencies: ["Workbook", "Tabular", "PluginAPI", "CZlib"]),
    .testTarget(
        name: "FrameProtocolTests",
        dependencies: [
            "FrameProtocol", "FrameClient", "PluginAPI", "FrameContract", "CClient", "CProtobufC", protobuf, nioCore,
            nioPosix, nioSSL, nioTLS,
        ]),
    .testTarget(
        name: "GeneratorTests",
        dependencies: [
            "PluginAPI", "CommonContract", "HostContract", "PaymentsContract", "protoc-gen-pcs", protobuf, logging,
        ]),
    .testTarget(name: "StorageSQLiteTests", dependencies: ["StorageSQLite", "PluginAPI", "CSQLite"]),
    .testTarget(
        name: "HostTests",
        dependencies: [
            "Host", "Tabular", "PluginTestKit", "HostContract", "CaseworkContract", "CommonContract", "FrameClient",
            "FrameProtocol", "StorageSQLite", protobuf, nioCore, nioPosix, nioSSL, nioEmbedded, crypto, cryptoExtras,
        ]),
    // Every method of every contract: who may, as the printed matrix says.
    .testTarget(
        name: "AccessMatrixTests",
        dependencies: [
            "Host", "PluginTestKit", "PluginAPI", "FrameClient", "CommonContract", "HostContract", "PaymentsContract",
            "CaseworkContract", "DocumentsContract", "ChangesContract", "CqrsContract", protobuf, logging, crypto,
        ]),
    .testTarget(
        name: "PaymentsPluginTests",
        dependencies: [
            "Digests", "PaymentsPlugin", "CaseworkPlugin", "PaymentsContract", "CqrsContract", "PensionsContract",
            "CaseworkContract", "ChangesContract", "PluginTestKit", "Accounting", "Tabular", "HostContract",
            "CommonContract", protobuf,
        ]),
    .testTarget(
        name: "CaseworkPluginTests",
        dependencies: [
            "CaseworkPlugin", "CaseworkContract", "PluginTestKit", "Accounting", "HostContract", "CommonContract", protobuf,
        ]),
    .testTarget(
        name: "CQRSPluginTests",
        dependencies: [
            "CQRSPlugin", "CaseworkPlugin", "CqrsContract", "CaseworkContract", "DocumentsContract", "PaymentsContract",
            "PluginTestKit",
            "Accounting", "Tabular", "HostContract", "CommonContract", "PluginAPI", protobuf,
        ]),
    .testTarget(
        name: "DocumentsPluginTests",
        dependencies: [
            "DocumentsPlugin", "DocumentsContract", "CaseworkContract", "PluginTestKit", "HostContract", "CommonContract",
            "PatientPrivacy", protobuf, crypto,
        ]),
    .testTarget(
        name: "PracticeChangesPluginTests",
        dependencies: [
            "PracticeChangesPlugin", "ChangesContract", "CaseworkContract", "PluginTestKit", "Accounting", "HostContract",
            "CommonContract", protobuf,
        ]),
    .testTarget(
        name: "PCSCommandTests",
        dependencies: [
            "PCSCommand", "PluginAPI", "CommonContract", "HostContract", "PaymentsContract", "CaseworkContract", "Host",
            protobuf, logging, crypto, arguments,
        ]),
    .testTarget(name: "ArchitectureTests"),
    .target(
        name: "EndToEndSupport",
        dependencies: ["FrameClient", "PluginAPI", "CommonContract", "HostContract", crypto], path: "Tests/EndToEndSupport"),
    .testTarget(
        name: "EndToEndTests",
        dependencies: [
            "EndToEndSupport", "pcs", "pcs-c-example",
            "FrameClient", "FrameProtocol", "HostContract", "PaymentsContract", "CqrsContract", "CommonContract", "PluginAPI",
            protobuf, nioPosix, crypto, cryptoExtras,
        ]),
    .testTarget(
        name: "CrashTests",
        dependencies: [
            "EndToEndSupport", "pcs", "FrameClient", "PluginAPI", "HostContract", "PaymentsContract", "CqrsContract",
            "CommonContract", protobuf, nioPosix,
        ]),
]

for target in targets where target.type != .system {
    let isC = ["CClient", "pcs-c-example", "pcs-bench-load"].contains(target.name)
    if isC {
        target.cSettings = [.unsafeFlags(["-Wall", "-Wextra", "-Werror", "-std=c11"])]
        continue
    }
    target.swiftSettings = [
        .swiftLanguageMode(.v6),
        .treatAllWarnings(as: .error),
        .treatWarning("DeprecatedDeclaration", as: .warning),
        .enableUpcomingFeature("InternalImportsByDefault"),
        .enableUpcomingFeature("ExistentialAny"),
    ]
}

// While several people change several targets, PCS_ONLY="Accounting,AccountingTests" narrows the package to those
// targets and what they stand on.
if let only = ProcessInfo.processInfo.environment["PCS_ONLY"], !only.isEmpty {
    var wanted = Set(only.split(separator: ",").map(String.init))
    var grew = true
    while grew {
        grew = false
        for target in targets where wanted.contains(target.name) {
            for dependency in target.dependencies {
                if case .byNameItem(let name, _) = dependency, wanted.insert(name).inserted { grew = true }
            }
        }
    }
    targets = targets.filter { wanted.contains($0.name) }
}

let package = Package(
    name: "primary-care-services",
    platforms: [.macOS(.v15)],
    dependencies: [
        .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0", traits: []),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.0"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.0"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-configuration", from: "1.4.0", traits: ["JSON"]),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    ],
    targets: targets
)
