# Thin: what these do is in Swift and in scripts/.
#
#   make run            install what is missing, build, start the host, load England, pay a month, keep serving
#   make run ONCE=1     the same, then end with status 0
#   make test           all tests
#   make bench          our figures; make bench-peers adds gRPC peers (builds for about ten minutes)

SHELL := /bin/bash
DATA ?= data
ONCE ?=
JOBS := $(shell nproc)

.PHONY: run test build bench bench-peers proto proto-check format check prepare clean

prepare:
	@scripts/prepare.sh

build: prepare
	@scripts/build.sh release pcs

run: build
	@.build/release/pcs demo --data "$(DATA)" $(if $(filter-out 0,$(ONCE)),--once,)

test: prepare
	@scripts/test.sh

bench: prepare
	@scripts/bench.sh

bench-peers: prepare
	@scripts/bench-peers.sh

proto: prepare
	@scripts/proto.sh

proto-check: prepare
	@scripts/proto.sh --check

format:
	@swift format --in-place --recursive --configuration .swift-format $$(git ls-files 'Sources/*.swift' 'Tests/*.swift' | grep -v '^Sources/Contracts/.*\.p[bc]')

check: prepare proto-check
	@swift format lint --strict --recursive --configuration .swift-format $$(git ls-files 'Sources/*.swift' 'Tests/*.swift' | grep -vE '\.(pb|pcs)\.swift$$')

clean:
	@rm -rf .build
