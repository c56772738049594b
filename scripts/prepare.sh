#!/usr/bin/env bash
# Installs what a build or test needs and is not there: Debian packages as root or through sudo. Quiet when all is
# there. With the word "tests" also what only tests need. The Swift toolchain itself has to be installed already: it is
# not in Debian.
set -euo pipefail

if ! command -v swift >/dev/null 2>&1; then
    echo "prepare: Swift 6.3 is needed and 'swift' is not on the PATH. Install it from https://www.swift.org/install/linux/" >&2
    exit 1
fi

missing=()
need() { # need PACKAGE TEST...
    local package=$1
    shift
    "$@" >/dev/null 2>&1 || missing+=("$package")
}

need libsqlite3-dev test -e /usr/include/sqlite3.h
need libprotobuf-c-dev test -e /usr/include/protobuf-c/protobuf-c.h
need zlib1g-dev test -e /usr/include/zlib.h
need protobuf-compiler command -v protoc
need protobuf-c-compiler command -v protoc-c
need python3 command -v python3
need python3-venv python3 -c 'import ensurepip'
need openssl command -v openssl
need gcc command -v cc
# Only for tests: an independent reader of the journal.
if [ "${1:-}" = tests ]; then need hledger command -v hledger; fi

if [ "${#missing[@]}" -gt 0 ]; then
    as_root=()
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null 2>&1 || {
            echo "prepare: these Debian packages are missing: ${missing[*]}; install them as root (no sudo here)" >&2
            exit 1
        }
        as_root=(sudo)
    fi
    echo "prepare: installing ${missing[*]}"
    "${as_root[@]}" apt-get update -qq
    DEBIAN_FRONTEND=noninteractive "${as_root[@]}" apt-get install -y -qq "${missing[@]}" >/dev/null
fi
