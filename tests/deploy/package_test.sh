#!/bin/bash
# The Debian packages, in a Debian of their own: installed with what they depend on, run as the service's user, reinstalled
# over a changed configuration, removed, purged.
#
#   PACKAGES=DIR    where they are; by default .ci/package builds them, and builds them again to the same bytes
set -euo pipefail

# shellcheck source=/dev/null
. "$(dirname "$0")/debian_root.sh"
require debootstrap dpkg-deb

packages=${PACKAGES:-$TARN_SOURCE_DIR/build/package}

work=$(mktemp -d)
root=$work/root
clean_up() {
  local pid
  for pid in $(jobs -p); do kill -9 "$pid" 2>/dev/null || true; done
  umount "$root/proc" 2>/dev/null || true
  rm -rf "$work"
}
trap clean_up EXIT

say() { echo "package_test: $*"; }
fail() { echo "package_test: FAILED: $*" >&2; exit 1; }
# To become a program in the root, so that a signal reaches the program itself.
become() { exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive chroot "$root" "$@"; }
# As the service would: as its user, without any privilege.
become_tarn() { become setpriv --reuid tarn --regid tarn --clear-groups --no-new-privs "$@"; }
in_root() { (become "$@"); }
as_tarn() { (become_tarn "$@"); }

start() {
  rm -f "$root/var/lib/tarn/address"
  become_tarn tarnd --config /etc/tarn/tarnd.toml --data-dir /var/lib/tarn --listen 127.0.0.1:0 --http-listen 127.0.0.1:0 \
    --address-file /var/lib/tarn/address >"$work/tarnd.log" 2>&1 &
  tarnd=$!
  local deadline=$((SECONDS + 60))
  until [[ -s $root/var/lib/tarn/address ]]; do
    if ! kill -0 "$tarnd" 2>/dev/null || ((SECONDS > deadline)); then
      cat "$work/tarnd.log"
      fail "tarnd does not serve"
    fi
    sleep 0.05
  done
  grpc=$(sed -n 's/^grpc=//p' "$root/var/lib/tarn/address")
}
stop() {
  local code=0
  kill "$tarnd"
  wait "$tarnd" || code=$?
  ((code == 0)) || { cat "$work/tarnd.log"; fail "tarnd ended with $code"; }
}
tarnctl() { as_tarn tarnctl --endpoint "$grpc" "$@"; }
equal() { [[ $1 == "$2" ]] || fail "$3: '$1' instead of '$2'"; }

if [[ -z ${PACKAGES:-} ]]; then
  say "the packages, and once more: the same bytes"
  "$TARN_SOURCE_DIR/.ci/package" | tail -3 >"$work/sums"
  (cd "$packages" && rm -- *.deb)
  "$TARN_SOURCE_DIR/.ci/package" | tail -3 | diff "$work/sums" - || fail "built twice, they differ"
fi

say "a minimal Debian 12"
debian_root "$root"
mount -t proc proc "$root/proc"
cp /etc/resolv.conf "$root/etc/"
mkdir "$root/packages"
cp "$packages"/*.deb "$root/packages/"
in_root apt-get -q update >"$work/apt.log" 2>&1 || { tail -3 "$work/apt.log"; echo "SKIPPED: no network"; exit 77; }

say "tarnd and tarnctl are installed with what they depend on"
in_root sh -c 'apt-get -q install -y --no-install-recommends /packages/tarnd_*.deb /packages/tarnctl_*.deb' >>"$work/apt.log" 2>&1 ||
  { tail -20 "$work/apt.log"; fail "cannot be installed"; }
# Nothing that only a compiler needs came along.
! in_root dpkg-query --list '*-dev' 2>/dev/null | grep -q '^ii' || fail "a -dev package was installed"
equal "$(in_root stat -c '%U %G %a' /var/lib/tarn)" "tarn tarn 700" "/var/lib/tarn"
equal "$(in_root cat /var/lib/dpkg/info/tarnd.conffiles)" /etc/tarn/tarnd.toml "conffiles"
in_root tarnd --config /etc/tarn/tarnd.toml --check-config >/dev/null
for file in lib/systemd/system/tarnd.service lib/sysusers.d/tarn.conf lib/tmpfiles.d/tarn.conf share/man/man8/tarnd.8.gz \
  share/man/man1/tarnctl.1.gz share/bash-completion/completions/tarnctl share/doc/tarnd/tarnd.spdx.json share/doc/tarnd/copyright; do
  # minbase's dpkg leaves no documents out, unlike the slim images of containers.
  [[ -f $root/usr/$file ]] || fail "no /usr/$file"
done

say "the bill of materials names what is linked"
python3 - "$root/usr/share/doc/tarnd/tarnd.spdx.json" <<'PYTHON'
import json, sys
bill = json.load(open(sys.argv[1], encoding="utf-8"))
names = {package["SPDXID"]: package["name"] for package in bill["packages"]}
assert bill["spdxVersion"] == "SPDX-2.3" and len(names) == len(bill["packages"])
ends = {end for one in bill["relationships"] for end in (one["spdxElementId"], one["relatedSpdxElement"])}
assert ends == set(names) | {"SPDXRef-DOCUMENT"}, ends ^ set(names)
for wanted in ("tarnd", "librocksdb7.8", "libssl3", "libjemalloc2", "libc6", "libcli11-dev"):
    assert wanted in names.values(), f"{wanted} is missing"
PYTHON

say "what was written before a restart and what a checkpoint holds comes back"
start
tarnctl put key first >/dev/null
checkpoint=$(tarnctl checkpoint create --quiet)
tarnctl put key second >/dev/null
stop
start
equal "$(tarnctl get key)" second "after a restart"
tarnctl checkpoint restore "$checkpoint" --yes --quiet >/dev/null
equal "$(tarnctl get key)" first "after a restore"
stop

say "a configuration that was changed outlives an upgrade"
echo 'checkpoint-interval = "30s"' >>"$root/etc/tarn/tarnd.toml"
in_root sh -c 'dpkg --force-confdef -i /packages/tarnd_*.deb' >>"$work/apt.log" 2>&1 || { tail -5 "$work/apt.log"; fail "upgrade"; }
grep -q '"30s"' "$root/etc/tarn/tarnd.toml" || fail "the configuration was replaced"

say "removed, it leaves configuration and state; purged, only state"
in_root apt-get -q remove -y tarnd tarnctl >>"$work/apt.log" 2>&1
[[ ! -e $root/usr/bin/tarnd && ! -e $root/usr/bin/tarnctl ]] || fail "programs are left"
[[ -f $root/etc/tarn/tarnd.toml ]] || fail "the configuration went with the package"
in_root apt-get -q purge -y tarnd >>"$work/apt.log" 2>&1
[[ ! -e $root/etc/tarn ]] || fail "the configuration outlives a purge"
[[ -n $(ls "$root/var/lib/tarn/checkpoints") ]] || fail "the state is gone"

say "libtarn-dev's dependencies are there to be had"
in_root sh -c 'apt-get -q -s install --no-install-recommends /packages/libtarn-dev_*.deb' >"$work/libtarn.log" 2>&1 ||
  { tail -5 "$work/libtarn.log"; fail "libtarn-dev cannot be installed"; }
dpkg-deb -c "$packages"/libtarn-dev_*.deb >"$work/libtarn"
for file in usr/include/tarn/client.h /libtarn.a /tarnConfig.cmake /tarn.pc tarn/proto/tarn/v1/state.proto; do
  grep -q "$file" "$work/libtarn" || fail "libtarn-dev lacks $file"
done
say "passed"
