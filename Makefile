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
.PHONY: run test check build lint format bench demo install package docs soak system-test asan tsan fuzz coverage setup tools help clean

run: setup  ## install what is missing, build, start tarnd on 127.0.0.1:8276
	$(call built,$(PRESET),tarnd tarnctl)
	exec $(BIN)/tarnd $(ARGS)

test: setup tools  ## install what is missing, build, run every test once
	$(call built,$(PRESET))
	ctest --preset $(PRESET)

check: tools  ## build the dev preset, run the quick tests
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

package: setup  ## Debian packages of tarnd, tarnctl and libtarn-dev into build/package
	.ci/package

docs: setup  ## bring the generated parts of docs/ up to date
	$(call built,$(CHECK_PRESET),tarnctl tarnd-reference)
	docs/generate/reference.py docs build/$(CHECK_PRESET)/bin

system-test: setup tools  ## as root, with debootstrap and buildah: packages installed and removed, the image built and run
	cmake --preset $(PRESET) >/dev/null
	ctest --test-dir build/$(PRESET) --output-on-failure --no-tests=error -L '^system$$'

asan tsan: setup tools  ## every test under the address and undefined-behaviour, or the thread sanitizer
	$(call built,$@)
	ctest --preset $@

fuzz:  ## build the libFuzzer programs in build/fuzz/fuzz and run each for FUZZ_SECONDS (60)
	.ci/setup build lint
	$(call built,fuzz)
	.ci/fuzz $(or $(FUZZ_SECONDS),60)

coverage: setup tools  ## every test, then lines covered per folder
	$(call built,coverage)
	ctest --preset coverage
	.ci/coverage build/coverage

setup:
	@.ci/setup build

# Without its Python or prometheus a few tests of deploy/ are skipped, and say so.
tools:
	.ci/tools promtool
	.ci/tools prometheus python || echo "a tool cannot be had: the tests that need it are skipped"

clean:  ## forget everything built
	rm -rf build

help:  ## this
	@sed -nE 's/^([a-z -]+):[^#]*  ## (.*)/  \1\t\2/p' Makefile | expand -t 14
