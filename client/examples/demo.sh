#!/bin/bash
# A stream worker on real events whose state is in tarnd. Worker and tarnd are killed on the way; the result is compared
# with an independent computation over the same files. docs/demo.md tells the story. Builds nothing: `make demo` does.
#
#   DATASET=temps|flights   which events (temps); see fetch_data.sh
#   DATA_DIR=DIR            where their files are, fetched if missing (build/demo/DATASET)
#   BIN_DIR=DIR             where tarnd, window_worker and window_report are (build/release/bin)
#   RATE=N                  events a second; 0 = as fast as it goes
#
# Exit status: 0 if all agrees.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
dataset=${DATASET:-temps}
data=${DATA_DIR:-$root/build/demo/$dataset}
bin=${BIN_DIR:-$root/build/release/bin}
patience=30  # seconds for tarnd to start
replaced=3   # window_worker's exit status when another one has taken over

case $dataset in
  temps)
    what="hourly temperatures of Seattle and San Francisco, 2010"
    sessions="warm spells: 65.0 degrees F or more, without a gap of over 18 hours"
    threshold=650 gap=$((18 * 3600)) divide=10 rate=${RATE:-3000} ;;
  flights)
    what="US flights and their delays in minutes, January to March 2001"
    sessions="runs of delays: 60 minutes or more, without a gap of over 30 minutes"
    threshold=60 gap=$((30 * 60)) divide=1 rate=${RATE:-25000} ;;
  *) echo "demo: DATASET is temps or flights, not $dataset" >&2; exit 2 ;;
esac

work=$(mktemp -d)
started=0    # workers so far

clean_up() {
  local pid
  for pid in $(jobs -p); do
    kill -9 "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
  done
  rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 130' INT TERM

say() { printf '\n\033[1m%s\033[0m\n' "$*"; }
note() { printf '    %s\n' "$*"; }

fail() {
  echo "demo: $*" >&2
  tail -n 20 "$work"/*.log >&2 || true
  exit 1
}

# start_tarnd GRPC_ADDRESS HTTP_ADDRESS: sets tarnd, grpc and http. Port 0: any free one.
start_tarnd() {
  local deadline=$((SECONDS + patience))
  rm -f "$work/address"
  # tarnd takes every TARN_ variable for an option; those of a test are none.
  (
    for name in $(compgen -e TARN_); do unset "$name"; done
    exec "$bin/tarnd" --engine rocksdb --data-dir "$work/data" --listen "$1" --http-listen "$2" \
      --address-file "$work/address" 2>>"$work/tarnd.log" >&2
  ) &
  tarnd=$!
  until [[ -s $work/address ]]; do
    kill -0 "$tarnd" 2>/dev/null || fail "tarnd did not start"
    ((SECONDS < deadline)) || fail "tarnd did not begin to serve in $patience s"
    sleep 0.05
  done
  grpc=$(sed -n 's/^grpc=//p' "$work/address")
  http=$(sed -n 's/^http=//p' "$work/address")
}

# Sets worker to its process id, and complaints to where it writes them. Its lines come through $progress.
start_worker() {
  local fifo=$work/progress.$started
  complaints=$work/worker.$started.log
  started=$((started + 1))
  mkfifo "$fifo"
  "$bin/window_worker" --log "$work/events" --endpoint "$grpc" --threshold "$threshold" --gap "$gap" --rate "$rate" \
    >"$fifo" 2>"$complaints" &
  worker=$!
  exec {progress}<"$fifo"
}

# follow PERCENT: shows what the worker says, each tenth percent, until it has read as much of the log. 101: until it ends.
follow() {
  local line percent shown=-1
  while read -r line <&"$progress"; do
    percent=${line%% *}
    if ((percent / 10 != shown / 10 || shown < 0)); then note "$line"; fi
    shown=$percent
    ((percent < $1)) || return 0
  done
  (($1 > 100)) || fail "the worker ended before $1 %"
}

# ended PID: waits for it; sets status.
ended() { wait "$1" 2>/dev/null && status=0 || status=$?; }

kill_hard() {
  kill -9 "$1" || fail "$2 had ended already"
  ended "$1"
}

say "The events: $what"
"$here/fetch_data.sh" "$dataset" "$data"
"$here/make_event_log.py" "$dataset" "$data" >"$work/events"
note "$(wc -l <"$work/events") events in one log, in time order"

say "tarnd, with the rocksdb engine in a new directory"
start_tarnd 127.0.0.1:0 127.0.0.1:0
note "gRPC on $grpc, metrics on http://$http/metrics"

say "A worker keeps a window per key and day, and sessions ($sessions)"
start_worker
follow 25

say "kill -9 the worker, start another"
kill_hard "$worker" "the worker"
start_worker
follow 50

say "kill -9 tarnd under the worker, start it again on the same directory; the worker goes on"
kill_hard "$tarnd" tarnd
start_tarnd "$grpc" "$http"
follow 75

say "Freeze the worker (kill -STOP), start another, and let the frozen one wake up: it must not write any more"
frozen=$worker its_complaints=$complaints
kill -STOP "$frozen"
start_worker
follow 85
kill -CONT "$frozen"
ended "$frozen"
sed 's/^/    /' "$its_complaints"
((status == replaced)) || fail "the worker that woke up ended with $status instead of $replaced"
follow 101
ended "$worker"
((status == 0)) || fail "the last worker ended with $status"

say "What tarnd holds now: the top of the closed windows"
"$bin/window_report" --endpoint "$grpc" --divide "$divide" || fail "no report"

say "Compared with an independent computation over the same files"
"$bin/window_report" --endpoint "$grpc" --show all >"$work/report" || fail "no report"
if ! "$here/check_windows.py" "$dataset" "$data" "$threshold" "$gap" <"$work/report"; then
  say "They differ."
  exit 1
fi

kill "$tarnd"
ended "$tarnd"
((status == 0)) || fail "tarnd ended with $status"
say "Every event was counted exactly once."
