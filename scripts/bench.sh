#!/usr/bin/env bash
# Our figures: builds for release and measures. Arguments go to pcs-bench: --json, --only NAME[,NAME...],
# --repetitions N. Takes about two minutes once built, and some minutes more for the months and years of payments.
# Leave the machine alone meanwhile.
set -euo pipefail
cd "$(dirname "$0")/.."
for product in pcs pcs-bench-load pcs-bench; do
    scripts/build.sh release "$product" >&2
done
exec .build/release/pcs-bench "$@"
