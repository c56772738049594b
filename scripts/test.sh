#!/usr/bin/env bash
# All tests: the contract's drift check, the Swift suites (which start the real host and run the Python and C clients
# against it).
set -euo pipefail
cd "$(dirname "$0")/.."
started=$SECONDS

# The independent peer of the protocol tests, in an environment of its own.
python=.build/python
if [ ! -x "$python/bin/python" ] || ! "$python/bin/python" -c 'import google.protobuf' 2>/dev/null; then
    mkdir -p .build
    python3 -m venv "$python"
    "$python/bin/pip" install -q --disable-pip-version-check -r clients/python/requirements.txt
fi
# The independent reader of the payments journal: its check must not be left out unseen.
if scripts/prepare.sh tests; then export PCS_TEST_HLEDGER=required; else echo "tests: without hledger" >&2; fi
export PCS_TEST_PYTHON="$PWD/$python/bin/python"

echo "== contract"
scripts/proto.sh --check

echo "== build"
mkdir -p .build
if ! swift build --build-tests >.build/test-build.log 2>&1; then
    grep -E 'error:|warning:' .build/test-build.log | sort -u | head -n 40 >&2 || true
    exit 1
fi
tail -n 1 .build/test-build.log

echo "== tests"
# One after the other: many of them start processes of their own, and two cores are soon full.
SWIFT_BACKTRACE=enable=no swift test --skip-build --no-parallel "$@"
echo "tests took $((SECONDS - started)) s in all"
