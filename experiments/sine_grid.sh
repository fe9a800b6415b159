#!/usr/bin/env bash
# The sine follower from 90 starts, x = 1, 2, ..., 10 and y = -2, -1.5, ..., 2, with the constants of the
# authors' code: from how many of them is x within 0.12 of 11 pi / 4 after 500 iterations, and f below -8.1
# (so y is near -2)? For four ways to treat the start of the trajectory: iaptt_gm; ia_gm; plain
# unrolling from a fixed start; plain unrolling from the last y. 360 runs, a few minutes.
. "$(dirname "$0")/common.sh"

solved() # of the newest run
{
  echo "$(last error_x) $(last f)" | awk '{ exit !($1 < 0.12 && $2 < -8.1) }'
}

count() # <method> <init.type>
{
  local x y n=0
  for x in 1 2 3 4 5 6 7 8 9 10; do
    for y in -2 -1.5 -1 -0.5 0 0.5 1 1.5 2; do
      run "sine_grid_$1_$2" "$SRC/examples/iaptt_sine.yml" --set "solver.type=$1" \
        --set "solver.init.type=$2" --set "problem.x0=$x" --set "problem.y0=$y" \
        --set run.metrics_every=500 --set run.record_every=500
      if solved; then
        n=$((n + 1))
      fi
    done
  done
  printf '%s\t%s\t%s of 90\n' "$1" "$2" "$n"
}

printf 'method\tinit.type\tsolved\n'
count iaptt_gm learned
count ia_gm learned
count ia_gm fixed
count ia_gm last
