#!/bin/bash
# `parblo certify`: verdicts and exit codes, the same output on one rank and on three, the point of a
# run file and of its checkpoint, parts by name, and what is refused. Environment: see support/cli.sh;
# PLUGINS, the folder of the plugins.
. "$SRC/tests/support/cli.sh"
: "${PLUGINS:?the folder of the plugins}"

zcat "$SRC/data/digits/digits.csv.gz" | head -n 300 >train.csv
zcat "$SRC/data/digits/digits.csv.gz" | tail -n 300 >test.csv
cat >saddle.yml <<END
problem: {type: quartic_saddle, shards: 4}
solver: {type: aid, lower: {step: 0.01}}
run: {iterations: 5}
END
cat >minimum.yml <<END
problem: {type: minimax_saddle, shards: 4, start: random, start_size: 0.1}
solver:
  type: aid
  lower: {step: 0.03, steps: 200}
  adjoint: {iterations: 40}
  upper: {step: 0.3, set: {type: box, low: -100}}
run: {iterations: 100}
END
sed 's/shards: 4/shards: 4, kappa: 1e12/' saddle.yml | sed 's/0\.01/1e-12/' >ill.yml
cat >diverges.yml <<END
problem: {type: minimax_saddle, shards: 4, start: random}
solver: {type: aid, lower: {step: 10}}
run: {iterations: 100}
END
cat >cleaning.yml <<END
problem:
  type: hyper_cleaning
  corrupt: 0.4
  data: {train: {path: train.csv}, n_train: 101, n_val: 83, n_test: 50, shards: 8}
solver: {type: aid, lower: {step: 0.2}, upper: {step: 10}}
run: {iterations: 10}
END
cat >representation.yml <<END
problem:
  type: hyper_representation
  model: {type: mlp, hidden: 3, activation: softplus}
  reg: 0.1
  data: {train: {path: train.csv}, n_train: 51, n_val: 43, n_test: 21, shards: 8, scaling: unit}
solver: {type: aid, lower: {steps: 3, step: 0.2}, upper: {step: 0.5}}
run: {iterations: 6}
END
cat >few_shot.yml <<END
problem:
  type: few_shot
  train: {path: train.csv}
  test: {path: test.csv}
  model: {type: conv, layers: 2, filters: 3, norm: channel, smooth: true}
  reg: 0.1
  ways: 3
  episodes: 8
  test_episodes: 4
  shards: 4
solver: {type: aid, lower: {steps: 3, step: 0.2}, upper: {step: 0.5}}
run: {iterations: 3}
END
cat >plugin.yml <<END
problem: {type: plugin_quadratic, rho: 0.2}
solver: {type: aid, lower: {steps: 30, step: 0.5}, upper: {step: 0.05}}
run: {iterations: 400, plugin: $PLUGINS/plugin_quadratic.so}
END

# ------------------------------------------------------------------- helpers

# runs NAME RANKS
runs() { parblo_on "$2" run "$1.yml" >"$1.run" 2>&1 || failed "$1 cannot be run" "$1.run"; }

# certifies CODE PATTERN NAME ARGUMENT...: on 1 and 3 ranks, the same but for the time
certifies() {
  local code=$1 pattern=$2 name=$3 ranks got
  shift 2
  for ranks in 1 3; do
    parblo_on $ranks certify "$@" 2>&1 >"$name.said.$ranks" | tee "$name.error" >&2
    got=${PIPESTATUS[0]}
    [ "$got" -eq "$code" ] || failed "exit code $got, not $code: certify $* on $ranks ranks" \
      "$name.said.$ranks"
    sed -i '/^  time /d' "$name.said.$ranks"
  done
  check "certify $*: $pattern" grep -qE -- "$pattern" "$name.said.1"
  check "certify $*: the same on 1 and 3 ranks" cmp "$name.said.1" "$name.said.3"
}
# says PATTERN FILE
says() { check "$2 says '$1'" grep -qE -- "$1" "$2"; }

# refuses CODE PATTERN ARGUMENT...: one line of error, nothing else, on 1 and 2 ranks
refuses() {
  local code=$1 pattern=$2 ranks got
  shift 2
  for ranks in 1 2; do
    parblo_on $ranks certify "$@" >out 2>said
    got=$?
    if [ "$got" -eq "$code" ] && [ ! -s out ] && [ "$(grep -c '^parblo: error' said)" -eq 1 ] &&
      grep -qE -- "$pattern" said; then
      passed "refused: certify $* on $ranks ranks"
    else
      failed "exit code $got, not $code, or not '$pattern': certify $* on $ranks ranks" said
    fi
  done
}

# ------------------------------------------------------------------ verdicts

shows "saddle, minimum, not decided"
for name in saddle minimum; do runs $name 2; done
certifies 30 '^strict saddle: curvature -0\.9 ' saddle.h5
says 'Hessian of g   Ritz values 1 to 100, ' saddle.h5.said.1
says 'Hessian of F   Ritz values -0\.(9|89999999[0-9]*) to 1\.(1|09999|10000)' saddle.h5.said.1
certifies 0 '^approximate local minimum: lower bound 1\.(5|49999)' minimum.h5
says '^  note .*solver\.upper\.set' minimum.h5.said.1
says ' g 0 g_x 0 g_y 0 hv 0 jv 0 f [1-9]' minimum.h5.said.1
certifies 1 '^not decided: the smallest eigenvalue lies between' minimum.h5 --steps 1 \
  --gamma 1e-9 --seed 3
certifies 1 '^not decided: not stationary: \|\|grad F\|\| = ' minimum.h5 --epsilon 0
certifies 1 '^not decided: hypergradients are not exact' minimum.h5 --set certify.newton=0 \
  --set certify.tol_lower=1e-30
certifies 30 '^strict saddle' saddle.h5 --set certify.h=0.01
says 'h = 0\.01\)' saddle.h5.said.1

shows "what cannot be known"
runs ill 2
parblo_on 2 run diverges.yml >diverges.run 2>&1
says 'diverged: a value is not finite' diverges.run
certifies 1 '^not decided: .* by residuals' ill.h5 --epsilon 0.1
certifies 1 '^not decided: .* contradict each other' minimum.h5 --set certify.h=10
certifies 1 '^not decided: at the point: .* is not finite.*; did the run diverge' diverges.h5

shows "a run file and its checkpoint, parts by name, tasks, a plugin"
for name in cleaning representation few_shot plugin; do runs $name 2; done
for name in cleaning representation few_shot; do
  few=(--steps 2 --set certify.lower_steps=3 --set certify.tol_lower=1e-10)
  certifies 1 '^not decided: not stationary' $name.h5 --epsilon 0 "${few[@]}"
  certifies 1 '^not decided: not stationary' $name.ckpt.*.h5 --epsilon 0 "${few[@]}"
  check "$name: the same point" \
    sh -c "sed 1d $name.h5.said.1 >a; sed 1d $name.ckpt.*.said.1 >b; cmp a b"
done
certifies 0 '^approximate local minimum' plugin.h5
check "the run file has parts" sh -c "h5ls -r representation.h5 | grep -q /final/x/"

# ------------------------------------------------------------------ refusals

shows "what is refused"
# killed before its first checkpoint
sed 's/iterations: 5/iterations: 1000000000/' saddle.yml >killed.yml
"$PARBLO" run killed.yml >/dev/null 2>&1 &
killed=$!
for _ in $(seq 200); do [ -e killed.h5 ] && break; sleep 0.05; done
kill -9 $killed
wait $killed 2>/dev/null
refuses 5 'killed.h5 has no final point' killed.h5
refuses 4 'saddle.yml .*end marker' saddle.yml
refuses 3 'cannot open nothing.h5' nothing.h5
refuses 2 'one run file or checkpoint, 0 were given'
refuses 2 'one run file or checkpoint, 2 were given' saddle.h5 minimum.h5
refuses 2 "did you mean '--gamma'" saddle.h5 --gama 1
refuses 2 "certify.gama.*did you mean 'gamma'" saddle.h5 --set certify.gama=1
refuses 2 'certify.steps = 0 is out of range' saddle.h5 --steps 0
refuses 2 "certify.epsilon = 'small'" saddle.h5 --epsilon small
refuses 2 "'--seed' needs a value" saddle.h5 --seed
refuses 7 'final/x has 10 numbers, the problem has 12' saddle.h5 --set problem.n=12
refuses 7 'other data: fingerprint' cleaning.ckpt.*.h5 --set problem.data.n_val=82
flip $(($(size_of saddle.h5) / 2)) saddle.h5 damaged.h5
refuses 4 'damaged.h5' damaged.h5

shows "help"
parblo_on 1 help certify >said 2>&1
says '^parblo certify RUN.h5' said
says '30 strict saddle' said
says 'tol_adjoint' said
finish
