#!/bin/sh
# Writes the protobuf-c code of the C client and of its example from proto/. Run from the root of the repository;
# needs protoc-c (Debian: protobuf-c-compiler). The result is committed.
set -eu
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

# protobuf-c knows no custom options, and the example needs only the messages of DiagnosticsService: take them, as they
# are, out of the file of the contract.
mkdir -p "$out/proto"
{
    printf 'syntax = "proto3";\n\npackage pcs.host.v1;\n'
    awk '/^message (Echo|Count|Collect|Wait|WriteNote|ReadNote)(Request|Reply) \{/ { inside = 1; print "" }
         inside { print }
         /^}/ { inside = 0 }' proto/pcs/host/v1/control.proto
} > "$out/proto/diagnostics.proto"

mkdir -p "$out/client" "$out/example"
protoc-c --proto_path=proto --c_out="$out/client" \
    pcs/frame/v1/frame.proto pcs/common/v1/types.proto google/protobuf/any.proto
protoc-c --proto_path="$out/proto" --c_out="$out/example" diagnostics.proto

for file in pcs/frame/v1/frame pcs/common/v1/types google/protobuf/any; do
    mkdir -p "Sources/CClient/generated/$(dirname $file)" "Sources/CClient/include/$(dirname $file)"
    cp "$out/client/$file.pb-c.c" "Sources/CClient/generated/$file.pb-c.c"
    cp "$out/client/$file.pb-c.h" "Sources/CClient/include/$file.pb-c.h"
done
cp "$out/example/diagnostics.pb-c.c" "$out/example/diagnostics.pb-c.h" Sources/CClientExample/
