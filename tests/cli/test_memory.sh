#!/bin/bash
# run.memory_limit: a run that cannot save what it computes does not start. Sources of few_shot that are
# half given are refused, and its shards are called by their name. Environment: see support/cli.sh.
. "$SRC/tests/support/cli.sh"

zcat "$SRC/data/digits/digits.csv.gz" | head -n 400 >train.csv
# y has 16384 times 24 numbers, 3 MiB: much beside what else there is
cat >run.yml <<'END_OF_FILE'
problem:
  type: few_shot
  train: {path: train.csv}
  model: {type: mlp, hidden: 7}
  ways: 3
  shots: 1
  queries: 1
  episodes: 16384
  shards: 2
solver: {type: aid, lower: {steps: 1, batch: 64}, adjoint: {iterations: 1, batch: 64}, upper: {batch: 64}}
run: {iterations: 1}
END_OF_FILE

shows "a limit of memory that is too low only for saving"
# with_kib N: a run in the folder kibN with so much memory
with_kib() {
  parblo_on 1 run run.yml --set run.output="kib$1" \
    --set run.memory_limit="$(awk -v n="$1" 'BEGIN { printf "%.12f", n / 1048576 }')" >"log$1" 2>&1
}
low=1024
high=262144
while [ $((high - low)) -gt 512 ]; do
  middle=$(((low + high) / 2))
  if with_kib $middle; then high=$middle; else low=$middle; fi
done
check "$high KiB are enough, and the run is saved" test -e "kib$high/run.h5" -a "$high" -lt 262144
check "$low KiB are not: the limit is named" grep -q 'run.memory_limit' "log$low"
check "and nothing has been started" test ! -e "kib$low"

shows "a test source without a path"
for key in labels group; do
  check "test.$key alone is refused" bash -c "! timeout -k 5 60 '$PARBLO' run run.yml --dry-run \
    --set problem.test.$key=something >log.$key 2>&1 && grep -q 'problem.test has labels or a group' log.$key"
done

shows "shards of a problem without problem.data"
for shards in 6 512; do
  check "$shards shards: the option is named" bash -c "! timeout -k 5 60 '$PARBLO' run run.yml --dry-run \
    --set problem.shards=$shards >log.shards 2>&1 && grep -q '[^.]problem\.shards' log.shards"
done
finish
