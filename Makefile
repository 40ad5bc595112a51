# A thin face over CMakePresets.json. `make help` lists the words.

# What `build`, `test` and the others work on. `make check` is for the edit loop and takes the preset quickest to build.
PRESET ?= release
CHECK_PRESET ?= dev
PREFIX ?= /usr/local
# More flags for the program that `run`, `bench` or `demo` starts.
ARGS ?=

BIN := build/$(PRESET)/bin

# $(call built,PRESET[,TARGET...]): configures once, then builds. Ninja itself sees to changes of CMake files.
built = $(if $(wildcard build/$(1)/build.ninja),,cmake --preset $(1) &&) cmake --build --preset $(1) $(if $(2),--target $(2))

.DEFAULT_GOAL := build
.PHONY: run test check build lint format bench demo install soak asan tsan fuzz coverage setup help clean

run: setup  ## install what is missing, build, start tarnd on 127.0.0.1:8276
	$(call built,$(PRESET),tarnd tarnctl)
	exec $(BIN)/tarnd $(ARGS)

test: setup  ## install what is missing, build, run every test once
	.ci/tools promtool
	$(call built,$(PRESET))
	ctest --preset $(PRESET)

check:  ## build the dev preset, run the quick tests
	.ci/tools promtool
	$(call built,$(CHECK_PRESET))
	ctest --preset $(CHECK_PRESET) -L '^check$$'

build: setup  ## build everything: build/release/bin/{tarnd,tarnctl,tarn-bench}
	$(call built,$(PRESET))

lint:  ## formatting, layers, file sizes, scripts, protos, clang-tidy on what changed
	.ci/setup build lint
	.ci/lint

format:  ## let clang-format rewrite the sources
	git ls-files '*.h' '*.cc' | xargs clang-format -i

bench: setup  ## measure everything against the built-in yardstick: tarn-bench all
	$(call built,$(PRESET),tarn-bench tarnd)
	$(BIN)/tarn-bench all $(ARGS)

demo: setup  ## a stream worker on real events, killed and started again
	$(call built,$(PRESET),tarnd window_worker window_report)
	BIN_DIR=$(BIN) client/examples/demo.sh $(ARGS)

soak: setup  ## the long counts: hours
	$(call built,$(PRESET))
	ctest --test-dir build/$(PRESET) --output-on-failure --no-tests=error -L '^soak$$'

install: setup  ## programs, libtarn and its headers to PREFIX (/usr/local), under DESTDIR if set
	$(call built,$(PRESET))
	cmake --install build/$(PRESET) --prefix '$(PREFIX)'

asan tsan: setup  ## every test under the address and undefined-behaviour, or the thread sanitizer
	.ci/tools promtool
	$(call built,$@)
	ctest --preset $@

fuzz:  ## build the libFuzzer programs in build/fuzz/fuzz and run each for FUZZ_SECONDS (60)
	.ci/setup build lint
	$(call built,fuzz)
	.ci/fuzz $(or $(FUZZ_SECONDS),60)

coverage: setup  ## every test, then lines covered per folder
	.ci/tools promtool
	$(call built,coverage)
	ctest --preset coverage
	.ci/coverage build/coverage

setup:
	@.ci/setup build

clean:  ## forget everything built
	rm -rf build

help:  ## this
	@sed -nE 's/^([a-z ]+):[^#]*  ## (.*)/  \1\t\2/p' Makefile | expand -t 12
