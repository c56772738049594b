#!/usr/bin/env bash
# Builds one product: build.sh debug|release PRODUCT. Shows the compiler's output only when it fails; tells the time
# when it took long. Release builds carry Swift's libraries in themselves: they start and count references faster, and
# run where no Swift is installed.
set -euo pipefail
cd "$(dirname "$0")/.."
configuration=$1
product=$2
log=$(mktemp)
trap 'rm -f "$log"' EXIT
started=$SECONDS
options=(-c "$configuration" --product "$product")
if [ "$configuration" = release ] && [ "$(uname -s)" = Linux ]; then options+=(--static-swift-stdlib); fi
if [ ! -d ".build/$configuration" ]; then
    echo "building $product ($configuration); the first time takes a few minutes ..."
fi
if ! swift build "${options[@]}" >"$log" 2>&1; then
    grep -E 'error:|warning:' "$log" | sort -u | head -n 40 >&2 || true
    tail -n 20 "$log" >&2
    exit 1
fi
took=$((SECONDS - started))
if [ "$took" -gt 5 ]; then echo "built $product in ${took} s"; fi
