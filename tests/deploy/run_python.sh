#!/bin/bash
# Runs a script with the Python of `.ci/tools python`, which reads YAML and knows schemas; without it the test is skipped.
environment=$TARN_TOOLS_DIR/../python
if [[ ! -f $environment/requirements.txt ]]; then
  echo "SKIPPED: no $environment: run '.ci/tools python', which needs the network"
  exit 77
fi
exec "$environment/bin/python" -B "$@"
