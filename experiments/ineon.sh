#!/usr/bin/env bash
# StocBiO with iNEON from strict saddles. Three tables, also parts of their own:
#
#   experiments/ineon.sh            all; 2 minutes of one core
#   experiments/ineon.sh search     quartic_saddle (d = 10, kappa = 10, curvature -0.9): how good is the direction that
#                                   one search finds under noise?
#   experiments/ineon.sh escape     the same problem, whole runs
#   experiments/ineon.sh sensing    matrix sensing with a column of zeros (d = 20; D=50: a minute more)
#
# SEEDS (1 to 20, sensing: 1 to 5) are those of the runs, for sensing also those of the problem.
. "$(dirname "$0")/common.sh"

MANY=${SEEDS:-$(seq 1 20)}
FEW=${SEEDS:-$(seq 1 5)}
FILE=$SRC/examples/stocbio_ineon.yml

batches() # <small>: the settings for it
{
  echo "--set solver.lower.batch=$1 --set solver.adjoint.batch=$1 --set solver.upper.batch=$1"
}

# ---------------------------------------------------------------- searches

# The first search, from the saddle; then a step of 0.01 along the direction, which tells its Rayleigh quotient 2 F / 1e-4.
# Prints the quotient, or nothing if there was no step, and the iterations of the search.
one_search() # <seed> <settings>...
{
  local seed=$1
  shift
  run ineon_search "$FILE" --set run.seed="$seed" --set solver.upper.step=0 --set solver.search.step=0.1 \
    --set solver.search.move=0.01 --set solver.check.every=1000000 --set run.iterations=400 \
    --set run.metrics_every=1000 "$@"
  "$PARBLO" history "$RUN_H5" --columns search,curvature_F,perturbations,F | awk '
    NR == 1 { next } # the names
    $1 != "nan" && !over { n++ }
    $2 != "nan" { over = 1 }
    { moves = $3; F = $4 }
    END { print (moves > 0 ? 2e4 * F : "none"), n - 1 }'
}

searches() # <title> <settings>...
{
  local title=$1 found=$EXPERIMENTS/ineon_search.txt seed
  shift
  for seed in $MANY; do
    one_search "$seed" "$@"
  done >"$found"
  printf '%-44s %3d of %-3d  %-30s %s\n' "$title" "$(grep -vc none "$found" || true)" "$(wc -l <"$found")" \
    "$(awk '$1 != "none" { print $1 }' "$found" | spread %.3f)" "$(awk '{ print $2 }' "$found" | spread %.0f)"
}

part_search()
{
  local noise="--set problem.noise=0.1" more="--set problem.noise=0.5"
  local hard="--set problem.noise=0.5 --set solver.search.radius=0.001 --set solver.search.threshold=0.1"
  local other="--set solver.search.independent=true"
  printf '%-44s %-10s  %-30s %s\n' "search (noise, samples)" found "Rayleigh quotient of u" iterations
  searches "0.1, common, batch 1" $noise $(batches 1)
  searches "0.1, common, batch 8" $noise $(batches 8)
  searches "0.1, common, batch 32" $noise $(batches 32)
  searches "0.1, independent, batch 32" $noise $other $(batches 32)
  searches "0.5, common, batch 1" $more $(batches 1)
  searches "0.5, independent, batch 32" $more $other $(batches 32)
  searches "0.5, r = 0.001, U = 0.1, common, batch 1" $hard $(batches 1)
  searches "same, independent, batch 32" $hard $other $(batches 32)
  searches "same, independent, without certificate" $hard $other --set solver.search.accept=growth $(batches 32)
  searches "0.1, at a strict minimum, common, batch 1" $noise --set problem.c=2 $(batches 1)
  searches "0.5, at a strict minimum, indep., batch 32" $hard $other --set problem.c=2 $(batches 32)
}

# ------------------------------------------------------------- whole runs

# Runs to their end: how many say "approximate local minimum"; of all: iterations, estimates, steps along negative
# curvature, gap at the end.
escapes() # <title> <settings>...
{
  local title=$1 ends=$EXPERIMENTS/ineon_escape.txt verdicts=$EXPERIMENTS/ineon_verdicts.txt seed
  shift
  : >"$verdicts"
  for seed in $MANY; do
    run ineon_escape "$FILE" --set run.seed="$seed" --set run.metrics_every=100000 "$@"
    echo "$(outcome | grep -c 'local minimum' || true)" \
      "$("$PARBLO" history "$RUN_H5" --columns iteration,n_jv,perturbations,gap --last | tail -n 1)"
    certified 0.05 >>"$verdicts"
  done >"$ends"
  printf '%-40s %3d of %-3d  %-18s %-20s %-12s %-24s %s\n' "$title" "$(awk '{ n += $1 } END { print n }' "$ends")" \
    "$(wc -l <"$ends")" "$(awk '{ print $2 }' "$ends" | spread %.0f)" "$(awk '{ print $3 }' "$ends" | spread %.0f)" \
    "$(awk '{ print $4 }' "$ends" | spread %.0f)" "$(awk '{ print $5 }' "$ends" | spread %.2g)" \
    "$(tally <"$verdicts")"
}

# A run file of stocbio_ineon for plain stocbio.
plain() # <from> <to>
{
  sed -e 's/type: stocbio_ineon/type: stocbio/' -e '/^  check:/d' -e '/^  search:/d' "$1" >"$2"
}

part_escape()
{
  local stocbio=$EXPERIMENTS/ineon_stocbio.yml
  plain "$FILE" "$stocbio"
  printf '%-40s %-10s  %-18s %-20s %-12s %-24s %s\n' "run" minimum iterations estimates moves gap "parblo certify"
  escapes "all noise, batch 64, epsilon 0.05"
  escapes "all noise, batch 16, epsilon 0.1" $(batches 16) --set solver.check.epsilon=0.1
  escapes "all noise, batch 16, epsilon 0.02" $(batches 16) --set solver.check.epsilon=0.02 --set run.iterations=2000
  escapes "noise of Hessians only, batch 64" --set problem.noise=0
  FILE=$stocbio
  escapes "plain stocbio, all noise" --set run.iterations=300
  escapes "plain stocbio, noise of Hessians only" --set problem.noise=0
}

# ---------------------------------------------------------- matrix sensing

sensing() # <title> <run file> <settings>...
{
  local title=$1 file=$2 ends=$EXPERIMENTS/ineon_sensing.txt seed
  shift 2
  for seed in $FEW; do
    run ineon_sensing "$file" --set run.seed="$seed" --set problem.seed="$seed" --set problem.d="${D:-20}" "$@"
    "$PARBLO" history "$RUN_H5" --columns iteration,ratio,norm_rest --last | tail -n 1
  done >"$ends"
  printf '%-16s %-22s %-34s %s\n' "$title" "$(awk '{ print $1 }' "$ends" | spread %.0f)" \
    "$(awk '{ print $2 }' "$ends" | spread %.2g)" "$(awk '{ print $3 }' "$ends" | spread %.2g)"
}

part_sensing()
{
  local with=$SRC/examples/stocbio_ineon_sensing.yml without=$EXPERIMENTS/ineon_sensing_stocbio.yml
  plain "$with" "$without"
  printf '%-16s %-22s %-34s %s\n' method iterations "ratio |U U' - M*|^2 / |M*|^2" "norm of the zero column"
  sensing stocbio "$without" --set run.iterations=2000
  sensing stocbio_ineon "$with"
}

for part in ${1:-search escape sensing}; do
  "part_$part"
done
