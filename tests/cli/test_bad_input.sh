#!/bin/bash
# What a careless or unlucky user does: wrong run files, damaged data, folders that cannot be
# written to, checkpoints of something else. On 1 and on 3 ranks each mistake gives one line of
# error that tells what is wrong, an exit code other than 0, no hang, and nothing is left behind.
# Environment: see support/cli.sh.
. "$SRC/tests/support/cli.sh"
: "${SAME:?the program h5same}"
readonly AT_ONCE=6
mkdir in log out

# ------------------------------------------------------------------- refusals

# refusal_on RANKS LOG CODE PATTERN OUTPUT ARGUMENT...
refusal_on() {
  local ranks=$1 log=$2 code=$3 pattern=$4 output=$5 before got what
  shift 5
  what="$ranks ranks, code $code, '$pattern': ${*/$work\//}"
  before=$(contents "$output")
  parblo_on "$ranks" "$@" >"$log.out" 2>"$log"
  got=$?
  sed -i '/^\[warn\] Epoll/d' "$log" # libevent's, under a launcher that ends its ranks
  if [ "$got" -ne "$code" ]; then
    failed "exit code $got; $what" "$log"
  elif [ "$(wc -l <"$log")" -ne 1 ] || ! grep -q '^parblo: error: ' "$log"; then
    failed "not one line of error; $what" "$log"
  elif ! grep -qE -- "$pattern" "$log"; then
    failed "the error does not say so; $what" "$log"
  elif [ -s "$log.out" ]; then
    failed "something else was printed; $what" "$log.out"
  elif [ "$(contents "$output")" != "$before" ]; then
    failed "the output folder has changed; $what" "$log"
  else
    passed "$ranks: $(cat "$log")"
  fi
}

n_refusals=0
# refusal RANKS CODE PATTERN ARGUMENT...: a run with a folder of its own for the output, which must
# not be there afterwards
refusal() {
  local ranks=$1 code=$2 pattern=$3 id
  shift 3
  n_refusals=$((n_refusals + 1))
  id=$n_refusals-$ranks
  side_by_side $AT_ONCE refusal_on "$ranks" "log/$id" "$code" "$pattern" "out/$id" \
    run "$@" --set "run.output=out/$id"
}
refused() { for ranks in 1 3; do refusal $ranks "$@"; done; }
# with CODE PATTERN KEY=VALUE...: the good run file, but for these
with() {
  local code=$1 pattern=$2 value sets=()
  shift 2
  for value in "$@"; do sets+=(--set "$value"); done
  refused "$code" "$pattern" in/good.yml "${sets[@]}"
}
# refused_in FOLDER CODE PATTERN ARGUMENT...: any command, whose folder must stay as it is
refused_in() {
  local folder=$1 code=$2 pattern=$3
  shift 3
  for ranks in 1 3; do
    n_refusals=$((n_refusals + 1))
    side_by_side $AT_ONCE refusal_on $ranks "log/$n_refusals" "$code" "$pattern" "$folder" "$@"
  done
}

# ---------------------------------------------------------------------- inputs

samples 240 3 >in/train.csv
samples 60 3 >in/test.csv
cat >in/good.yml <<'END'
problem:
  type: hyper_cleaning
  corrupt: 0.3
  data:
    train: {path: train.csv}
    n_val: 60
    n_test: 60
    shards: 8
solver:
  type: stocbio
  lower: {batch: 32}
  adjoint: {type: neumann}
run:
  iterations: 3
END
# the same with one line in the place of another, or with a line more
variant() { sed "$2" in/good.yml >"in/$1.yml"; }

good() { check "$1" parblo_on 3 run in/good.yml --set "run.output=$2" "${@:3}"; }
shows "what is not wrong works, so that the refusals below are about what they say"
good "the good run file" good

# -------------------------------------------------------------------- run files

shows "run files that are missing, or no YAML"
refused 3 'in/none.yml.*No such file' in/none.yml
refused 3 'in: .*([Ii]s a directory|not a regular file)' in
: >in/empty.yml
refused 2 'empty.yml.*problem' in/empty.yml
printf 'problem: {type: hyper_cleaning\nsolver: [\n' >in/broken.yml
refused 2 'broken.yml:[0-9]+: not valid YAML' in/broken.yml
printf 'problem:\n\ttype: hyper_cleaning\n' >in/tab.yml
refused 2 'tab.yml:2: .*(tab|token)' in/tab.yml
printf 'hello\n' >in/scalar.yml
refused 2 'scalar.yml:1: ' in/scalar.yml
printf -- '- a\n- b\n' >in/list.yml
refused 2 'list.yml:1: ' in/list.yml
gzip -c in/good.yml >in/packed.yml
refused 4 'packed.yml: not a text file' in/packed.yml
refused 2 'train.csv:1: ' in/train.csv
variant twice '$a solver: {type: soba}'
refused 2 "twice.yml:15: .*'?solver'?.*(twice|already|line 9)" in/twice.yml
variant twice_in 's/    n_val: 60/    n_val: 60\n    n_val: 30/'
refused 2 "twice_in.yml:7: .*n_val" in/twice_in.yml
variant no_type '/type: stocbio/d'
refused 2 "no_type.yml:[0-9]+: solver.type is missing: .*aid.*soba" in/no_type.yml
variant no_solver '/^solver/,/adjoint/d'
refused 2 "no_solver.yml: solver.type is missing: .*aid.*soba" in/no_solver.yml
variant text_map 's/^run:/run: fast/; /iterations/d'
refused 2 "run must be a map, .*'fast' .in/text_map.yml:13" in/text_map.yml

shows "unknown keys and types, with the nearest one that is known"
variant top 's/^run:/runn:/'
refused 2 "top.yml:13: .*'?runn'?.*did you mean '?run'?" in/top.yml
variant key_problem 's/corrupt/corupt/'
refused 2 "key_problem.yml:3: .*corupt.*did you mean '?(problem.)?corrupt'?" in/key_problem.yml
variant key_solver 's/  lower:/  lowr:/'
refused 2 "key_solver.yml:11: .*lowr.*did you mean '?(solver.)?lower'?" in/key_solver.yml
variant key_sub 's/batch: 32/bacth: 32/'
refused 2 "key_sub.yml:11: .*bacth.*did you mean '?(solver.lower.)?batch'?" in/key_sub.yml
variant key_data 's/path:/pth:/'
refused 2 "key_data.yml:5: .*pth.*did you mean '?(problem.data.train.)?path'?" in/key_data.yml
variant key_run 's/iterations:/iteration:/'
refused 2 "key_run.yml:14: .*iteration.*did you mean '?(run.)?iterations'?" in/key_run.yml
with 2 'stepp.*did you mean .*step' solver.lower.stepp=1
with 2 'slover.*did you mean .*solver' slover.type=aid
with 2 "'?hyper_claening'?.*did you mean 'hyper_cleaning'" problem.type=hyper_claening
with 2 "'?stockbio'?.*did you mean 'stocbio'" solver.type=stockbio
with 2 "solver.adjoint.type.*'?neuman'?.*neumann" solver.adjoint.type=neuman
with 2 "key=value|KEY=VALUE|no '='|name=value" solver.lower.step
with 2 'solver is a map .in/good.yml:9.*set its keys' solver=aid
refused 2 "one run file.* 2 were given" in/good.yml in/good.yml
refused 2 "unknown option '--sett'.*'--set'" in/good.yml --sett a=b

shows "values out of range or of another kind"
with 2 'solver.lower.step = -1 .*at least 0' solver.lower.step=-1
with 2 'run.iterations = 0 .*at least 1' run.iterations=0
with 2 'problem.corrupt = 1.5 .*at most 1$' problem.corrupt=1.5
with 2 'problem.data.shards.*power of two, not 48' problem.data.shards=48
with 2 "solver.lower.step = .?fast.*number" solver.lower.step=fast
with 2 "run.iterations = .?2.5.*integer|whole number" run.iterations=2.5
with 2 "run.iterations = .?99999999999999999999" run.iterations=99999999999999999999
with 2 "solver.lower.step = .?nan" solver.lower.step=nan
with 2 "solver.lower.step = .?1e999" solver.lower.step=1e999
with 2 "solver.lower.step" solver.lower.step=
with 2 "warm_start = .?maybe.*true.*false" solver.lower.warm_start=maybe
with 2 "reduction = .?fastest.*reproducible, fast" run.reduction=fastest
with 2 "run.name = 'a/b'" run.name=a/b
variant number 's/corrupt: 0.3/corrupt: a lot/'
refused 2 "number.yml:3: .*problem.corrupt = .?a lot.*number" in/number.yml
variant map 's/corrupt: 0.3/corrupt: {a: 1}/'
refused 2 "map.yml:3: .*corrupt" in/map.yml
variant list_value 's/corrupt: 0.3/corrupt: [0.1, 0.2]/'
refused 2 "list_value.yml:3: .*corrupt" in/list_value.yml
deep=out/deep$(printf '/%0200d' 1 2 3 4 5)
refused_in out/deep 2 "run.output and run.name make paths of up to [0-9]+ bytes" \
  run in/good.yml --set "run.output=${deep:0:1005}"
with 10 "run.memory_limit" run.memory_limit=1e-6

# ------------------------------------------------------------------------ data

shows "sizes that do not fit the data"
with 2 'n_val = 0 .*at least 1' problem.data.n_val=0
with 5 'train.csv.*240' problem.data.n_train=200
with 5 'train.csv.*240' problem.data.n_val=240
with 5 '240' problem.data.n_val=1000000
with 5 '120 samples .* 128 shards.*problem.data.shards' problem.data.shards=128
with 5 '4 samples .*train.csv .* 8 shards.*problem.data.shards' problem.data.n_train=4
refusal 3 2 '3 ranks .* 2 logical shards.*problem.data.shards' in/good.yml \
  --set problem.data.shards=2

shows "labels and features that do not fit"
with 5 'train.csv, line 3: label 2 is not allowed: 0, 1' problem.data.train.n_classes=2
sed '30s/,[0-9]*$/,7/' in/test.csv >in/class7.csv
test_set() { with "$1" "$2" problem.data.n_test=0 "problem.data.test.path=$3"; }
test_set 5 'class7.csv, line 30: label 7 is not allowed: 0\.\.2' in/class7.csv
cut -d, -f1-3,5 in/test.csv >in/narrow.csv
test_set 5 'narrow.csv.* 3 .*features.* 4' in/narrow.csv
with 2 'train.csv has 5 columns.*label column.*not 9' problem.data.train.label_column=9
sed '/,0$/!d' in/train.csv >in/one_class.csv
refused 5 'one_class.csv' in/good.yml --set problem.data.train.path=in/one_class.csv \
  --set problem.data.n_val=10 --set problem.data.n_test=0

shows "files that are missing or empty"
data() { refused "$1" "$2" in/good.yml --set "problem.data.train.path=$3" "${@:4}"; }
data 3 'in/none.csv.*No such file' in/none.csv
data 3 'in.*([Ii]s a directory|not a regular file)' in
data 2 'problem.data.train.path' ''
: >in/empty.csv
data 5 'empty.csv has no samples' in/empty.csv
echo 'a,b,c,d,label' >in/names.csv
data 5 'names.csv has no samples' in/names.csv
data 4 'good.yml' in/good.yml

shows "wrong lines of a CSV, named with line and column"
wrong_line() { # NAME SED CODE PATTERN: line 100 is changed
  sed "100$2" in/train.csv >"in/$1.csv"
  data "$3" "$1.csv, $4" "in/$1.csv"
}
wrong_line nan 's/^[^,]*,[^,]*/0.5,nan/' 5 'line 100: column 1 .from 0. is nan'
wrong_line inf 's/^[^,]*/inf/' 5 'line 100: column 0 .from 0. is inf'
wrong_line huge 's/^[^,]*/1e400/' 5 'line 100: column 0 .from 0. is (inf|1e400)'
wrong_line text 's/^[^,]*/x/' 4 "line 100: column 0 .from 0., .x., is not a number"
wrong_line void 's/^[^,]*//' 4 'line 100: column 0'
wrong_line short 's/^[^,]*,//' 4 'line 100: 4 columns, .* 5'
wrong_line long 's/^/1,/' 4 'line 100: 6 columns, .* 5'
wrong_line half 's/,[0-9]*$/,1.5/' 5 'line 100: label 1.5'
wrong_line comma 's/^\([^,]*\)\./"1,5"/' 4 'line 100'
wrong_line zero 's/\./\x00/' 4 'line 100'
printf '1 1:0.5 2:1\n0 1:1 1:2\n' >in/order.svm
data 4 'order.svm, line 2' in/order.svm
printf '1 1:0.5 2:1\n0 0:1\n' >in/index0.svm
data 5 'index0.svm, line 2: feature 0 is outside 1' in/index0.svm
printf '1 1:0.5 2:1\n0 1:inf\n' >in/inf.svm
data 5 'inf.svm, line 2: feature 1 is inf' in/inf.svm

shows "cut gzip files"
digits=$SRC/data/digits/digits.csv.gz
n=$(size_of "$digits")
for size in 10 100 4096 $((n / 2)) $((n - 9)) $((n - 1)); do
  cut_to $size "$digits" in/cut$size.csv.gz
  data 4 "cut$size.csv.gz" in/cut$size.csv.gz
done
shows "gzip files with a changed bit"
for place in 3 500 $((n / 3)) $((n - 100)) $((n - 6)) $((n - 2)); do
  flip $place "$digits" in/flip$place.csv.gz
  data 4 "flip$place.csv.gz" in/flip$place.csv.gz
done

shows "IDX files that are cut, too long, or do not belong together"
idx_images() { # ROWS: images of 2 x 2
  printf '\0\0\10\3\0\0\0\'"$(printf %o "$1")"'\0\0\0\2\0\0\0\2'
  head -c $((4 * $1)) "$digits" # any bytes
}
idx_labels() {
  printf '\0\0\10\1\0\0\0\'"$(printf %o "$1")"
  for ((i = 0; i < $1; i++)); do printf '\'$((i % 3)); done
}
idx_images 240 >in/images.idx
idx_labels 240 >in/labels.idx
idx_labels 239 >in/fewer.idx
idx() { data "$1" "$2" "in/$3" --set "problem.data.train.labels=in/$4"; }
check "good IDX files" parblo_on 1 run in/good.yml --set run.name=idx \
  --set problem.data.train.path=in/images.idx --set problem.data.train.labels=in/labels.idx \
  --set run.output=good
cut_to 500 in/images.idx in/images_cut.idx && idx 4 images_cut.idx images_cut.idx labels.idx
cut_to 10 in/images.idx in/images_head.idx && idx 4 images_head.idx images_head.idx labels.idx
cut_to 100 in/labels.idx in/labels_cut.idx && idx 4 labels_cut.idx images.idx labels_cut.idx
{ cat in/images.idx; echo; } >in/images_more.idx && idx 4 images_more.idx images_more.idx labels.idx
idx 5 '240.*239' images.idx fewer.idx
idx 4 'images.idx' images.idx images.idx
idx 4 'labels.idx' labels.idx labels.idx
idx 3 'none.idx.*No such file' images.idx none.idx
with 2 'labels' problem.data.train.path=in/images.idx

shows "HDF5 files that are cut or have a changed bit"
# values that can be found in the file: label 0x12345678, feature 1234.5
sed 's/,0$/,305419896/; s/^[^,]*/1234.5/' in/train.csv >in/found.csv
check "a data file is made" parblo_on 1 convert --train in/found.csv -o in/data.h5
h5() { data 4 "$1" "in/$1"; }
n=$(size_of in/data.h5)
for size in 8 100 $((n / 2)) $((n - 1)); do
  cut_to $size in/data.h5 in/cut$size.h5 && h5 cut$size.h5
done
label=$(offset_of '\x78\x56\x34\x12.{8}\x78\x56\x34\x12' in/data.h5)
feature=$(offset_of '\x00\x00\x00\x00\x00\x4a\x93\x40' in/data.h5)
echo "the labels are at ${label:?}, the features at ${feature:?}"
flip "$label" in/data.h5 in/label.h5 && h5 label.h5
flip "$feature" in/data.h5 in/feature.h5 && h5 feature.h5
flip 4 in/data.h5 in/signature.h5 && h5 signature.h5
flip 30 in/data.h5 in/superblock.h5 && h5 superblock.h5
for name in class_value n_features; do # in the metadata
  flip "$(offset_of $name in/data.h5)" in/data.h5 in/$name.h5 && h5 $name.h5
done
# harmless_or_refused PLACE: a changed bit there gives the same results, or one line of error
harmless_or_refused() {
  local id=place$1
  flip "$1" in/data.h5 in/$id.h5
  if parblo_on 1 run in/good.yml --set problem.data.train.path=in/$id.h5 --set run.output=$id \
    >log/$id 2>&1; then
    "$SAME" h5/good.h5 $id/good.h5 >log/$id && passed "$(cat log/$id)" ||
      failed "a changed bit at $1 was not noticed" log/$id
  elif [ "$(wc -l <log/$id)" -ne 1 ] || ! grep -q "^parblo: error: .*$id.h5" log/$id; then
    failed "a changed bit at $1 does not give one line of error" log/$id
  else
    passed "$(cat log/$id)"
  fi
}
good "the data file without damage" h5 --set problem.data.train.path=in/data.h5
for k in {1..16}; do side_by_side $AT_ONCE harmless_or_refused $((n * k / 17)); done
refused 2 "group.*train|tset" in/good.yml --set problem.data.train.path=in/data.h5 \
  --set problem.data.train.group=tset

# ----------------------------------------------------------------------- networks

shows "networks that do not suit the data, and data that do not suit the task"
awk 'BEGIN {
  for (i = 0; i < 240; i++) printf "%d w%d %s\n", i % 3, i % 7, i % 3 ? "good film" : "bad"
}' >in/texts.txt
check "texts are converted" parblo_on 1 convert --text --train in/texts.txt -o in/texts.h5
texts=(problem.data.train.path=in/texts.h5 problem.data.scaling=none)
model=problem.model
with 5 'tokens are not scaled: set scaling to none' "${texts[0]}" $model.type=lstm
with 2 'texts.h5 holds texts.*problem.model.type' "${texts[@]}"
with 8 'the samples are texts' "${texts[@]}" $model.type=mlp
with 8 'the samples are texts' "${texts[@]}" $model.type=conv $model.channels=3
with 8 'the samples have no tokens' $model.type=lstm
with 6 '4 features are no square images of 3 channels' $model.type=conv $model.channels=3
with 6 'windows of 2 x 2 do not fit' $model.type=conv $model.layers=2
with 2 "model.type = 'mlpp' is not one of linear, mlp, .*did you mean 'mlp'" $model.type=mlpp
with 2 "problem.model.hiden'?; did you mean 'hidden'" $model.hiden=3
with 2 'problem.model.layers = 17 is out of range' $model.type=mlp $model.layers=17
with 10 'memory limit of 0.5 GiB' $model.type=mlp $model.hidden=1000000 run.memory_limit=0.5
with 10 'memory limit of 0.001 GiB' "${texts[@]}" $model.type=gru $model.hidden=2000 \
  run.memory_limit=0.001
sed '/corrupt/d; s/hyper_cleaning/hyper_representation/' in/good.yml >in/representation.yml
refused 8 "'hyper_representation': nothing belongs to x" in/representation.yml \
  --set $model.type=linear
cat >in/few_shot.yml <<'END'
problem:
  type: few_shot
  train: {path: train.csv}
  model: {type: mlp, hidden: 4}
  ways: 3
  episodes: 16
  shards: 8
solver: {type: aid}
run: {iterations: 2}
END
few_shot() { # CODE PATTERN KEY=VALUE...
  local code=$1 pattern=$2 value sets=()
  shift 2
  for value in "$@"; do sets+=(--set "$value"); done
  refused "$code" "$pattern" in/few_shot.yml "${sets[@]}"
}
check "the good run file of few_shot" parblo_on 3 run in/few_shot.yml --set run.output=few_shot
few_shot 2 '12 episodes are no multiple of the 8 shards' problem.episodes=12
few_shot 2 '20 episodes are no multiple of the 8 shards' problem.test.path=in/test.csv \
  problem.test_episodes=20
few_shot 5 'train.csv has 3 classes: too few for ways = 4' problem.ways=4
few_shot 5 'class 0 has 80 samples: too few for shots = 80' problem.shots=80
few_shot 2 'a linear model has no representation to learn' $model.type=linear
few_shot 2 'problem.train.path is not given' problem.train.path=
few_shot 5 'texts.h5 has texts, .*train.csv has numbers' problem.test.path=in/texts.h5
few_shot 6 '4 features are no square images of 2 channels' $model.type=conv $model.channels=2
few_shot 2 'batches of 16 and of 4 tasks.*the same batch size' solver.upper.batch=4
few_shot 10 'memory limit of 0.0001 GiB' run.memory_limit=0.0001

# ---------------------------------------------------------------- output folders

shows "output folders that cannot be written to"
: >in/file
no_folder() { refused_in "${3:-in}" 3 "$2" run in/good.yml --set "run.output=$1"; }
no_folder in/file/a 'in/file/a.*Not a directory'
no_folder in/file 'in/file.*(Not a directory|File exists)'
no_folder /dev/full '/dev/full.*(Not a directory|File exists)' in
no_folder /proc/parblo '/proc/parblo'
no_folder "$(printf 'n%.0s' {1..300})" 'File name too long'
refused_in in 2 'run.name has 230 bytes, more than 200' run in/good.yml \
  --set "run.name=$(printf 'n%.0s' {1..230})" --set run.output=out/name

# ------------------------------------------------------------------ checkpoints

shows "resuming from what is no checkpoint, or is one of something else"
wait # the folders below must not be used while they are made
good "a run with checkpoints" saved --set run.iterations=6 --set run.checkpoint_every=2
sed '7s/^[^,]*/0.25/' in/train.csv >in/other.csv
mkdir none
resume() { refused_in "$1" "$2" "$3" resume "${@:4}"; } # FOLDER CODE PATTERN ARGUMENT...
newest=saved/good.ckpt.000000000006.h5
older=saved/good.ckpt.000000000004.h5
resume saved 3 'nowhere.*No such file' nowhere
resume none 3 'no checkpoint in the folder none' none
resume saved 2 'one checkpoint or folder.* 0' 
resume saved 4 'good.h5' saved/good.h5
resume in 4 'train.csv' in/train.csv
resume in 4 'good.yml' in/good.yml
more=(--set run.iterations=9)
resume saved 7 "solver.lower.step.*0.1.*0.2" saved "${more[@]}" --set solver.lower.step=0.2
resume saved 7 "solver.type was 'stocbio' and is now 'soba'" saved --set solver.type=soba
resume saved 7 "problem.type was 'hyper_cleaning' and is now 'ridge_logistic'" saved \
  --set problem.type=ridge_logistic
resume saved 7 'problem.data.n_val.*60.*50' saved --set problem.data.n_val=50
resume saved 7 'run.seed.*1.*2' saved --set run.seed=2
resume saved 7 'problem.data.shards.*8.*16' saved --set problem.data.shards=16
resume saved 7 'run.reduction.*reproducible.*fast' saved --set run.reduction=fast
resume saved 2 'run.iteratons.*did you mean .*iterations' saved --set run.iteratons=9
resume saved 7 'other data|fingerprint' saved "${more[@]}" \
  --set problem.data.train.path=in/other.csv
resume saved 3 'none.csv.*No such file' saved "${more[@]}" --set problem.data.train.path=in/none.csv
mkdir two && cp $newest two/a.ckpt.000000000006.h5 && cp $newest two/b.ckpt.000000000006.h5
resume two 2 '2 runs \((a, b|b, a)\)' two
mkdir bad_only && flip 4000 $newest bad_only/good.ckpt.000000000006.h5
resume bad_only 4 'none is whole.*good.ckpt.000000000006.h5' bad_only
mkdir cut_only && cut_to 4000 $newest cut_only/good.ckpt.000000000006.h5
resume cut_only 4 'none is whole.*good.ckpt.000000000006.h5' cut_only/good.ckpt.000000000006.h5
refused_in saved 2 "unfinished run 'a'.*parblo resume two" run in/good.yml --set run.output=two \
  --set run.name=a
wait

# -------------------------------------------------------------------- divergence

shows "a run that diverges says so, and leaves the last good point"
diverges() { # RANKS
  local folder=diverged-$1 code
  parblo_on "$1" run in/good.yml --set run.output="$folder" --set solver.type=aid \
    --set solver.lower.batch=0 --set solver.lower.step=1e4 --set problem.reg=1 \
    --set run.iterations=50 --set run.checkpoint_every=1 >"$folder.said" 2>&1
  code=$?
  [ $code -eq 20 ] || failed "exit code $code, not 20" "$folder.said"
  check "$1 ranks: it names the iteration, the quantity and the last good checkpoint" grep -E \
    "after iteration [1-9][0-9]*: .*(value of g|grad|y).* not finite.*$folder/good.ckpt" \
    "$folder.said"
  check "x and y of the run file are finite" "$SAME" "$folder/good.h5"
  check "so is the checkpoint" "$SAME" "$(ls "$folder"/good.ckpt.*.h5 | tail -n 1)"
}
diverges 1
diverges 2

shows "what looks wrong but is not"
printf '\357\273\277' | cat - in/good.yml >in/marked.yml
printf '\357\273\277' | cat - in/train.csv >in/marked.csv
sed 's/$/\r/' in/good.yml >in/returns.yml
sed 's/$/\r/' in/train.csv >in/returns.csv
for kind in marked returns; do
  check "$kind: run file and data" parblo_on 2 run in/$kind.yml --set run.name=good \
    --set run.output=$kind --set problem.data.train.path=in/$kind.csv
  check "$kind: the same results" "$SAME" good/good.h5 $kind/good.h5
done

shows "nothing has come into the folders, nothing was changed"
check "no output folder was left" test -z "$(ls -A out)"
check "no probe was left" test -z "$(find . -name '.parblo-probe-*')"
finish
