#!/bin/bash
# Methods at strict saddles: plain aid stays there, perturbed_aid and perturbed_gdmax go on to a minimum and stop.
# For each problem and method: in how many runs F(x) - min F <= 1e-5 at the end, how many said "approximate local
# minimum", median iterations, and what `parblo certify` says of each run.
#
#   experiments/saddle_escape.sh           seeds 1 to 50 (SEEDS) of three small problems: two to five minutes, mostly starts of programs
#   experiments/saddle_escape.sh large     seeds 1 to 10 of a 100 x 100 factorisation, and of matrix sensing (x of 100
#                                          numbers, metric |U U' - M*|^2 / |M*|^2): about a minute
# See common.sh and docs/methods/perturbed_aid.md.
. "$(dirname "$0")/common.sh"

# A run file for plain aid from one of a perturbed method.
plain() # <run file>
{
  local to=$EXPERIMENTS/plain_$(basename "$1")
  sed -e '/^  escape:/d' -e 's/type: perturbed_.*/type: aid/' "$1" >"$to"
  echo "$to"
}

# A row of the table.
row() # <name> <run file> <seeds> <metric> [--set KEY=VALUE]...
{
  local name=$1 file=$2 seeds=$3 metric=$4 seed n=0 there=0 said=0 value iterations
  shift 4
  : >"$EXPERIMENTS/$name.iterations"
  : >"$EXPERIMENTS/$name.verdicts"
  for seed in $seeds; do
    run "$name" "$file" --set "run.seed=$seed" "$@"
    n=$((n + 1))
    value=$(last "$metric")
    there=$((there + $(awk -v v="$value" 'BEGIN { print (v <= 1e-5) }')))
    [ "$(outcome)" = "approximate local minimum" ] && said=$((said + 1))
    last iteration >>"$EXPERIMENTS/$name.iterations"
    certified "$epsilon" >>"$EXPERIMENTS/$name.verdicts"
  done
  iterations=$(spread %.0f <"$EXPERIMENTS/$name.iterations")
  printf '%-32s %5d %10d %6d   %-22s %s\n' "$name" "$n" "$there" "$said" "$iterations" \
    "$(tally <"$EXPERIMENTS/$name.verdicts")"
}

small()
{
  local seeds=${SEEDS:-$(seq 1 50)} examples=$SRC/examples two=(--set problem.n_x=2 --set problem.n_y=2)
  row quartic_saddle_aid "$(plain "$examples/perturbed_aid.yml")" 1 gap --set run.iterations=1000
  row quartic_saddle_perturbed "$examples/perturbed_aid.yml" "$seeds" gap
  row factorization_aid "$(plain "$examples/perturbed_factorization.yml")" 1 gap "${two[@]}" \
    --set run.iterations=1000
  row factorization_perturbed "$examples/perturbed_factorization.yml" "$seeds" gap "${two[@]}"
  row minimax_aid "$(plain "$examples/perturbed_gdmax.yml")" 1 gap --set run.iterations=1000
  row minimax_perturbed_gdmax "$examples/perturbed_gdmax.yml" "$seeds" gap
}

large()
{
  local seeds=${SEEDS:-$(seq 1 10)} factorization=$SRC/examples/perturbed_factorization.yml
  local sensing=$SRC/examples/perturbed_sensing.yml
  row factorization_100_aid "$(plain "$factorization")" 1 gap --set run.iterations=1000
  row factorization_100_perturbed "$factorization" "$seeds" gap
  epsilon=1e-2
  row sensing_aid "$(plain "$sensing")" 1 ratio --set run.iterations=1000
  row sensing_perturbed "$sensing" "$seeds" ratio
}

epsilon=1e-3
printf '%-32s %5s %10s %6s   %-22s %s\n' "" runs minimum said iterations "parblo certify"
if [ "${1:-}" = large ]; then large; else small; fi
