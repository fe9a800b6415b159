#!/bin/bash
# The number of ranks does not show in the results: with reproducible sums x, y and the history are
# the same bit for bit on 1, 2, 3 and 4 ranks, and for x on its samples' ranks or on the root; with
# fast sums they agree to 1e-10.
# Environment: see support/cli.sh.
. "$SRC/tests/support/cli.sh"
: "${SAME:?the program h5same}"
readonly AT_ONCE=3

# at least one shard of odd size, and more features than one vector of the widest SIMD
cat >cleaning.yml <<END
problem:
  type: hyper_cleaning
  corrupt: 0.4
  data:
    train: {path: $SRC/data/digits/digits.csv.gz}
    n_train: 601
    n_val: 203
    n_test: 100
    shards: 16
run: {iterations: 20, metrics_every: 5}
solver:
  lower: {step: 0.2}
  upper: {step: 10}
END
sed '/corrupt/d; s/hyper_cleaning/ridge_logistic/; s/{step: 10}/{step: 0.1}/' \
  cleaning.yml >ridge.yml

# run NAME RANKS SUMS FILE SET...: its run file is NAME/RANKS-SUMS/NAME.h5
run() {
  local name=$1 ranks=$2 sums=$3 file=$4 set=(--set "run.name=$1")
  shift 4
  for value in "$@" "run.reduction=$sums" "run.output=$name/$ranks-$sums"; do
    set+=(--set "$value")
  done
  parblo_on "$ranks" run "$file" "${set[@]}" >"$name.$ranks-$sums.said" 2>&1 ||
    failed "$name, $ranks ranks, $sums sums: cannot be run" "$name.$ranks-$sums.said"
}
# all_ranks NAME FILE SET...
all_ranks() {
  local name=$1 ranks
  run "$name" 1 reproducible "${@:2}"
  for ranks in 2 3 4; do
    run "$name" $ranks reproducible "${@:2}"
    run "$name" $ranks fast "${@:2}"
    same "$name: $ranks ranks, reproducible" "$name/1-reproducible/$name.h5" \
      "$name/$ranks-reproducible/$name.h5"
    same "$name: $ranks ranks, fast, to 1e-10" "$name/1-reproducible/$name.h5" \
      "$name/$ranks-fast/$name.h5" 1e-10
  done
}
# same TEXT FILE FILE [TOLERANCE]
same() {
  local text=$1 said
  shift
  if said=$("$SAME" "$@"); then
    passed "$text: $said"
  else
    echo "$said" >"$2.differences"
    failed "$text" "$2.differences"
  fi
}

shows "1, 2, 3 and 4 ranks"
for method in aid stocbio soba; do
  for x in sharded rooted; do
    side_by_side $AT_ONCE all_ranks $method-$x cleaning.yml solver.type=$method problem.x=$x
  done
  side_by_side $AT_ONCE all_ranks $method-feature ridge.yml solver.type=$method problem.per=feature
done
side_by_side $AT_ONCE all_ranks aid-class ridge.yml solver.type=aid problem.per=class
side_by_side $AT_ONCE all_ranks stocbio-class ridge.yml solver.type=stocbio problem.per=class \
  problem.x=replicated
side_by_side $AT_ONCE all_ranks soba-class ridge.yml solver.type=soba problem.per=class
wait

shows "x on its samples' ranks or on the root"
for method in aid stocbio soba; do
  same "$method: sharded and rooted" $method-sharded/3-reproducible/$method-sharded.h5 \
    $method-rooted/3-reproducible/$method-rooted.h5
done

shows "what is not the same is seen to differ"
if "$SAME" aid-feature/1-reproducible/aid-feature.h5 soba-feature/1-reproducible/soba-feature.h5 \
  1e-10 >said; then
  failed "two methods give the same" said
else
  passed "two methods: $(head -n 1 said)"
fi
finish
