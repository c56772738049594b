#!/usr/bin/env bash
# Turns proto/ into Swift code and documents.
#
#   proto.sh              all areas, and docs/generated
#   proto.sh AREA...      the code of these areas only, for example: proto.sh host
#   proto.sh --check      changes nothing; fails when what is committed differs from what proto/ gives, or when a
#                         released contract (proto/released) was broken
#   proto.sh --release    keeps today's contract in proto/released; from then on it may only grow
#
# An area is a folder proto/pcs/AREA/v1. Its Swift module is in Sources/Contracts/<Area>; access goes with common.
set -euo pipefail
export LC_ALL=C
cd "$(dirname "$0")/.."

mode=write
areas=()
for argument in "$@"; do
    case $argument in
        --check) mode=check ;;
        --release) mode=release ;;
        -*) echo "proto: unknown option $argument; the head of scripts/proto.sh lists them" >&2; exit 2 ;;
        *) areas+=("$argument") ;;
    esac
done
shopt -s nullglob
all_areas=()
for folder in proto/pcs/*/v1; do
    files=("$folder"/*.proto)
    if [ ${#files[@]} -gt 0 ]; then all_areas+=("$(basename "$(dirname "$folder")")"); fi
done
everything=false
if [ ${#areas[@]} -eq 0 ]; then everything=true; areas=("${all_areas[@]}"); fi
for area in "${areas[@]}"; do
    case " ${all_areas[*]} " in
        *" $area "*) ;;
        *) echo "proto: there is no area $area: proto/pcs/$area/v1 has no .proto files" >&2; exit 2 ;;
    esac
done

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
drifted=0

module_of() { # the Swift module of an area, without the ending "Contract"
    case $1 in access) echo Common ;; *) echo "${1^}" ;; esac
}

protos_of() { # the .proto files of areas, as protoc names them
    local area
    for area in "$@"; do (cd proto && ls "pcs/$area/v1/"*.proto); done
}

build() { # the narrowed package builds even while code that stands on the contract does not
    if ! PCS_ONLY=protoc-gen-pcs swift build --product "$1" >"$work/build.log" 2>&1; then
        grep -E 'error' "$work/build.log" >&2 || cat "$work/build.log" >&2
        exit 1
    fi
}

place() { # place FROM TO PATTERN...: makes the generated files of folder TO those of FROM, or reports the difference
    local from=$1 to=$2 pattern file
    shift 2
    mkdir -p "$from"
    for pattern in "$@"; do
        for file in "$from"/$pattern "$to"/$pattern; do
            local name=${file##*/}
            if cmp -s "$from/$name" "$to/$name"; then continue; fi
            if [ "$mode" = write ]; then
                if [ -e "$from/$name" ]; then mkdir -p "$to" && cp "$from/$name" "$to/$name"; else rm "$to/$name"; fi
                echo "proto: $to/$name"
            elif [ ! -e "$from/$name" ]; then
                echo "proto: $to/$name is generated from nothing" >&2
                drifted=1
            elif [ "$file" = "$from/$name" ]; then
                echo "proto: $to/$name differs from what proto/ gives" >&2
                drifted=1
            fi
        done
    done
}

descriptor_set() { # descriptor_set OUT OPTION... -- AREA...
    local out=$1 options=()
    shift
    while [ "$1" != -- ]; do options+=("$1"); shift; done
    shift
    # shellcheck disable=SC2046
    protoc -I proto --include_imports "${options[@]}" --descriptor_set_out="$out" $(protos_of "$@")
}

write_mappings() { # says in which Swift module the messages of each file are
    local area file
    for area in "${all_areas[@]}"; do
        echo "mapping {"
        echo "  module_name: \"$(module_of "$area")Contract\""
        for file in $(protos_of "$area"); do echo "  proto_file_path: \"$file\""; done
        echo "}"
    done
}

drop_unused_imports() { # protoc-gen-swift imports modules of which only options are used; that is a warning in Swift
    local file module prefix
    for file in "$1"/*.pb.swift; do
        for module in $(sed -n 's/^public import \([A-Za-z]*\)Contract$/\1/p' "$file"); do
            prefix="Pcs_${module}_"
            if [ "$module" = Common ]; then prefix="Pcs_(Common|Access)_"; fi
            grep -qE "$prefix" "$file" || sed -i "/^public import ${module}Contract\$/d" "$file"
        done
    done
}

generate() { # generate MODULE AREA...
    local module=$1 out="$work/Contracts/$1"
    shift
    mkdir -p "$out"
    local swift_options="Visibility=Public,UseAccessLevelOnImports=true,FileNaming=DropPath"
    local options=(--swift_out="$swift_options,ProtoPathModuleMappings=$mappings:$out")
    # The envelope of the socket protocol is messages only.
    if [ "$module" != Frame ]; then
        options+=(--pcs_out="Module=${module}Contract,ProtoPathModuleMappings=$mappings:$out")
    fi
    # shellcheck disable=SC2046
    protoc -I proto "${plugins[@]}" "${options[@]}" $(protos_of "$@")
    drop_unused_imports "$out"
    place "$out" "Sources/Contracts/$module" '*.pb.swift' '*.pcs.swift'
}

compare_released() {
    local released area
    for released in proto/released/*.binpb; do
        area=$(basename "$released" .binpb)
        if [ ! -d "proto/pcs/$area/v1" ]; then
            echo "proto: the released area $area was removed" >&2
            exit 1
        fi
        descriptor_set "$work/$area.binpb" -- "$area"
        "$bin/protoc-gen-pcs" --compare "$released" "$work/$area.binpb"
    done
}

bin=.build/debug
mappings="$work/module-mappings.asciipb"
write_mappings >"$mappings"

build protoc-gen-swift
plugins=(--plugin="protoc-gen-swift=$bin/protoc-gen-swift")
# The generator reads its options with code that is itself generated.
mkdir -p "$work/generator"
protoc -I proto "${plugins[@]}" --swift_out="FileNaming=DropPath:$work/generator" pcs/access/v1/access.proto
place "$work/generator" Sources/protoc-gen-pcs/Generated '*.pb.swift'
build protoc-gen-pcs
plugins+=(--plugin="protoc-gen-pcs=$bin/protoc-gen-pcs")

if [ "$mode" = release ]; then
    compare_released
    mkdir -p proto/released
    for area in "${areas[@]}"; do
        descriptor_set "proto/released/$area.binpb" -- "$area"
        echo "proto: proto/released/$area.binpb"
    done
    exit 0
fi

done_modules=" "
for area in "${areas[@]}"; do
    module=$(module_of "$area")
    case $done_modules in *" $module "*) continue ;; esac
    done_modules+="$module "
    if [ "$module" = Common ]; then generate Common access common; else generate "$module" "$area"; fi
done

if $everything; then
    mkdir -p "$work/docs"
    descriptor_set "$work/all.binpb" --include_source_info -- "${areas[@]}"
    "$bin/protoc-gen-pcs" --documents "$work/all.binpb" "$work/docs"
    place "$work/docs" docs/generated '*.md'
fi

if [ "$mode" = check ]; then
    compare_released
    if [ "$drifted" -ne 0 ]; then
        echo "proto: run \`make proto\` and commit what it writes" >&2
        exit 1
    fi
    echo "proto: generated code and documents are up to date"
fi
