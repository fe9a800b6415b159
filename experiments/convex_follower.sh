#!/usr/bin/env bash
# How near ia_gm comes to the solution x = e of convex_follower (n = 50): |x - e| / |e| after the limit is
# reached. First the well-conditioned kind, with plain unrolling beside the learned start; then condition
# numbers 100 and 1000, with gradient and with Nesterov steps. 18 runs, about a minute.
. "$(dirname "$0")/common.sh"

error_of() # <kappa> <steps> --set ...
{
  local name="convex_follower_$1_$2" kind=diagonal
  [ "$1" = 1 ] && kind=llc
  run "$name" "$SRC/examples/ia_gm_convex.yml" --set "problem.kind=$kind" --set "problem.kappa=$1" \
    --set "solver.lower.steps=$2" "${@:3}" --set run.record_every=100 --set run.metrics_every=100
  last error_x | awk '{ printf "%.3g\n", $1 / sqrt(50) }'
}

printf 'llc, s = 0.1\tfixed start\tlearned start\n'
for K in 5 20 50; do
  printf 'K = %s\t%s\t%s\n' "$K" \
    "$(error_of 1 $K --set solver.lower.step=0.1 --set solver.lower.dynamics=gradient \
      --set solver.init.type=fixed)" \
    "$(error_of 1 $K --set solver.lower.step=0.1 --set solver.lower.dynamics=gradient)"
done

for kappa in 100 1000; do
  printf '\nkappa = %s\tgradient\tnesterov\n' "$kappa"
  for K in 16 64 256; do
    printf 'K = %s\t%s\t%s\n' "$K" "$(error_of $kappa $K --set solver.lower.dynamics=gradient)" \
      "$(error_of $kappa $K)"
  done
done
