#!/bin/bash
# quickstart_test.sh BUILD_DIR CXX: installs the build tree into a temporary prefix, copies the quickstart out of the
# sources, builds it against the prefix with CMake and with pkg-config, and runs both against the installed tarnd.
set -euo pipefail

build=$1
cxx=$2
work=$(mktemp -d)
prefix=$work/prefix

clean_up() {
  local pid
  for pid in $(jobs -p); do
    kill -9 "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
  done
  rm -rf "$work"
}
trap clean_up EXIT

fail() {
  echo "$*" >&2
  exit 1
}

start_tarnd() {
  # tarnd takes every TARN_ variable for an option; those of ctest are none.
  (
    for name in $(compgen -e TARN_); do unset "$name"; done
    exec "$prefix/bin/tarnd" --engine memory --data-dir "$work/data" --listen 127.0.0.1:0 --http-listen 127.0.0.1:0 \
      --address-file "$work/address" >"$work/tarnd.log" 2>&1
  ) &
  tarnd=$!
  for _ in {1..600}; do
    [[ -s $work/address ]] && return
    kill -0 "$tarnd" 2>/dev/null || break
    sleep 0.05
  done
  cat "$work/tarnd.log" >&2
  fail "tarnd does not serve"
}

# run PROGRAM VISITS: VISITS is how often ada has come by now.
run() {
  local address expected
  address=$(sed -n 's/^grpc=//p' "$work/address")
  expected="ada: visit $(($2 - 1))
grace: visit $(($2 / 2))
ada: visit $2
too late: REVISION_MISMATCH
page/ada = news
page/grace = home"
  diff <(echo "$expected") <("$1" "$address") || fail "$1 prints something else"
}

cmake --install "$build" --prefix "$prefix" >"$work/install.log" || { cat "$work/install.log"; fail "cannot install"; }
cp -r "$TARN_SOURCE_DIR/client/examples/quickstart" "$work/quickstart"
cd "$work/quickstart"

cmake -S . -B "$work/cmake" -DCMAKE_CXX_COMPILER="$cxx" -DCMAKE_PREFIX_PATH="$prefix"
cmake --build "$work/cmake"
"$work/cmake/visits_test"

PKG_CONFIG_PATH=$(dirname "$(find "$prefix" -name tarn.pc)")
export PKG_CONFIG_PATH
# shellcheck disable=SC2046 # Words are what pkg-config prints.
"$cxx" -std=c++20 quickstart.cc -o "$work/by_pkg_config" $(pkg-config --cflags --libs tarn)
# shellcheck disable=SC2046
"$cxx" -std=c++20 visits_test.cc -o "$work/tests_by_pkg_config" $(pkg-config --cflags --libs tarn-testing)
"$work/tests_by_pkg_config"

start_tarnd
run "$work/cmake/quickstart" 2
run "$work/by_pkg_config" 4
if "$work/by_pkg_config" "unix:$work/nowhere" 2>"$work/refused"; then fail "no server, and no error"; fi
grep -q NOT_CONNECTED "$work/refused" || { cat "$work/refused"; fail "the error does not say what is wrong"; }
kill "$tarnd"
wait "$tarnd"
echo "quickstart: built and run both ways"
