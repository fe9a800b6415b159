#!/bin/bash
# Runs with an assembled Hessian: its memory is predicted and refused, restarts have the same bits on
# the same number of ranks, and on any if one rank holds the matrix, options are checked.
# Environment: see support/cli.sh.
. "$SRC/tests/support/cli.sh"
: "${SAME:?the program h5same}"

cat >run.yml <<END_OF_FILE
problem:
  type: hyper_cleaning
  corrupt: 0.3
  data:
    train: {path: $SRC/data/digits/digits.csv.gz}
    n_train: 120
    n_val: 80
    n_test: 40
    shards: 8
solver:
  type: aid
  lower: {rule: newton, steps: 3}
  adjoint: {type: direct}
  upper: {step: 10}
run: {iterations: 6, checkpoint_every: 3}
END_OF_FILE

# few rows and many features: H is large beside the data
awk 'BEGIN { for (i = 0; i < 48; i++) { for (k = 0; k < 400; k++) printf "%d,", (i * k * 7) % 5
  print i % 4 } }' >wide.csv
cat >wide.yml <<'END_OF_FILE'
problem:
  type: ridge_logistic
  data: {train: {path: wide.csv}, n_train: 24, n_val: 12, n_test: 12, shards: 4}
solver: {type: aid, adjoint: {type: direct}}
run: {iterations: 1}
END_OF_FILE

# says PATTERN WHAT: the last command printed a line that matches
says() { grep -qE -- "$1" log || failed "$2" log; }
# refused CODE PATTERN RUNFILE ARGUMENT...: on 2 ranks, with this exit code and message, and no file
refused() {
  local code=$1 pattern=$2 file=$3 got
  shift 3
  parblo_on 2 run "$file" --set run.output=refused "$@" >log 2>&1
  got=$?
  if [ $got -eq "$code" ]; then passed "exit code $code: $*"; else failed "exit code $got, not $code: $*" log; fi
  says "$pattern" "no line matches '$pattern': $*"
  [ ! -e refused ] || failed "something is left behind: $*" log
}

shows "memory is predicted, and refused with numbers"
parblo_on 2 run run.yml --dry-run >log 2>&1
says '^dense +H 650 x 650 on a grid of 1 x 2 ranks, blocks of 64: [0-9.]+ MiB on the rank' "--dry-run is silent"
says 'other grids give other last bits' "--dry-run does not tell what bits depend on"
refused 10 "a dense Hessian of n_y = 1604 on a grid of 1 x 2 ranks needs .* GiB on a rank, .*run.memory_limit is .*'cg' or 'neumann'" \
  wide.yml --set run.memory_limit=0.008
refused 10 "'cg' or 'neumann'" wide.yml --set run.memory_limit=0.008 --dry-run
refused 0 'H 1604 x 1604 on' wide.yml --set run.memory_limit=0.03 --dry-run

shows "restarts have the same bits"
# continued FOLDER RANKS RANKS RANKS ARGUMENT...: 3 iterations on the first number of ranks, 3 on the
# second, against 6 on the third
continued() {
  local folder=$1 first=$2 second=$3 whole=$4
  shift 4
  parblo_on "$first" run run.yml --set run.output="$folder" --set run.iterations=3 "$@" >log 2>&1 &&
    parblo_on "$second" resume "$folder" --set run.iterations=6 >log 2>&1 &&
    parblo_on "$whole" run run.yml --set run.output="$folder.whole" "$@" >log 2>&1 ||
    failed "$folder: a run fails" log
  if "$SAME" "$folder/run.h5" "$folder.whole/run.h5" >log 2>&1; then
    passed "$first ranks, then $second, as on $whole: $*"
  else
    failed "$folder: other bits than in one go" log
  fi
}
continued two 2 2 2
continued three 3 3 3 --set solver.dense.block=16 --set solver.adjoint.warm_start=false
continued one 2 3 1 --set solver.dense.ranks=1
continued other 3 1 2 --set solver.dense.ranks=1 --set solver.lower.rule=gauss_newton

shows "the run says on what its bits depend"
parblo_on 2 run run.yml --set run.output=said >log 2>&1
says 'dense matrices on a grid of 2 ranks: another grid gives other last bits' "the summary is silent"
parblo_on 2 run run.yml --set run.output=said1 --set solver.dense.ranks=1 >log 2>&1
! grep -q 'another grid' log || failed "one rank is no grid" log

shows "options are checked"
refused 2 'dense.block = 0 .*1' run.yml --set solver.dense.block=0
refused 2 'dense.ranks' run.yml --set solver.dense.ranks=-1
refused 2 "did you mean 'gauss_newton'" run.yml --set solver.lower.rule=gaus_newton
refused 2 "momentum = 0.5 belongs to solver.lower.rule = 'gradient'" run.yml --set solver.lower.momentum=0.5
finish
