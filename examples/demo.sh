#!/bin/bash
# The demonstration: half of the training labels of the UCI handwritten digits are replaced by wrong
# ones; bilevel optimization on 2 MPI ranks finds out which. For three seeds it compares training on
# the corrupted labels, training after cleaning, and training with the true labels known.
#
# Environment: PARBLO, the program; SRC, the source folder; PARBLO_DEMO, the folder for what is
# written (default: parblo-demo in the current folder, or a temporary folder if that cannot be
# written). Called by ../bootstrap.sh demo.
set -eu

PARBLO=${PARBLO:-parblo}
SRC=${SRC:-$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)}
out=${PARBLO_DEMO:-$PWD/parblo-demo}
mkdir -p "$out" 2>/dev/null || out=$(mktemp -d)/parblo-demo
run_file=$SRC/examples/digits_cleaning.yml
seeds="1 2 3"

# Run the example with changes; what it prints goes to a log, which is shown if it fails.
run() # <name> <--set ...>
{
  local name=$1
  shift
  if ! mpirun -n 2 "$PARBLO" run "$run_file" --set "run.name=$name" --set "run.output=$out" \
    --set run.replace=true "$@" \
    >"$out/$name.log" 2>&1 </dev/null; then
    cat "$out/$name.log" >&2
    return 1
  fi
}

# The last value of a metric that a run printed.
metric() # <name of the run> <metric>
{
  sed -nE "s/.*[[, ]$2 = ([0-9.]+).*/\1/p" "$out/$1.log" | tail -n 1
}

# Lower level only, weights fixed at sigmoid(20), practically 1: plain training.
plain=(--set problem.x0=20 --set solver.upper.step=0)

run_seed() # <seed>
{
  local seed=$1
  run "corrupted_$seed" "${plain[@]}" --set "problem.data.seed=$seed"
  run "true_$seed" "${plain[@]}" --set "problem.data.seed=$seed" --set problem.corrupt=0
  run "cleaned_$seed" --set "problem.data.seed=$seed"
  echo "$seed $(metric "corrupted_$seed" test_accuracy) $(metric "cleaned_$seed" test_accuracy)" \
    "$(metric "true_$seed" test_accuracy) $(metric "cleaned_$seed" f1)"
}

report()
{
  awk '
    BEGIN {
      print "digits, 900 training samples, half of their labels wrong; test accuracy on 597 samples"
      print ""
      print " seed   corrupted labels   after cleaning   true labels   F1 of the samples found"
    }
    { printf "%5d %18.4f %16.4f %13.4f %17.4f\n", $1, $2, $3, $4, $5
      for (k = 2; k <= 5; k++) sum[k] += $k }
    END {
      printf " mean %18.4f %16.4f %13.4f %17.4f\n\n", sum[2]/NR, sum[3]/NR, sum[4]/NR, sum[5]/NR
      printf "cleaning recovers %.0f %% of the accuracy that the wrong labels cost\n",
        100 * (sum[3] - sum[2]) / (sum[4] - sum[2])
    }'
}

mkdir -p "$out"
echo "ParBLO: data cleaning on 2 MPI ranks; run file $run_file"
for seed in $seeds; do
  run_seed "$seed"
done >"$out/results.txt"
cat "$out/cleaned_1.log"
"$PARBLO" plot "$out/cleaned_1.h5" "$out/cleaned_2.h5" "$out/cleaned_3.h5" -o "$out/cleaning.png" >/dev/null
echo
report <"$out/results.txt"
echo "run file $out/cleaned_1.h5, picture $out/cleaning.png"
