#!/bin/bash
# Problems made of networks from the command line: the same bits on 1, 2 and 3 ranks, runs that are
# killed and continued on another number of ranks, `parblo check`, and x and y under the names of
# their parts in the run file. Environment: see support/cli.sh.
. "$SRC/tests/support/cli.sh"
: "${SAME:?the program h5same}"
[ -r /proc/self/status ] || { echo "skipped: there is no /proc to find the ranks in"; exit 77; }
readonly AT_ONCE=2

# ---------------------------------------------------------------------- inputs

digits=$SRC/data/digits/digits.csv.gz
zcat "$digits" | head -n 400 >train.csv
zcat "$digits" | tail -n 400 >test.csv
# Sentences of 1 to 6 words, of which one tells the class.
awk 'BEGIN {
  for (i = 0; i < 160; i++) {
    printf "%d %s", i % 2, i % 2 ? "good" : "bad"
    for (j = 0; j < i * 7 % 6; j++) printf " w%d", (i * i + 3 * j) % 9
    print ""
  }
}' >texts.txt
check "texts are converted" parblo_on 1 convert --text --train texts.txt -o texts.h5

solver='solver: {type: aid, lower: {steps: 3, step: 0.2}, adjoint: {iterations: 3,
  on_curvature: truncate}, upper: {step: 0.5}}
run: {iterations: 6, metrics_every: 2}'
# problem NAME TYPE SOURCE MODEL MORE: a run file on numbers or texts
problem() {
  cat >"$1.yml" <<END
problem:
  type: $2
  model: {$4}
$5
  data:
    train: {path: $3}
    n_train: 81
    n_val: 43
    n_test: 21
    shards: 8
    scaling: $([ "$3" = texts.h5 ] && echo none || echo unit)
$solver
END
}
problem representation hyper_representation train.csv 'type: mlp, hidden: 5' '  reg: 0.01'
problem cleaning_mlp hyper_cleaning train.csv 'type: mlp, hidden: 5' '  corrupt: 0.3'
problem cleaning_lstm hyper_cleaning texts.h5 'type: lstm, hidden: 3, embedding: 4' '  corrupt: 0.3'
problem cleaning_gru hyper_cleaning texts.h5 'type: gru, hidden: 3, embedding: 4, pooling: last' \
  '  x: rooted'
problem block_ridge block_ridge train.csv 'type: mlp, hidden: 4, activation: softplus' \
  '  penalty: norm'
cat >few_shot.yml <<END
problem:
  type: few_shot
  train: {path: train.csv}
  test: {path: test.csv}
  model: {type: conv, layers: 2, filters: 3, norm: channel, smooth: true}
  ways: 4
  episodes: 24
  test_episodes: 16
  shards: 8
$solver
END
readonly all='representation cleaning_mlp cleaning_lstm cleaning_gru block_ridge few_shot'

# --------------------------------------------------------------------- helpers

newest() { ls "$1" 2>/dev/null | grep '\.ckpt\.[0-9]*\.h5$' | tail -n 1; }
# within SECONDS COMMAND...: wait until it is true
within() {
  local end=$((SECONDS + $1))
  shift
  until "$@"; do
    [ $SECONDS -lt $end ] || return 1
    sleep 0.02
  done
}
has_checkpoint() { [ -n "$(newest "$1")" ]; }
# same TEXT FILE FILE
same() {
  local said
  if said=$("$SAME" "$2" "$3"); then
    passed "$1: $said"
  else
    echo "$said" >"$3.differences"
    failed "$1" "$3.differences"
  fi
}

# ------------------------------------------------------------------ the same bits

# all_ranks NAME
all_ranks() {
  local ranks
  for ranks in 1 2 3; do
    parblo_on $ranks run "$1.yml" --set run.output="$1/$ranks" >"$1.$ranks.said" 2>&1 ||
      failed "$1: cannot be run on $ranks ranks" "$1.$ranks.said"
  done
  same "$1: 2 ranks" "$1/1/$1.h5" "$1/2/$1.h5"
  same "$1: 3 ranks" "$1/1/$1.h5" "$1/3/$1.h5"
}
shows "1, 2 and 3 ranks"
for name in $all; do side_by_side $AT_ONCE all_ranks $name; done
wait
shows "what is not the same is seen to differ"
parblo_on 1 run representation.yml --set run.output=other --set problem.init_seed=2 >said 2>&1 ||
  failed "another start cannot be run" said
if "$SAME" representation/1/representation.h5 other/representation.h5 >said; then
  failed "two starts give the same" said
else
  passed "two starts: $(head -n 1 said)"
fi

# ------------------------------------------------------------------------ kills

# killed NAME RANKS RANKS: a run without an end is killed, and ended on another number of ranks
killed() {
  local name=$1 folder=kill-$1 launcher n
  # shellcheck disable=SC2086 # a command and its flags
  $MPIRUN --quiet -n "$2" "$PARBLO" run "$name.yml" --set run.output="$folder" \
    --set run.iterations=1000000 --set run.checkpoint_every=3 >"$folder.said" 2>&1 &
  launcher=$!
  if ! within 30 has_checkpoint "$folder"; then
    kill $launcher
    failed "$name: no checkpoint has come" "$folder.said"
    return
  fi
  kill -KILL "$(grep -ls "^PPid:[[:space:]]*$launcher\$" /proc/[0-9]*/status | tail -n 1 |
    cut -d/ -f3)"
  wait $launcher 2>/dev/null
  n=$(newest "$folder")
  n=${n##*.ckpt.}
  n=$((10#${n%.h5} + 4))
  parblo_on "$3" resume "$folder" --set run.iterations=$n >"$folder.said" 2>&1 ||
    failed "$name: cannot be resumed" "$folder.said"
  parblo_on 1 run "$name.yml" --set run.output="$folder.whole" --set run.iterations=$n \
    >"$folder.said" 2>&1 || failed "$name: the run to compare with fails" "$folder.said"
  same "$name: killed on $2 ranks, ended on $3 after $n iterations" "$folder.whole/$name.h5" \
    "$folder/$name.h5"
}
shows "SIGKILL, and the rest on another number of ranks"
side_by_side $AT_ONCE killed representation 2 1
side_by_side $AT_ONCE killed cleaning_lstm 3 2
side_by_side $AT_ONCE killed block_ridge 2 3
side_by_side $AT_ONCE killed few_shot 2 3
wait

# ----------------------------------------------------------------------- checks

# checks NAME RANKS ARGUMENT...
checks() {
  if ! parblo_on "$2" check "$1.yml" "${@:3}" >"$1.check" 2>&1; then
    failed "$1: parblo check on $2 ranks" "$1.check"
  elif grep -q FAIL "$1.check" || [ "$(grep -c PASS "$1.check")" -lt 8 ]; then
    failed "$1: parblo check says" "$1.check"
  else
    passed "$1: parblo check on $2 ranks, $(grep -c PASS "$1.check") statements"
  fi
}
shows "parblo check"
for name in representation cleaning_mlp cleaning_lstm cleaning_gru few_shot; do
  side_by_side $AT_ONCE checks $name 2
done
# norms have kinks at 0, where biases start; differences see small weights badly
side_by_side $AT_ONCE checks block_ridge 3 --set problem.penalty=square --set problem.weight=0.1
wait

# -------------------------------------------------------------- parts by name

# part FILE NAME SHAPE
part() { check "$1: $2 {$3}" sh -c "h5ls -r '$1/2/$1.h5' | grep -q '^/final/$2  *Dataset {$3}\$'"; }
shows "x and y by the names of their parts"
if command -v h5ls >/dev/null; then
  part representation x/mlp.1.W '64, 5'
  part representation x/mlp.1.b '5'
  part representation y/head.W '5, 10'
  part cleaning_lstm y/lstm.W_ih '4, 12'
  part cleaning_lstm y/lstm.W_hh '3, 12'
  part cleaning_lstm y/embedding.E '[0-9]*, 4'
  part cleaning_lstm x '81'
  part cleaning_gru y/gru.b_hh '9'
  part block_ridge x/log_weight '4'
  part block_ridge y/mlp.1.W '64, 4'
  part few_shot x/conv.2.K '3, 3, 3, 3'
  part few_shot y/head.W '24, 12, 4'
  part few_shot y/head.b '24, 4'
else
  echo "no h5ls: the groups are not looked at"
fi
finish
