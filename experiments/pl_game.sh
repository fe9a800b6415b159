#!/usr/bin/env bash
# The bilevel PL game (Huang 2023, arXiv 2303.03944; samples as in arXiv 2307.15868): a singular lower level, on
# which MGBiO, MSGBiO and VR-MSGBiO are compared with aid, stocbio and soba at equal numbers of samples read
# (n_samples: a batch that is asked at two points counts twice, and each of the sweeps of eight columns in which a
# Hessian is assembled once). F is known, and so is the true |grad F|.
#
#   experiments/pl_game.sh          five seeds, without and with additive noise: tables and slopes; about a minute of CPU
#   experiments/pl_game.sh plot     and pictures of seed 1: pl_game_0.png and pl_game_0.5.png in EXPERIMENTS
#
# Numbers: medians over the seeds of the root mean square of |grad F| between 0.8 N and N samples read. Slopes: least
# squares of log |grad F| against log N over twelve bins of equal width in log N between FROM and the end, medians.
. "$(dirname "$0")/common.sh"

SEEDS=${SEEDS:-1 2 3 4 5}
NOISES=${NOISES:-0 0.5}
METHODS=${METHODS:-mgbio msgbio vr_msgbio aid stocbio soba}
BUDGET=600000
MARKS="20000 80000 320000 600000"
FROM=20000

# The map of a method: SOLVER, with the best of a small grid of steps on seed 1 for each noise. READS: what an
# iteration reads, in samples, for n = 1000 and n_y = 20 (three sweeps of columns). EVERY: every how many iterations
# |grad F| is evaluated.
settings() # <method> <noise>
{
  local tracker="tracker: {mu: 0.05, L: 2}, dense: {ranks: 1}" eta c=4 steps
  case $1 in
    mgbio)
      SOLVER="type: mgbio, lower: {step: 1}, upper: {step: 1}, eta: 1, $tracker"
      READS=5000 EVERY=1
      ;;
    msgbio)
      eta="k: 4, m: 64"
      [ "$2" = 0 ] || eta="k: 0.25, m: 8" c=2
      SOLVER="type: msgbio, lower: {step: 1, batch: 8}, upper: {step: 1, batch: 8}, eta: {$eta}, $tracker"
      SOLVER="$SOLVER, momentum: {c_v: $c, c_u: $c, c_G: $c, c_H: $c}"
      READS=40 EVERY=20
      ;;
    vr_msgbio)
      eta="k: 3, m: 100"
      [ "$2" = 0 ] || eta="k: 0.5, m: 8" c=1
      SOLVER="type: vr_msgbio, lower: {step: 1, batch: 8}, upper: {step: 1, batch: 8}, eta: {$eta}, $tracker"
      SOLVER="$SOLVER, momentum: {c_v: $c, c_u: $c, c_G: $c, c_H: $c}"
      READS=80 EVERY=10
      ;;
    aid) # CG on a singular system that has a solution
      SOLVER="type: aid, lower: {step: 1, steps: 3}, adjoint: {iterations: 5, on_curvature: truncate}, upper: {step: 1}"
      READS=12000 EVERY=1
      ;;
    stocbio)
      steps=0.3
      [ "$2" = 0 ] || steps=0.01
      SOLVER="type: stocbio, lower: {step: 0.3, steps: 3, batch: 8}, upper: {step: $steps, batch: 8}"
      SOLVER="$SOLVER, adjoint: {iterations: 5, step: 0.5, batch: 8}"
      READS=88 EVERY=10
      ;;
    soba) # steps / sqrt(k + 1)
      steps=1
      [ "$2" = 0 ] || steps=0.2
      SOLVER="type: soba, lower: {step: 1, batch: 8}, adjoint: {step: 1}, upper: {step: $steps, batch: 8}"
      READS=16 EVERY=40
      ;;
  esac
}

start() # <method> <noise> <seed>
{
  local name=pl_game_$1_$2_$3
  settings "$1" "$2"
  printf 'problem: {type: pl_game, noise: %s, shards: 16, seed: %s}\nsolver: {%s}\n' "$2" "$3" "$SOLVER" \
    >"$EXPERIMENTS/$name.yml"
  printf 'run: {iterations: %d, record_every: %d, metrics_every: %d, seed: %s}\n' \
    $((BUDGET / READS)) $EVERY $EVERY "$3" >>"$EXPERIMENTS/$name.yml"
  run "$name" "$EXPERIMENTS/$name.yml"
  "$PARBLO" history "$RUN_H5" --columns n_samples,grad_norm | tail -n +2 >"$EXPERIMENTS/$name.tsv"
}

# Root mean square of |grad F| between 0.8 N and N.
near() # <N> <table>
{
  awk -v n="$1" '$1 > 0.8 * n && $1 <= 1.01 * n { s += $2 * $2; k++ } END { print k ? sqrt(s / k) : "nan" }' "$2"
}

slope() # <table>
{
  awk -v from=$FROM -v to=$BUDGET '
    $1 >= from && $1 <= to && $2 > 1e-13 { b = int(12 * log($1 / from) / log(to / from)); s[b] += $2 * $2; k[b]++ }
    END {
      for (b in k) {
        x = b; y = log(s[b] / k[b]) / 2; m++
        sx += x; sy += y; sxx += x * x; sxy += x * y
      }
      step = log(to / from) / 12
      print (m > 2 ? (m * sxy - sx * sy) / (m * sxx - sx * sx) / step : "nan")
    }' "$1"
}

median() # <printf format>
{
  spread "$1" | sed 's/ .*//'
}

order() # <method>
{
  case $1 in
    mgbio) echo -1/2 ;;
    msgbio) echo -1/4 ;;
    vr_msgbio) echo -1/3 ;;
    *) echo "" ;;
  esac
}

row() # <method> <noise>
{
  local method=$1 noise=$2 seed mark
  for seed in $SEEDS; do
    start "$method" "$noise" "$seed"
  done
  printf '%-6s %-10s' "$noise" "$method"
  for mark in $MARKS; do
    printf ' %9s' "$(for seed in $SEEDS; do near "$mark" "$EXPERIMENTS/pl_game_${method}_${noise}_$seed.tsv"; done |
      median %.2g)"
  done
  printf ' %7s %6s\n' "$(for seed in $SEEDS; do slope "$EXPERIMENTS/pl_game_${method}_${noise}_$seed.tsv"; done |
    median %.2f)" "$(order "$method")"
}

picture() # <noise>
{
  local files=() method
  for method in $METHODS; do
    files+=("$EXPERIMENTS/pl_game_${method}_$1_1.h5")
  done
  "$PARBLO" plot "${files[@]}" --metrics grad_norm -o "$EXPERIMENTS/pl_game_$1.png"
}

printf '%-6s %-10s' noise method
printf ' %9s' $MARKS
printf ' %7s %6s\n' slope theory
for noise in $NOISES; do
  for method in $METHODS; do
    row "$method" "$noise"
  done
  if [ "${1:-}" = plot ]; then picture "$noise"; fi
done
