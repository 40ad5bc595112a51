#!/bin/bash
# fetch_data.sh temps|flights DIR: puts the event files into DIR, from the package that ships them; does nothing when
# they are there.
#   temps    Debian's python3-vega-datasets: hourly temperatures of Seattle and San Francisco in 2010
#   flights  npm's vega-datasets, the last version with this table: US flights from January to March 2001
set -euo pipefail

dataset=$1
directory=$2
flights_version=1.31.1

download_deb() {
  apt-get -q download python3-vega-datasets && return
  echo "fetch_data: apt knows no python3-vega-datasets: updating its lists"
  if ((EUID == 0)); then apt-get -q update; else sudo apt-get -q update; fi
  apt-get -q download python3-vega-datasets
}

fetch_temps() {
  download_deb
  dpkg-deb -x python3-vega-datasets_*.deb unpacked
  mv unpacked/usr/lib/python3/dist-packages/vega_datasets/_data/{seattle,sf}-temps.csv .
}

fetch_flights() {
  command -v npm >/dev/null || { echo "fetch_data: DATASET=flights needs npm: apt-get install npm"; return 1; }
  npm pack --silent "vega-datasets@$flights_version"
  tar -xzf vega-datasets-*.tgz package/data/flights-3m.csv
  mv package/data/flights-3m.csv .
}

case $dataset in
  temps) wanted=(seattle-temps.csv sf-temps.csv) ;;
  flights) wanted=(flights-3m.csv) ;;
  *) echo "fetch_data: no data set is called $dataset: temps or flights"; exit 2 ;;
esac

for file in "${wanted[@]}"; do
  [[ -f $directory/$file ]] || missing=1
done
[[ -n ${missing:-} ]] || exit 0

# Unpacked elsewhere and moved, so that what is in DIR is whole. apt's own user must be able to write there.
mkdir -p "$directory"
temporary=$(mktemp -d)
trap 'rm -rf "$temporary"' EXIT
chmod 755 "$temporary"
(cd "$temporary" && "fetch_$dataset") >"$temporary/log" 2>&1 || { cat "$temporary/log" >&2; exit 1; }
for file in "${wanted[@]}"; do mv "$temporary/$file" "$directory/"; done
