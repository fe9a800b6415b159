#!/bin/bash
# Runs that are killed, stopped or extended, and continued on another number of ranks: x, y and the
# history (apart from times and messages) have the bits of a run that was left alone.
# Environment: see support/cli.sh.
. "$SRC/tests/support/cli.sh"
: "${SAME:?the program h5same}"
[ -r /proc/self/status ] || { echo "skipped: there is no /proc to find the ranks in"; exit 77; }
readonly AT_ONCE=3

cat >digits.yml <<END
problem:
  type: hyper_cleaning
  corrupt: 0.3
  data:
    train: {path: $SRC/data/digits/digits.csv.gz}
    n_train: 200
    n_val: 100
    n_test: 50
    shards: 16
run:
  iterations: 1000000
  metrics_every: 10
  checkpoint_every: 10
END
momentum='momentum: 0.5'
sgd="lower: {steps: 3, batch: 32, $momentum}, upper: {step: 10, batch: 32, $momentum}"
declare -A solver=(
  [aid]="solver: {type: aid, lower: {steps: 3, $momentum}, upper: {step: 10, $momentum},
    adjoint: {iterations: 3}}"
  [stocbio]="solver: {type: stocbio, $sgd, adjoint: {iterations: 3, batch: 32}}"
  [soba]="solver: {type: soba, lower: {batch: 32}, upper: {step: 10, batch: 32, $momentum}}"
)
for method in aid stocbio soba; do
  for x in sharded rooted; do
    { cat digits.yml; echo "${solver[$method]}"; } |
      sed "s/^  corrupt/  x: $x\n  corrupt/" >$method-$x.yml
  done
done

# --------------------------------------------------------------------- helpers

newest() { ls "$1" 2>/dev/null | grep '\.ckpt\.[0-9]*\.h5$' | tail -n 1; }
iteration_of() { local digits=${1##*.ckpt.}; echo $((10#${digits%.h5})); }
children_of() { grep -ls "^PPid:[[:space:]]*$1\$" /proc/[0-9]*/status | cut -d/ -f3; }
all_gone() {
  local pid
  for pid in "$@"; do [ ! -e "/proc/$pid" ] || return 1; done
}
# within SECONDS COMMAND...: wait until it is true
within() {
  local end=$((SECONDS + $1))
  shift
  until "$@"; do
    [ $SECONDS -lt $end ] || return 1
    sleep 0.02
  done
}
has_newer() { [ -n "$(newest "$1")" ] && [ "$(newest "$1")" != "$2" ]; }
has_newer_or_is_gone() { has_newer "$1" "$2" || [ ! -e "/proc/$3" ]; }

# interrupt SIGNAL mpirun|rank RANKS FOLDER COMMAND...: start the program under mpirun, wait for a
# new checkpoint in the folder, send the signal, wait until all processes are gone; what it printed
# is in FOLDER.said. The result is that of mpirun.
interrupt() {
  local signal=$1 victim=$2 ranks=$3 folder=$4 before launcher ranks_there code
  shift 4
  before=$(newest "$folder")
  # shellcheck disable=SC2086 # a command and its flags
  $MPIRUN --quiet -n "$ranks" "$PARBLO" "$@" >"$folder.said" 2>&1 &
  launcher=$!
  within 40 has_newer_or_is_gone "$folder" "$before" $launcher
  if ! has_newer "$folder" "$before"; then
    kill $launcher 2>/dev/null
    failed "no checkpoint has come: $*" "$folder.said"
    return 125
  fi
  ranks_there=$(children_of $launcher)
  case $victim in
  mpirun) kill "-$signal" $launcher ;;
  rank) kill "-$signal" "${ranks_there##*[[:space:]]}" ;; # the last one, not the root
  esac
  wait $launcher 2>/dev/null
  code=$?
  # shellcheck disable=SC2086 # a list of numbers
  within 20 all_gone $ranks_there || failed "ranks live on after SIG$signal to $victim: $*"
  return $code
}

# is_continued RUNFILE FOLDER RANKS WHAT ARGUMENT...: resumed for some more iterations, it equals a
# new run with these arguments
is_continued() {
  local file=$1 folder=$2 ranks=$3 what=$4 name=${1%.yml} n
  shift 4
  n=$(($(iteration_of "$(newest "$folder")") + 15))
  if ! parblo_on "$ranks" resume "$folder" --set run.iterations=$n >"$folder.said" 2>&1; then
    failed "$what: cannot be resumed" "$folder.said"
  elif ! parblo_on 1 run "$file" --set run.output="$folder.whole" --set run.iterations=$n \
    --set run.checkpoint_every=0 "$@" >"$folder.said" 2>&1; then
    failed "$what: the run to compare with fails" "$folder.said"
  elif ! "$SAME" "$folder/$name.h5" "$folder.whole/$name.h5" >"$folder.said" 2>&1; then
    failed "$what: other bits than a run that was left alone" "$folder.said"
  elif find "$folder" | grep -q tmp; then
    failed "$what: a temporary file was left in $(ls "$folder")"
  else
    passed "$what; $n iterations, $(cat "$folder.said")"
  fi
}

# ----------------------------------------------------------------------- kills

# killed METHOD X RANKS RANKS RANKS: a rank of the first part is killed, mpirun of the second
killed() {
  local method=$1 x=$2 folder=kill-$1-$2
  interrupt KILL rank "$3" "$folder" run "$method-$x.yml" --set run.output="$folder"
  [ -n "$(newest "$folder")" ] || return
  interrupt KILL mpirun "$4" "$folder" resume "$folder"
  is_continued "$method-$x.yml" "$folder" "$5" \
    "$method, $x x: a rank of $3 killed, mpirun of $4 killed, ended on $5"
}
kills() {
  shows "SIGKILL: nothing is lost but the iterations since the last checkpoint"
  side_by_side $AT_ONCE killed aid sharded 2 3 1
  side_by_side $AT_ONCE killed aid rooted 3 1 4
  side_by_side $AT_ONCE killed stocbio sharded 3 1 2
  side_by_side $AT_ONCE killed stocbio rooted 1 4 3
  side_by_side $AT_ONCE killed soba sharded 1 4 2
  side_by_side $AT_ONCE killed soba rooted 2 3 1
  wait
}

# --------------------------------------------------------------------- signals

# says_how_to_continue FOLDER TEXT WHAT
says_how_to_continue() {
  grep -q "$2" "$1.said" && grep -q "to continue: parblo resume $1/$(newest "$1")\$" "$1.said" ||
    failed "$3: does not say '$2' and how to continue" "$1.said"
}
# stopped SIGNAL mpirun|rank RANKS RANKS. mpirun that gets a SIGTERM has a code of its own.
stopped() {
  local folder=stop-$1-$2 code
  interrupt "$1" "$2" "$3" "$folder" run stocbio-sharded.yml --set run.output="$folder"
  code=$?
  [ "$1-$2" = TERM-mpirun ] || [ $code -eq 0 ] || failed "SIG$1 to $2: code $code" "$folder.said"
  says_how_to_continue "$folder" 'stopped by a signal' "SIG$1 to $2"
  is_continued stocbio-sharded.yml "$folder" "$4" "SIG$1 to $2: stopped on $3, ended on $4"
}
signals() {
  shows "SIGTERM and SIGUSR1: a checkpoint at the end of the iteration, code 0"
  side_by_side $AT_ONCE stopped TERM mpirun 2 3
  side_by_side $AT_ONCE stopped TERM rank 3 2
  side_by_side $AT_ONCE stopped USR1 mpirun 4 1
  side_by_side $AT_ONCE stopped USR1 rank 2 1
  side_by_side $AT_ONCE shell_ends
  wait
}

# A run in the background of a shell that ends goes on, one under mpirun that is killed does not (see
# kills).
shell_ends() {
  local folder=nohup pid
  sh -c '"$1" run soba-sharded.yml --set run.output='$folder' >'$folder'.said 2>&1 & echo $! >'$folder'.pid
    while ! ls '$folder'/*.ckpt.* >/dev/null 2>&1 && kill -0 $!; do sleep 0.05; done' sh "$PARBLO"
  pid=$(cat $folder.pid)
  if within 20 has_newer $folder "$(newest $folder)" && kill -USR1 "$pid" &&
    within 20 all_gone "$pid" && grep -q 'stopped by a signal' $folder.said; then
    passed "the shell ends, the run goes on"
  else
    kill "$pid" 2>/dev/null
    failed "a run has ended with its shell" $folder.said
  fi
}

# ------------------------------------------------------- time limits, extensions

time_limit() {
  local folder=limited begin=$SECONDS
  parblo_on 2 run aid-rooted.yml --set run.output=$folder --set run.time_limit=0.5 \
    --set run.checkpoint_every=0 >$folder.said 2>&1 ||
    failed "a time limit gives code $?" $folder.said
  [ $((SECONDS - begin)) -lt 15 ] || failed "a limit of 0.5 s took $((SECONDS - begin)) s"
  says_how_to_continue $folder 'stopped at the time limit' "time limit"
  parblo_on 3 resume $folder --set run.time_limit=0.3 >$folder.said 2>&1 ||
    failed "a second part with a limit gives code $?" $folder.said
  # the limit stands in the checkpoint: without another one it would end this part too
  parblo_on 1 resume $folder --set run.time_limit=inf \
    --set run.iterations=$(($(iteration_of "$(newest $folder)") + 1)) >$folder.said 2>&1
  is_continued_without_limit $folder
}
is_continued_without_limit() {
  local n
  n=$(iteration_of "$(newest "$1")")
  check "time limit: the run that was left alone" parblo_on 1 run aid-rooted.yml \
    --set run.output=limited.whole --set run.iterations=$n --set run.checkpoint_every=0
  check "time limit: twice stopped, the same bits" "$SAME" limited/aid-rooted.h5 \
    limited.whole/aid-rooted.h5
}
# At iteration 17 there is a row (of every third iteration) or none, and metrics, that a longer run
# does not have.
extension() { # FILE RANKS RANKS [ARGUMENT...]
  local folder=extended-$1
  check "$1: 17 iterations" parblo_on "$2" run "$1.yml" --set run.output="$folder" \
    --set run.iterations=17 "${@:4}"
  cp "$folder/$1.h5" "$1.finished.h5"
  check "$1: a finished run, resumed, has nothing to do" parblo_on "$3" resume "$folder"
  check "$1: and leaves the same results" "$SAME" "$folder/$1.h5" "$1.finished.h5"
  is_continued "$1.yml" "$folder" "$3" "$1: extended from 17 to 32 iterations, $2 ranks to $3" \
    "${@:4}"
}

# ------------------------------------------------------------------ lucky escapes

# the newest checkpoint is damaged: it is named, the one before it is taken
damaged() {
  local folder=damaged newest
  check "a run with two checkpoints" parblo_on 1 run soba-sharded.yml --set run.output=$folder \
    --set run.iterations=30
  newest=$(newest $folder)
  for damage in flip cut; do
    cp -r $folder $folder-$damage
    case $damage in
    flip) flip 5000 "$folder/$newest" "$folder-flip/$newest" ;;
    cut) cut_to 5000 "$folder/$newest" "$folder-cut/$newest" ;;
    esac
    check "$damage: the older checkpoint is taken" parblo_on 2 resume $folder-$damage
    grep -q "^\[error\].*$newest" check.said &&
      grep -q 'older .*000000000020.h5 is taken' check.said ||
      failed "$damage: does not name the damaged and the older checkpoint" check.said
    check "$damage: the same bits" "$SAME" $folder/soba-sharded.h5 $folder-$damage/soba-sharded.h5
  done
}
# the folder has moved, and the data too
moved() {
  mkdir here
  cp "$SRC/data/digits/digits.csv.gz" here/
  sed 's|path: .*}|path: here/digits.csv.gz}|' stocbio-rooted.yml >moved.yml
  check "a run with data beside it" parblo_on 1 run moved.yml --set run.output=from \
    --set run.iterations=20
  mv here there
  mv from to
  check "moved: resumed" parblo_on 2 resume to --set run.iterations=35 \
    --set problem.data.train.path=there/digits.csv.gz
  check "moved: the run that was left alone" parblo_on 1 run stocbio-rooted.yml \
    --set run.output=left --set run.iterations=35
  check "moved: the same bits" "$SAME" to/moved.h5 left/stocbio-rooted.h5
}
# the run is killed, begun anew by mistake, and continued all the same
begun_anew() {
  local folder=anew before
  interrupt KILL rank 2 $folder run soba-rooted.yml --set run.output=$folder
  before=$(newest $folder)
  if parblo_on 2 run soba-rooted.yml --set run.output=$folder >$folder.said 2>&1; then
    failed "a new run has replaced an unfinished one" $folder.said
  fi
  check "begun anew: the checkpoint stands" test -n "$before" -a "$before" = "$(newest $folder)"
  is_continued soba-rooted.yml $folder 3 "begun anew by mistake, then continued"
}

kills
signals
shows "time limits stop in time and lose nothing"
time_limit
shows "a finished run can be extended"
extension aid-sharded 1 3
extension soba-rooted 3 1 --set run.record_every=3
shows "damaged checkpoints, moved folders, runs begun anew by mistake"
damaged
moved
begun_anew
finish
