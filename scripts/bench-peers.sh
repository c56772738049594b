#!/usr/bin/env bash
# Our figures with those of the gRPC peers beside them: builds the package in Benchmarks/ (about six minutes the first
# time, because of two copies of BoringSSL) and the C++ peer, and measures all in one run. Arguments as for bench.sh.
set -euo pipefail
cd "$(dirname "$0")/.."

missing=()
command -v h2load >/dev/null 2>&1 || missing+=(nghttp2-client)
test -e /usr/include/grpcpp/grpcpp.h || missing+=(libgrpc++-dev)
command -v pkg-config >/dev/null 2>&1 || missing+=(pkg-config)
command -v g++ >/dev/null 2>&1 || missing+=(g++)
if [ "${#missing[@]}" -gt 0 ]; then
    as_root=()
    if [ "$(id -u)" -ne 0 ]; then as_root=(sudo); fi
    echo "bench-peers: installing ${missing[*]}" >&2
    "${as_root[@]}" apt-get update -qq
    DEBIAN_FRONTEND=noninteractive "${as_root[@]}" apt-get install -y -qq "${missing[@]}" >/dev/null
fi

Benchmarks/build.sh >&2
for product in pcs pcs-bench-load pcs-bench; do
    scripts/build.sh release "$product" >&2
done
exec .build/release/pcs-bench --peers Benchmarks/.build/peers "$@"
