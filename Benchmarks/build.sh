#!/usr/bin/env bash
# Builds the peers into .build/peers.
set -euo pipefail
cd "$(dirname "$0")"
peers=.build/peers
mkdir -p "$peers"
log=$(mktemp)
trap 'rm -f "$log"' EXIT

[ -d .build/release ] || echo "building the gRPC peers; the first time takes about six minutes ..."
if ! swift build -c release --product grpc-swift-peer >"$log" 2>&1; then
    grep -E 'error:' "$log" | sort -u | head -n 40 >&2 || true
    tail -n 20 "$log" >&2
    exit 1
fi
cp -f .build/release/grpc-swift-peer "$peers/"

target=$peers/grpc-cpp-peer
if [ ! -e "$target" ] || [ -n "$(find cpp -newer "$target" -type f)" ]; then
    read -ra flags <<<"$(pkg-config --cflags --libs grpc++ protobuf)"
    g++ -O2 -std=c++17 -Icpp/generated -o "$target" cpp/grpc_cpp_peer.cc cpp/generated/peer.pb.cc \
        cpp/generated/peer.grpc.pb.cc "${flags[@]}"
fi
