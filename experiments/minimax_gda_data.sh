#!/bin/bash
# minimax_gda against aid and stocbio on data, at equal numbers of oracle calls and at equal wall time. A call is a
# gradient of g or of f, or a product H v or J v, on 1000 samples (mnist) or on all of a level (news).
#
#   mnist  hyper-cleaning: 20000 training images, half of their labels wrong; batches of 1000, aid full batches
#   news   an l2 weight for each of the 130107 words of 20 newsgroups: 2.6 million numbers in y; full batches; all
#          methods have lower momentum 0.9 and Adam's upper step
#
#   PARBLO_DATA=folder experiments/minimax_gda_data.sh [mnist] [news]        results; both by default
#   PARBLO_DATA=folder experiments/minimax_gda_data.sh tune [mnist] [news]   the grids from which the steps come
#
# PARBLO_DATA has the folders mnist (the four IDX files, gzip) and 20news (20news.train.svm.gz and 20news.test.svm.gz,
# word counts in LIBSVM text; they are scaled to rows of norm 1). One idle core: mnist 3 seeds, one minute; news one seed,
# two minutes and 0.5 GB; the grids as long. Environment: CALLS_mnist, CALLS_news (budgets), SEEDS; see also common.sh.
. "$(dirname "$0")/common.sh"

: "${PARBLO_DATA:?set it to the folder with mnist/ and 20news/}"
CALLS_mnist=${CALLS_mnist:-6900}
CALLS_news=${CALLS_news:-600}
SEEDS=${SEEDS:-2 3 4} # steps were tuned on seed 1
METHODS="minimax_gda aid stocbio"

# The LIBSVM rows of a file, each scaled to norm 1.
unit_rows() # <file.gz>
{
  gzip -dc "$1" | awk '{
    s = 0
    for (i = 2; i <= NF; i++) { split($i, a, ":"); s += a[2] * a[2] }
    printf "%s", $1
    for (i = 2; i <= NF; i++) { split($i, a, ":"); printf " %s:%.9g", a[1], a[2] / sqrt(s) }
    print ""
  }'
}

prepare_news()
{
  local part
  [ -e "$EXPERIMENTS/20news.h5" ] && return
  for part in train test; do
    unit_rows "$PARBLO_DATA/20news/20news.$part.svm.gz" >"$EXPERIMENTS/20news.$part.svm"
  done
  "$PARBLO" convert --train "$EXPERIMENTS/20news.train.svm" --test "$EXPERIMENTS/20news.test.svm" --features 130107 \
    -o "$EXPERIMENTS/20news.h5" >/dev/null
  rm -f "$EXPERIMENTS"/20news.*.svm
}

problem() # <task> <seed>
{
  local d=$PARBLO_DATA/mnist
  case $1 in
    mnist)
      echo "type: hyper_cleaning, corrupt: 0.5, reg: 0.002, data: {n_train: 20000, n_val: 5000, seed: $2,"
      echo "  train: {path: $d/train-images-idx3-ubyte.gz, labels: $d/train-labels-idx1-ubyte.gz},"
      echo "  test: {path: $d/t10k-images-idx3-ubyte.gz, labels: $d/t10k-labels-idx1-ubyte.gz}}"
      ;;
    news)
      echo "type: ridge_logistic, per: feature, x0: -12, data: {n_train: 5657, n_val: 5657, seed: $2, shards: 2,"
      echo "  scaling: none, train: {path: $EXPERIMENTS/20news.h5, group: train},"
      echo "  test: {path: $EXPERIMENTS/20news.h5, group: test}}"
      ;;
  esac
}

# Steps "lower upper" of a method: the grid, and the pair that it chose.
grid() # <task> <method>
{
  case $1/$2 in
    mnist/minimax_gda) echo 0.0125,1000 0.0125,3000 0.0125,10000 0.025,3000 ;;
    mnist/aid) echo 0.1,3000 0.1,10000 0.1,30000 0.3,30000 ;;
    mnist/*) echo 0.1,30000 0.2,30000 0.2,100000 ;;
    news/minimax_gda) echo 2.5,0.05 5,0.05 5,0.2 ;;
    news/*) echo 10,0.1 20,0.1 20,0.3 ;;
  esac
}

chosen() # <task> <method>
{
  case $1/$2 in
    mnist/minimax_gda) echo 0.025,3000 ;;
    mnist/aid) echo 0.3,30000 ;;
    mnist/stocbio) echo 0.1,30000 ;;
    news/minimax_gda) echo 5,0.05 ;;
    news/aid) echo 20,0.1 ;;
    news/stocbio) echo 20,0.1 ;;
  esac
}

# Sets SOLVER, ITERATIONS and EVERY for a budget of calls: an iteration costs 3, T + N + 5 and T + K + 4 gradients and
# products (T = N = K = 10). aid's on the 20000 images of mnist are 20 calls each, its gradient of f is 5.
settings() # <task> <method> <lower,upper> <calls>
{
  local batch=0 lower upper solve cost
  [ "$1" = mnist ] && [ "$2" != aid ] && batch=1000
  lower="batch: $batch, step: ${3%,*}"
  upper="batch: $batch, step: ${3#*,}"
  solve="iterations: 10, batch: $batch"
  if [ "$1" = news ]; then
    lower="$lower, momentum: 0.9"
    upper="$upper, rule: adam"
  fi
  case $2 in
    minimax_gda) cost=3 ;;
    aid) [ "$1" = mnist ] && cost=$((24 * 20 + 5)) || cost=25 ;;
    stocbio) cost=24 ;;
  esac
  ITERATIONS=$(($4 / cost))
  EVERY=$((ITERATIONS > 40 ? ITERATIONS / 20 : 1))
  case $2 in
    minimax_gda) # a = 4, 16, 64, 256, 1024
      SOLVER="lower: {$lower}, upper: {$upper}, stages: {penalty: 1, growth: 4, number: 5, rescale: true, steps: $((ITERATIONS / 5))}"
      ;;
    aid)
      SOLVER="lower: {$lower, steps: 10}, upper: {$upper}, adjoint: {$solve, on_curvature: truncate}"
      ;;
    stocbio)
      solve="$solve, step: $([ "$1" = news ] && echo 5 || echo 0.1)"
      SOLVER="lower: {$lower, steps: 10}, upper: {$upper}, adjoint: {$solve}"
      ;;
  esac
}

start() # <task> <method> <lower,upper> <calls> <seed> <name>
{
  settings "$1" "$2" "$3" "$4"
  printf 'problem: {%s}\nsolver: {type: %s, %s}\nrun: {iterations: %d, record_every: %d, metrics_every: %d, seed: %d}\n' \
    "$(problem "$1" "$5")" "$2" "$SOLVER" "$ITERATIONS" "$EVERY" "$EVERY" "$5" >"$EXPERIMENTS/$6.yml"
  run "$6" "$EXPERIMENTS/$6.yml"
}

# Rows "calls seconds val_loss test_loss test_accuracy" of a run.
rows() # <run file>
{
  local g=1 f=1
  case ${1##*/} in
    *mnist_aid*) g=20 f=5 ;;
  esac
  "$PARBLO" history "$1" --columns n_g_y,n_hv,n_jv,n_f_y,seconds,val_loss,test_loss,test_accuracy \
    | awk -v g=$g -v f=$f 'NR > 1 && $8 ~ /^[0-9]/ { print g * ($1 + $2 + $3) + f * $4, $5, $6, $7, $8 }'
}

tune() # <task>
{
  local method steps name calls
  [ "$1" = mnist ] && calls=$CALLS_mnist || calls=$((CALLS_news / 3))
  printf '%-7s %-12s %-12s %6s %8s %9s %9s %9s\n' task method steps calls seconds val_loss test_loss test_acc
  for method in $METHODS; do
    for steps in $(grid "$1" $method); do
      name=gda_tune_$1_${method}_$steps
      start "$1" $method "$steps" $calls 1 "$name"
      printf '%-7s %-12s %-12s %6s %8.2f %9.4f %9.4f %9.4f\n' "$1" $method "$steps" $(rows "$RUN_H5" | tail -n 1)
    done
  done
}

# The last row at or before the time.
by_time() # <run file> <seconds>
{
  rows "$1" | awk -v t="$2" '$2 <= t || NR == 1 { row = $0 } END { print row }'
}

results() # <task>
{
  local method seed seeds=$SEEDS least calls=CALLS_$1 at
  [ "$1" = news ] && seeds=1
  for seed in $seeds; do
    for method in $METHODS; do
      start "$1" $method "$(chosen "$1" $method)" ${!calls} "$seed" "${1}_${method}_$seed"
    done
  done
  least=$(for seed in $seeds; do
    for method in $METHODS; do rows "$EXPERIMENTS/${1}_${method}_$seed.h5" | tail -n 1; done
  done | awk 'NR == 1 || $2 < t { t = $2 } END { print t }')
  for at in calls time; do
    echo "$1 at equal $at (${!calls} calls, $least s): seed, calls, seconds, val_loss, test_loss, test_accuracy"
    for method in $METHODS; do
      for seed in $seeds; do
        printf '  %-12s %s %6s %8.2f %9.4f %9.4f %9.4f\n' $method "$seed" \
          $(by_time "$EXPERIMENTS/${1}_${method}_$seed.h5" "$([ $at = time ] && echo "$least" || echo 1e9)")
      done
    done
  done
  set -- "$1" ${seeds%% *}
  "$PARBLO" plot "$EXPERIMENTS/${1}_minimax_gda_$2.h5" "$EXPERIMENTS/${1}_aid_$2.h5" "$EXPERIMENTS/${1}_stocbio_$2.h5" \
    -o "$EXPERIMENTS/minimax_gda_$1.png" --metrics val_loss,test_accuracy >/dev/null || echo "no picture: see above"
}

action=results
[ "${1:-}" = tune ] && action=tune && shift
for task in ${*:-mnist news}; do
  [ "$task" = news ] && prepare_news
  $action "$task"
done
