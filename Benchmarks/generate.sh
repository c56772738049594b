#!/usr/bin/env bash
# Rewrites the committed code of the peers from proto/peer.proto: for Swift with the generators of this package, for
# C++ with Debian's (protobuf-compiler-grpc). Needed only when the proto file or a version changes.
set -euo pipefail
cd "$(dirname "$0")"
for product in protoc-gen-swift protoc-gen-grpc-swift-2; do
    swift build -c release --product "$product"
done
swift_out=Sources/grpc-swift-peer/Generated
cpp_out=cpp/generated
mkdir -p "$swift_out" "$cpp_out"
protoc -Iproto --plugin=.build/release/protoc-gen-swift --plugin=.build/release/protoc-gen-grpc-swift-2 \
    --swift_out="$swift_out" --grpc-swift-2_out="$swift_out" --grpc-swift-2_opt=Client=false proto/peer.proto
protoc -Iproto --plugin=protoc-gen-grpc="$(command -v grpc_cpp_plugin)" \
    --cpp_out="$cpp_out" --grpc_out="$cpp_out" proto/peer.proto
