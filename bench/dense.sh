#!/bin/bash
# The steps of bench_dense on 1 and 2 ranks in turns: medians over the rounds, and their ratios.
#
#   BENCH=build/release/bin/bench_dense bench/dense.sh [n_y samples repeats block]
#
# ROUNDS (default 3) rounds.
set -eu

BENCH=${BENCH:-build/release/bin/bench_dense}
ROUNDS=${ROUNDS:-3}
export OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
for _ in $(seq "$ROUNDS"); do
  for ranks in 1 2; do
    mpirun -n $ranks "$BENCH" "$@" >>"$folder/$ranks"
  done
done
head -n 1 "$folder/1"

median() # <ranks> <step>
{
  sed -nE "s/^$2: ([0-9.]+) ms$/\1/p" "$folder/$1" | sort -g |
    awk '{ v[NR] = $1 } END { if (NR) print v[int((NR + 1) / 2)] }'
}

sed -nE 's/^([^:]+): [0-9.]+ ms$/\1/p' "$folder/1" | awk '!seen[$0]++' | while read -r step; do
  one=$(median 1 "$step") two=$(median 2 "$step")
  if [ -n "$two" ]; then
    echo "$one $two" | awk -v step="$step" \
      '{ printf "%-32s 1 rank %9.2f ms   2 ranks %9.2f ms   ratio %.2f\n", step, $1, $2, $2 / $1 }'
  else
    printf '%-32s 1 rank %9.2f ms\n' "$step" "$one"
  fi
done
