/// The cost of a call that does nothing: server CPU of our host against that of a C program that copies the bytes back.
enum EchoFigures: Measurement {
    static let names = ["echo_vs_c", "echo_vs_grpc_swift", "echo_vs_grpc_cpp"]

    static func run(on bench: Workbench) async throws -> [Figure] {
        bench.report.note("echo ...")
        let host = try await HostUnderTest.start(on: bench, data: try bench.newFolder("echo-data"))
        var targets: [any LoadTarget] = [
            try await FrameTarget.ours(host, on: bench), try FrameTarget.echoInC(on: bench),
        ]
        if let peers = bench.options.peers {
            targets.append(
                try GRPCTarget(
                    name: "grpc-swift", executable: "\(peers)/grpc-swift-peer",
                    arguments: ["\(bench.folder)/echo-peer.sqlite"], folder: bench.folder))
            targets.append(
                try GRPCTarget(
                    name: "grpc-c++", executable: "\(peers)/grpc-cpp-peer", arguments: [],
                    folder: bench.folder))
        }
        defer { targets.forEach { $0.end() } }
        let runs = try Interleaved.run(targets, [.echo], LoadShape.compared, bench.repetitions)
        var figures = [
            runs.figure("echo_vs_c", .echo, "ours", over: "c", by: \.cpuMicroseconds, "us", worst: .highest)
        ]
        if bench.options.peers != nil {
            for (name, peer) in [("echo_vs_grpc_swift", "grpc-swift"), ("echo_vs_grpc_cpp", "grpc-c++")] {
                figures.append(
                    runs.figure(name, .echo, peer, over: "ours", by: \.cpuMicroseconds, "us", worst: .lowest))
            }
        }
        return figures
    }
}

/// Authorised reads and durable writes through the socket, against the same on grpc-swift-2 with GRDB.
enum PeerFigures: Measurement {
    static let names = ["read_vs_grpc_swift", "write_64_vs_grpc_swift", "write_256_vs_grpc_swift"]

    static func run(on bench: Workbench) async throws -> [Figure] {
        guard let peers = bench.options.peers else { return [] }
        bench.report.note("reads and writes against grpc-swift-2 with GRDB ...")
        let host = try await HostUnderTest.start(on: bench, data: try bench.newFolder("peer-data"))
        let targets: [any LoadTarget] = [
            try await FrameTarget.ours(host, on: bench),
            try GRPCTarget(
                name: "grpc-swift", executable: "\(peers)/grpc-swift-peer",
                arguments: ["\(bench.folder)/write-peer.sqlite"], folder: bench.folder),
        ]
        defer { targets.forEach { $0.end() } }
        // The first writes make the note that is read.
        let writes = try Interleaved.run(targets, [.write], [.writers64, .writers256], bench.repetitions)
        var figures = [("write_64_vs_grpc_swift", LoadShape.writers64), ("write_256_vs_grpc_swift", .writers256)]
            .map { name, shape in
                writes.figure(
                    name, .write, "ours", over: "grpc-swift", by: \.callsPerSecond, "calls/s", worst: .lowest,
                    shapes: [shape])
            }
        if bench.options.wants(["read_vs_grpc_swift"]) {
            let reads = try Interleaved.run(targets, [.read], LoadShape.compared, bench.repetitions)
            figures.append(
                reads.figure(
                    "read_vs_grpc_swift", .read, "grpc-swift", over: "ours", by: \.cpuMicroseconds, "us",
                    worst: .lowest))
        }
        return figures
    }
}
