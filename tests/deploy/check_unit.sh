#!/bin/bash
# The systemd unit: confined as far as it can be, and not restarted where that would not help.
set -euo pipefail

unit=$TARN_SOURCE_DIR/deploy/systemd/tarnd.service
if ! command -v systemd-analyze >/dev/null; then
  echo "SKIPPED: no systemd-analyze here: .ci/setup lint"
  exit 77
fi

# In tenths: 2.0 is "OK", on a scale that ends at 10.
systemd-analyze security --offline=yes --threshold=20 --no-pager "$unit" | tail -1

# What it verifies besides are the programs, which are not installed here.
complaints=$(systemd-analyze verify "$unit" 2>&1 | grep -v -e 'is not executable' -e 'man tarnd(8)' || true)
if [[ -n $complaints ]]; then
  echo "$complaints"
  exit 1
fi

# 2, 3, 4 and 5, say: from the sentence in the documents.
documented=$(sed -n 's/^A service manager should not restart on \(.*\):.*/\1/p' "$TARN_SOURCE_DIR/docs/configuration.md" | tr -cs '0-9\n' ' ')
in_unit=$(sed -n 's/^RestartPreventExitStatus=//p' "$unit")
if [[ $(xargs <<<"$documented") != "$in_unit" ]]; then
  echo "docs/configuration.md says not to restart on '$documented', the unit on '$in_unit'"
  exit 1
fi
