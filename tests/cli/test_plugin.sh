#!/bin/bash
# A problem from a plugin: run, check, list, help; that a resumed run finds it again; the names of
# the parts of x and y in the run file; and libraries that are refused, on one rank and on three.
# Environment: see support/cli.sh; PLUGINS, the folder of the plugins.
. "$SRC/tests/support/cli.sh"
: "${SAME:?the program h5same}" "${PLUGINS:?the folder of the plugins}"
good=plugin_quadratic.so
mkdir lib && cp "$PLUGINS/$good" lib/

cat >mine.yml <<END
problem: {type: plugin_quadratic, rho: 0.2}
solver:
  type: aid
  lower: {steps: 6, step: 0.5}
  adjoint: {iterations: 4}
  upper: {step: 0.05, rule: adam, clip: 2}
run: {iterations: 12, checkpoint_every: 4}
END

# tells CODE PATTERN RANKS ARGUMENT...: the exit code, and one line that matches
tells() {
  local code=$1 pattern=$2 got
  shift 2
  parblo_on "$@" >said 2>&1
  got=$?
  if [ "$got" -ne "$code" ]; then
    failed "exit code $got, not $code, on $*" said
  elif [ "$(grep -cE -- "$pattern" said)" -ne 1 ]; then
    failed "not one line matches '$pattern': $*" said
  else
    passed "$pattern: $*"
  fi
}
# says PATTERN: the last command also has such a line
says() { check "it says '$1'" grep -qE -- "$1" said; }

shows "a plugin's problem is known with the plugin only"
tells 0 '^  plugin_quadratic +a quadratic in a plugin$' 1 list --plugin lib/$good
tells 0 '^  plugin_quadratic ' 3 list --plugin lib/$good
tells 0 '^plugin_quadratic \(problem\)' 1 help plugin_quadratic --plugin lib/$good
says '^  rho +number'
tells 0 '^## problem `plugin_quadratic`' 1 help --markdown --plugin lib/$good
tells 2 "no problem, method" 1 help plugin_quadratic
tells 2 "problem.type = 'plugin_quadratic' is not known" 1 run mine.yml
tells 2 "did you mean 'plugin_quadratic'.*known: hyper_cleaning.*, plugin_quadratic\)" 1 \
  run mine.yml --plugin lib/$good --set problem.type=plugin_quadratik
tells 2 'problem.rho = ' 1 run mine.yml --plugin lib/$good --set problem.rho=-1

shows "its derivatives are right"
for ranks in 1 3; do tells 0 '^24 passed, 0 failed, 4 skipped' $ranks check mine.yml --plugin lib/$good; done

shows "dry runs print the parts of x and y"
tells 0 '^ +y  layer.W +2 x 3 +6$' 3 run mine.yml --plugin lib/$good --dry-run
says '^ +y  layer.b +3 +3$' && says '^ +x  scale +4 +4$' && says '^ +all blocks of y +9$'
says '^numbers   n_x = 4, n_y = 9$' && says '^memory    after set-up [0-9.]+ MiB'

shows "runs have the same bits on any number of ranks, and the run file names the parts"
for ranks in 1 2 3 4; do
  tells 0 'iteration budget spent' $ranks run mine.yml --plugin lib/$good --set run.output=r$ranks
  check "$ranks ranks: the bits of one" "$SAME" r1/mine.h5 r$ranks/mine.h5
done
tells 0 '^  final/y/layer.W +6 numbers: 2 x 3$' 1 info r3/mine.h5
says '^  final/y/layer.b +3 numbers$' && says '^  final/x/scale +4 numbers$'
says "^    plugin: /.*/lib/$good$"
check "the --plugin is in the configuration as given" grep -qa "# --set run.plugin=lib/$good" \
  r1/mine.h5

shows "a y that belongs to tasks has its parts with the tasks in front"
for ranks in 1 3; do
  tells 0 '^24 passed, 0 failed, 4 skipped' $ranks check mine.yml --plugin lib/$good --set problem.split=true
  tells 0 'iteration budget spent' $ranks run mine.yml --plugin lib/$good --set problem.split=true \
    --set run.output=s$ranks
done
check "3 ranks: the bits of one" "$SAME" s1/mine.h5 s3/mine.h5
tells 0 '^  final/y/layer.W +288 numbers: 48 x 2 x 3$' 1 info s3/mine.h5
says '^  final/y/layer.b +144 numbers: 48 x 3$' && says '^  final/x/scale +4 numbers$'
tells 0 '^ +all blocks of y of one task +9$' 1 run mine.yml --plugin lib/$good --dry-run \
  --set problem.split=true

shows "the plugin may stand in the run file, beside which it is then looked for"
mkdir beside && cp "$PLUGINS/$good" beside/
sed "s/^run: {/&plugin: $good, /" mine.yml >beside/mine.yml
tells 0 'iteration budget spent' 1 run beside/mine.yml --set run.output=r5
check "the bits of --plugin" "$SAME" r1/mine.h5 r5/mine.h5

shows "a name without a slash is a file of the current folder"
(cd lib && parblo_on 1 list --plugin $good) >said 2>&1
check "$good is found" grep -q plugin_quadratic said

shows "a resumed run finds its plugin, or is told where it is"
for ranks in 1 3; do
  rm -rf parts && tells 0 'budget spent' 1 run mine.yml --plugin lib/$good --set run.output=parts \
    --set run.iterations=5
  tells 0 'budget spent' $ranks resume parts --set run.iterations=9
  mv lib moved
  tells 3 "cannot open the plugin .*/lib/$good" $ranks resume parts --set run.iterations=12
  tells 0 'budget spent' $ranks resume parts --set run.iterations=12 --plugin moved/$good
  mv moved lib
  check "$ranks ranks: the bits of a run that was left alone" "$SAME" r1/mine.h5 parts/mine.h5
done

shows "what is no good plugin is refused, once for all ranks"
for ranks in 1 3; do
  set -- $ranks run mine.yml --set run.output=none --plugin
  tells 3 'error: cannot open the plugin .*none.so: .*No such file' "$@" none.so
  tells 3 'error: cannot open the plugin .*mine.yml: .*(ELF|file too short)' "$@" mine.yml
  tells 4 'error: .*is a shared library, but no plugin: it has no symbol blo_plugin_entry' "$@" \
    "$PLUGINS/plugin_wrong1.so"
  tells 4 'error: .*was compiled for ParBLO 0.0.1, and this is [0-9.]+; compile it again' "$@" \
    "$PLUGINS/plugin_wrong2.so"
  tells 3 'error: .*undefined symbol: symbol_that_is_nowhere' "$@" "$PLUGINS/plugin_wrong3.so"
  tells 2 "error: .*'hyper_cleaning' is already that of a built-in one" "$@" \
    "$PLUGINS/plugin_wrong4.so"
  tells 4 "error: .*'wrong' needs summary, source, setup" "$@" "$PLUGINS/plugin_wrong5.so"
  tells 2 "error: .*'wrong' is already that of another one of its own" "$@" \
    "$PLUGINS/plugin_wrong6.so"
  tells 4 'error: .*compiled with other headers' "$@" "$PLUGINS/plugin_wrong7.so"
done
tells 4 'was compiled for ParBLO' 3 list --plugin "$PLUGINS/plugin_wrong2.so"
tells 4 'was compiled for ParBLO' 3 check mine.yml --plugin "$PLUGINS/plugin_wrong2.so"
tells 2 "option '--plugin' needs a value" 1 run mine.yml --plugin
check "nothing was left behind" [ ! -e none ]

shows "Adam takes no momentum"
tells 2 "solver.upper.momentum = 0.5 belongs to solver.upper.rule = 'sgd'" 3 run mine.yml \
  --plugin lib/$good --set solver.upper.momentum=0.5

finish
