#!/usr/bin/env bash
# tests/fault/run.sh POINTS [SEED]: what tests/fault checks in the tests, at length.
set -uo pipefail
points=${1:?usage: tests/fault/run.sh POINTS [SEED]}
seed=${2:-$RANDOM}
cd "$(dirname "$0")/../.." || exit 1
export ARTEL_BIN=${ARTEL_BIN:-$PWD/build/test/bin}
python3 -B tests/fault/step.py --points "$points" --seed "$seed"
python3 -B tests/fault/service.py --points "$points" --seed "$seed"
python3 -B tests/fault/hostile.py 16000 "$seed"
python3 -B tests/fault/flow.py 6
python3 -B tests/fault/eight.py 20 "$seed"
python3 -B tests/fault/damage.py --points "$((points / 20 + 1))" --seed "$seed"
python3 -B tests/fault/full.py 32
