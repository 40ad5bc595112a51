# shellcheck shell=bash
# For tests that need a Debian 12 of their own. To be sourced.
#
#   require PROGRAM...    ends the test as skipped unless it runs as root and has them
#   debian_root DIR       a minimal Debian 12 in DIR; fetched once, and kept in build/roots

require() {
  local program
  if ((EUID != 0)); then
    echo "SKIPPED: needs root"
    exit 77
  fi
  for program in "$@"; do
    command -v "$program" >/dev/null || { echo "SKIPPED: needs $program: apt-get install $program"; exit 77; }
  done
}

debian_root() {
  local archive=$TARN_SOURCE_DIR/build/roots/bookworm.tar fresh
  if [[ ! -f $archive ]]; then
    mkdir -p "$(dirname "$archive")"
    fresh=$(mktemp -d)
    if ! debootstrap --variant=minbase bookworm "$fresh" >"$archive.log" 2>&1; then
      tail -3 "$archive.log"
      echo "SKIPPED: Debian's archive cannot be reached"
      exit 77
    fi
    tar -C "$fresh" -cf "$archive.new" .
    mv "$archive.new" "$archive"
    rm -rf "$fresh"
  fi
  mkdir -p "$1"
  tar -C "$1" -xf "$archive"
}
