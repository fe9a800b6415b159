#!/bin/bash
# minimax_gda on the quadratic problem penalty_quadratic, whose solution x* is known.
#  1. The bias: the error of x for a fixed penalty a, and that error times a, which tends to a constant.
#  2. Stages with a = 1, 2, 4, ... 512 of 400 steps each: the error after each of them, for several steps.
# 17 runs, less than half a minute. See common.sh.
. "$(dirname "$0")/common.sh"
file=$SRC/examples/minimax_gda.yml

bias()
{
  local a error
  printf '%8s %12s %12s\n' a error 'error a'
  for a in 1 3 10 30 100 300 1000 10000; do
    run "minimax_gda_bias_$a" "$file" --set solver.stages.number=1 --set solver.stages.growth=1 \
      --set "solver.stages.penalty=$a" --set "solver.lower.step=$(awk "BEGIN { print 1 / (1 + 4 * $a) }")"
    error=$(last error_x)
    printf '%8s %12.3e %12.4f\n' "$a" "$error" "$(awk "BEGIN { print $error * $a }")"
  done
}

stages() # <name> [--set KEY=VALUE]...
{
  local name=$1
  shift
  run "minimax_gda_$name" "$file" "$@"
  printf '%-14s' "$name"
  "$PARBLO" history "$RUN_H5" --columns error_x | awk '$1 ~ /^[0-9.]/ && n++ { printf " %8.1e", $1 } END { print "" }'
}

echo "Fixed penalty, 4000 steps:"
bias
echo
echo "Error after the stages a = 1, 2, 4, ... 512:"
stages constant
stages decayed --set solver.upper.stage_decay=1
stages half --set solver.upper.stage_decay=0.5
stages rescaled --set solver.stages.rescale=true
stages extrapolated --set solver.stages.richardson=true
lower=(--set solver.lower.momentum=0.9 --set solver.lower.step=0.01)
both=("${lower[@]}" --set solver.upper.momentum=0.9 --set solver.upper.step=0.005)
stages heavy_y "${lower[@]}" --set solver.upper.step=0.03
stages heavy "${both[@]}"
stages heavy_reset "${both[@]}" --set solver.stages.reset=true
stages heavy_rescaled "${both[@]}" --set solver.stages.rescale=true
stages adam --set solver.lower.rule=adam --set solver.upper.rule=adam --set solver.upper.stage_decay=1 \
  --set solver.lower.step=0.05 --set solver.upper.step=0.01
