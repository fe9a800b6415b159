#!/usr/bin/env bash
# Hyper-representation as matrix sensing (docs/problems.md, matrix_sensing) with MGBiO, MSGBiO and VR-MSGBiO: the
# ratio ||UU' - M*||^2 / ||M*||^2 after the last iteration, for seeds of the data and of the batches.
#
#   experiments/matrix_sensing.sh        d = 10, from columns of size 1e-2 and from zero; about 10 seconds of CPU
#   experiments/matrix_sensing.sh 50     d = 50; about two minutes of CPU
. "$(dirname "$0")/common.sh"

D=${1:-10}
SEEDS=${SEEDS:-1 2 3}

# SOLVER and ITERATIONS. Curvatures of the order of 1; the floor keeps J H^-1 short while y is far away.
settings() # <method>
{
  local levels="lower: {step: 0.1, batch: 40}, upper: {step: 0.1, batch: 40}"
  local tracker="tracker: {mu: 1, L: 10, cross_bound: 10, gradient_bound: 10}, dense: {ranks: 1}"
  ITERATIONS=3000
  case $1 in
    mgbio)
      SOLVER="type: mgbio, lower: {step: 0.1}, upper: {step: 0.1}, eta: 0.5, $tracker"
      ITERATIONS=2000
      ;;
    msgbio)
      SOLVER="type: msgbio, $levels, eta: {k: 2, m: 8}, momentum: {c_v: 4, c_u: 4, c_G: 4, c_H: 4}, $tracker"
      ;;
    vr_msgbio)
      SOLVER="type: vr_msgbio, $levels, eta: {k: 1, m: 8}, momentum: {c_v: 1, c_u: 1, c_G: 1, c_H: 1}, $tracker"
      ;;
  esac
}

start() # <method> <seed> <size of the columns at the start>
{
  local name=matrix_sensing_$1_$2_$3
  settings "$1"
  printf 'problem: {type: matrix_sensing, d: %d, r: 3, start_x: %s, start_y: %s, seed: %s, shards: 16}\n' \
    "$D" "$3" "$3" "$2" >"$EXPERIMENTS/$name.yml"
  printf 'solver: {%s}\nrun: {iterations: %d, record_every: 100, metrics_every: 100, seed: %s}\n' \
    "$SOLVER" "$ITERATIONS" "$2" >>"$EXPERIMENTS/$name.yml"
  run "$name" "$EXPERIMENTS/$name.yml"
}

printf '%-10s %-8s' method start
for seed in $SEEDS; do
  printf ' %9s' "seed $seed"
done
printf ' %12s\n' n_samples
for size in 1e-2 0; do
  for method in mgbio msgbio vr_msgbio; do
    printf '%-10s %-8s' $method $size
    for seed in $SEEDS; do
      start $method "$seed" $size
      printf ' %9.1e' "$(last ratio)"
    done
    printf ' %12s\n' "$(last n_samples)"
  done
done
