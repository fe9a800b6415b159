#!/usr/bin/env bash
# BO-REP and stocBiO on an upper level of unbounded smoothness: from where, and with which steps, do they arrive? And
# what the parts of BO-REP are worth. Prints three tables of the mean of |grad F| over the last 100 iterations; about
# 20 seconds of a free core. See docs/methods/bo_rep.md.
#
#   experiments/unbounded_smoothness.sh [starts] [parts] [momentum]      default: all three
. "$(dirname "$0")/common.sh"

# A sample of g has gradient noise 0.5, the mean of 25 samples of f 0.1; products have noise of 10 %.
NOISE="noise: 0.5, hessian_noise: 0.1"
SOLVE="adjoint: {type: neumann, iterations: 5, step: 0.2, batch: 1}"

# Start a run of these maps.
start() # <name> <problem> <solver> <iterations>
{
  printf 'problem: {type: unbounded_smoothness, %s}\nsolver: {%s}\nrun: {iterations: %d, metrics_every: 5}\n' \
    "$2" "$3" "$4" >"$EXPERIMENTS/$1.yml"
  run "$1" "$EXPERIMENTS/$1.yml"
}

# The mean of |grad F| over the last 100 iterations of the newest run, or that it diverged.
slope()
{
  if [[ $(outcome) == *budget* ]]; then
    "$PARBLO" history "$RUN_H5" --columns iteration,grad_norm | awk '
      NR > 1 && $2 != "nan" { at[++n] = $1; value[n] = $2 }
      END { for (last = at[n]; n > 0 && at[n] > last - 100; n--) { sum += value[n]; k++ } printf "%.3g\n", sum / k }'
  else
    echo DIV
  fi
}

# The largest |y - y*(x)| after an iteration.
error() # <iteration>
{
  "$PARBLO" history "$RUN_H5" --columns iteration,error_y |
    awk -v from="$1" 'NR > 1 && $1 > from && $2 != "nan" && $2 > m { m = $2 } END { printf "%.3g\n", m }'
}

stocbio() # <step>
{
  echo "type: stocbio, lower: {steps: 5, step: 0.05, batch: 1}, $SOLVE, upper: {step: $1, batch: 25}"
}

starts()
{
  local x0 step row
  echo "stocBiO with steps of                                     BO-REP with steps of"
  printf '%7s' x0 0.1 0.01 0.003 0.001 0.0003 0.0001 "" 0.2 0.1 0.05
  echo
  for x0 in 4 8 10 12; do
    printf '%7s' $x0
    for step in 0.1 0.01 0.003 0.001 0.0003 0.0001; do
      start us_stocbio "$NOISE, x0: $x0" "$(stocbio $step)" 2000
      printf '%7s' "$(slope)"
    done
    printf '%7s' ""
    for step in 0.2 0.1 0.05; do
      start us_bo_rep "$NOISE, x0: $x0" "type: bo_rep, refine: {epochs: 5, step: 0.1, radius: 100}, $SOLVE,
        lower: {interval: 10, steps: 20, step: 0.05, radius: 1, batch: 1}, upper: {step: $step, batch: 25}" 2031
      printf '%7s' "$(slope)"
    done
    echo
  done
}

# One part after the other replaced, from x0 = 6 and a y that is far away. S epochs of refinement are 2^S - 1
# iterations.
part() # <name> <epochs> <lower> <upper> <iterations>
{
  start us_part "$NOISE, x0: 6, y0: 50" "type: bo_rep, refine: {epochs: $2, steps: 20, step: 0.1, radius: 300},
    lower: {step: 0.05, batch: 1, $3}, $SOLVE, upper: {step: 0.1, batch: 25, $4}" $(($5 + 2 ** $2 - 1))
  printf '%-38s %9s %9s\n' "$1" "$(slope)" "$(error $((2 ** $2 - 1)))"
}

parts()
{
  local decay="decay: {power: 0.75, after: 300, over: 100}, momentum_decay: {power: 0.5, over: 500}"
  printf '%-38s %9s %9s\n' "" "|grad F|" "|y - y*|"
  part "all parts" 6 "interval: 10, steps: 20, radius: 2" "" 1500
  part "no refinement" 0 "interval: 10, steps: 20, radius: 2" "" 1500
  part "I = 1, N = 2" 6 "interval: 1, steps: 2, radius: 2" "" 1500
  part "I = 50, N = 100, R = 10" 6 "interval: 50, steps: 100, radius: 10" "" 1500
  part "the last iterate, not the mean" 6 "interval: 10, steps: 20, radius: 2, result: last" "" 1500
  part "no ball" 6 "interval: 10, steps: 20" "" 1500
  part "3000 iterations" 6 "interval: 10, steps: 20, radius: 2" "" 3000
  part "3000 iterations, decays" 6 "interval: 10, steps: 20, radius: 2, decay: {power: 0.5, over: 500}" "$decay" 3000
}

# Single samples of f with noise 10; of g as before.
momentum()
{
  local beta step
  printf '%9s' "beta" "0.01" "0.05"
  echo "   (steps)"
  for beta in 0 0.9 0.99; do
    printf '%9s' $beta
    for step in 0.01 0.05; do
      start us_momentum "noise: 10, hessian_noise: 0.1, x0: 3" "type: bo_rep, refine: {epochs: 5, step: 0.1}, $SOLVE,
        lower: {interval: 10, steps: 20, step: 0.05, radius: 1, batch: 400},
        upper: {step: $step, momentum: $beta, batch: 1}" 3031
      printf '%9s' "$(slope)"
    done
    echo
  done
}

[ $# -gt 0 ] || set -- starts parts momentum
for table in "$@"; do
  "$table"
  echo
done
