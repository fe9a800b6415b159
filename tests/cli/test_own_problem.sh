#!/bin/bash
# The example of an own problem (apps/feature_weights, docs/own-problem.md): as a plugin and as a program
# it gives the same bits; it learns; its parts stand in the run file by name.
# Environment: see support/cli.sh; EXAMPLE_PROGRAM and EXAMPLE_PLUGIN, the two builds of the example.
. "$SRC/tests/support/cli.sh"
: "${SAME:?the program h5same}" "${EXAMPLE_PROGRAM:?the program}" "${EXAMPLE_PLUGIN:?the plugin}"
file=$SRC/apps/feature_weights/run.yml

# the run file with a short run in the current folder
sed "s#\.\./\.\./data#$SRC/data#; s/iterations: 200/iterations: 30/; s/metrics_every: 50/metrics_every: 30/" \
  "$file" >run.yml

shows "as a plugin, on 1 and 3 ranks"
for ranks in 1 3; do
  check "a run on $ranks ranks" parblo_on $ranks run run.yml --plugin "$EXAMPLE_PLUGIN" \
    --set run.output=plugin$ranks
done
check "the same bits" "$SAME" plugin1/run.h5 plugin3/run.h5
check "its derivatives are right" parblo_on 1 check run.yml --plugin "$EXAMPLE_PLUGIN" \
  --set problem.data.n_train=100 --set problem.data.n_val=100

shows "as a program of its own"
# shellcheck disable=SC2086 # a command and its flags
check "a run on 2 ranks" timeout -k 5 60 $MPIRUN --quiet -n 2 "$EXAMPLE_PROGRAM" run.yml
check "the plugin's bits" "$SAME" run.h5 plugin1/run.h5
rm -f run.h5 run.ckpt.*
check "refuses nonsense" bash -c "! timeout -k 5 60 '$EXAMPLE_PROGRAM' nowhere.yml"

shows "the weights learn"
accuracy=$(parblo_on 1 run run.yml --plugin "$EXAMPLE_PLUGIN" --set run.output=again 2>&1 \
  | sed -nE 's/.*test_accuracy = ([0-9.]+).*/\1/p' | tail -n 1)
check "test accuracy $accuracy is above 0.9" awk -v a="$accuracy" 'BEGIN { exit !(a > 0.9) }'
finish
