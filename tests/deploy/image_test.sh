#!/bin/bash
# The Dockerfile, built and run without a container engine: debootstrap makes debian:12-slim, buildah builds on it. Then, in
# the image and as its own user: tarnd, a put, a checkpoint, a restore, a stop. Then the services that docker-compose.yml
# builds, tarnd and the worker, as it has them. And what was built in the image, in another folder and for another machine,
# is byte for byte what is built here.
#
#   CCACHE=DIR      a cache for the compiler in the build; without it, it compiles everything
#   PACKAGES=DIR    packages that were built already: the stage that builds them is left out, and with it the worker
set -euo pipefail

here=$(dirname "$0")
# shellcheck source=/dev/null
. "$here/debian_root.sh"
require debootstrap buildah python3 redis-server

export STORAGE_DRIVER=vfs BUILDAH_ISOLATION=chroot BUILDAH_FORMAT=docker
work=$(mktemp -d)
image=localhost/tarn-test/tarnd
buildah() { command buildah --root "$work/storage" --runroot "$work/run" "$@"; }
clean_up() {
  local pid
  for pid in $(jobs -p); do kill -9 "$pid" 2>/dev/null || true; done
  buildah rm --all >/dev/null 2>&1 || true
  rm -rf "$work" || true
}
trap clean_up EXIT

say() { echo "image_test: $*"; }
fail() { echo "image_test: FAILED: $*" >&2; exit 1; }
equal() { [[ $1 == "$2" ]] || fail "$3: '$1' instead of '$2'"; }

packages=${PACKAGES:-$TARN_SOURCE_DIR/build/package}
if [[ -z ${PACKAGES:-} ]]; then
  say "the packages, here"
  "$TARN_SOURCE_DIR/.ci/package" >"$work/package.log" 2>&1 || { tail -20 "$work/package.log"; fail "no packages"; }
fi

say "debian:12-slim, from Debian's archive"
debian_root "$work/debian"
base=$(buildah from scratch)
buildah add --quiet "$base" "$work/debian" / >/dev/null
buildah commit --quiet --rm "$base" localhost/tarn-test/debian:12-slim >/dev/null
rm -rf "$work/debian"

cache=()
[[ -z ${CCACHE:-} ]] || cache=(--volume "$CCACHE:/root/.cache/ccache")
commit=$(git -C "$TARN_SOURCE_DIR" describe --always --dirty --tags)
# bud TARGET DOCKERFILE CONTEXT: the image localhost/tarn-test/TARGET
bud() {
  buildah bud --pull-never --layers=false "${cache[@]}" --build-arg BASE=localhost/tarn-test/debian:12-slim \
    --build-arg TARN_COMMIT="$commit" --build-arg SOURCE_DATE_EPOCH="$(git -C "$TARN_SOURCE_DIR" log -1 --format=%ct)" \
    --target "$1" --tag "localhost/tarn-test/$1" --file "$2" "$3" >"$work/build.log" 2>&1 ||
    { tail -40 "$work/build.log"; fail "$1 does not build"; }
}

mkdir "$work/context"
if [[ -z ${PACKAGES:-} ]]; then
  say "the stage that builds"
  bud build "$TARN_SOURCE_DIR/Dockerfile" "$TARN_SOURCE_DIR"
  built="FROM localhost/tarn-test/build AS build\n"
else
  cp "$packages"/*.deb "$work/context/"
  built="FROM \${BASE} AS build\nCOPY *.deb /src/build/package/\n"
fi
# That stage, up to the first empty line behind its FROM, is done: two images are made from it.
sed "/^FROM .* AS build$/,/^$/c $built" "$TARN_SOURCE_DIR/Dockerfile" >"$work/context/Dockerfile"

say "the image"
bud tarnd "$work/context/Dockerfile" "$work/context"

say "what its configuration says"
buildah inspect --type image "$image" >"$work/image.json"
python3 - "$work/image.json" "$commit" <<'PYTHON'
import json, sys
config = json.load(open(sys.argv[1], encoding="utf-8"))["Docker"]["config"]
assert config["User"] == "8276:8276", config["User"]
assert config["StopSignal"] == "SIGTERM", config
assert list(config["Volumes"]) == ["/var/lib/tarn"], config["Volumes"]
assert sorted(config["ExposedPorts"]) == ["8276/tcp", "8277/tcp"], config["ExposedPorts"]
assert "tarnctl" in config["Healthcheck"]["Test"], config["Healthcheck"]
assert config["Labels"]["org.opencontainers.image.title"] == "tarnd"
assert config["Labels"]["org.opencontainers.image.revision"] == sys.argv[2], config["Labels"]
PYTHON

box=$(buildah from --pull-never "$image")
mkdir -m 0700 "$work/state"
chown 8276:8276 "$work/state"
# As the image's user, with the one volume.
run() { buildah run --user 8276:8276 --volume "$work/state:/var/lib/tarn" "$box" -- "$@"; }
tarnctl() { run tarnctl --endpoint "$grpc" "$@"; }

root=$(buildah mount "$box")

say "what was built in it is what is built here"
for package in tarnd tarnctl; do
  dpkg-deb -x "$packages/$package"_*.deb "$work/$package"
  # The bills name the versions of libraries, which are as new as each machine's.
  (cd "$work/$package" && find . -type f ! -name '*.spdx.json') | while read -r file; do
    cmp "$work/$package/$file" "$root/$file" || fail "$file differs"
  done
done

if [[ -z ${PACKAGES:-} ]]; then
  # A package without a bill: all of it.
  builder=$(buildah from --pull-never localhost/tarn-test/build)
  cmp "$packages"/libtarn-dev_*.deb "$(buildah mount "$builder")"/src/build/package/libtarn-dev_*.deb || fail "libtarn-dev differs"
  buildah rm "$builder" >/dev/null
fi

say "only what runs is in it"
du -sh "$root" | cut -f1
for program in g++ cmake git python3; do
  [[ ! -e $root/usr/bin/$program ]] || fail "$program is in the image"
done
[[ -z $(find "$root" -xdev -user 8276 ! -path "$root/var/lib/tarn*" 2>/dev/null) ]] || fail "its user owns more than its volume"

start() {
  rm -f "$work/state/address.$$"
  run tarnd --listen 127.0.0.1:0 --http-listen 127.0.0.1:0 --address-file /var/lib/tarn/address.$$ >"$work/tarnd.log" 2>&1 &
  running=$!
  local deadline=$((SECONDS + 60))
  until [[ -s $work/state/address.$$ ]]; do
    if ! kill -0 "$running" 2>/dev/null || ((SECONDS > deadline)); then
      cat "$work/tarnd.log"
      fail "tarnd does not serve"
    fi
    sleep 0.05
  done
  grpc=$(sed -n 's/^grpc=//p' "$work/state/address.$$")
}
# The process in the box that listens where we told it to; buildah's stand between it and us.
daemon() {
  local pid
  for pid in $(pgrep -u 8276 -x tarnd); do
    grep -q "/var/lib/tarn/address.$$" "/proc/$pid/cmdline" && echo "$pid" && return
  done
  return 1
}
stop() {
  local pid
  pid=$(daemon) || { pgrep -u 8276 -a; fail "there is no tarnd of user 8276"; }
  kill -TERM "$pid"
  wait "$running" || { cat "$work/tarnd.log"; fail "tarnd did not end well"; }
}

say "tarnd runs as its own user: a put, a checkpoint, a restore"
marker=$work/marker
touch "$marker"
start
equal "$(tarnctl server health)" SERVING "health"
tarnctl put key first >/dev/null
checkpoint=$(tarnctl checkpoint create --quiet)
tarnctl put key second >/dev/null
tarnctl checkpoint restore "$checkpoint" --yes --quiet >/dev/null
equal "$(tarnctl get key)" first "after the restore"
[[ -z $(find "$root" -xdev -type f -newer "$marker" ! -path "$root/var/lib/tarn/*" ! -path "$root/etc/*" ! -path "$root/run/*") ]] ||
  fail "it wrote beyond its volume"

say "it stops on the image's signal, and goes on where it was"
stop
start
equal "$(tarnctl get key)" first "after the stop"
stop

if [[ -z ${PACKAGES:-} ]]; then
  say "docker-compose.yml's tarnd and worker, on the network that is theirs alone"
  bud demo "$work/context/Dockerfile" "$work/context"
  # Whatever is left when the script has ended ends with it.
  unshare --net --pid --fork --kill-child --mount-proc "$here/run_python.sh" "$here/check_images.py" "$work"
fi
say "passed"
