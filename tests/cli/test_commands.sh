#!/bin/sh
# The commands besides run and resume: list, help, convert, info, history, plot, check; what they print, their
# exit codes, their error messages, and that a failure leaves no file behind.
# Environment: PARBLO, the program; MPIRUN, e.g. "mpirun --oversubscribe".
set -u
: "${PARBLO:?the path of parblo}"
MPIRUN=${MPIRUN:-mpirun}
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 1
failures=0

complain() {
  echo "FAILED: $1"
  sed 's/^/    /' said
  failures=$((failures + 1))
}

# expect CODE PATTERN COMMAND...: the exit code, and a line of the output that matches
expect() {
  code=$1 pattern=$2
  shift 2
  "$@" >said 2>&1
  got=$?
  if [ "$got" -ne "$code" ]; then
    complain "exit code $got, not $code: $*"
  elif ! grep -qE -- "$pattern" said; then
    complain "no line matches '$pattern': $*"
  fi
}

# has PATTERN: the output of the last command also has a line that matches
has() { grep -qE -- "$1" said || complain "no line matches '$1'"; }
# lacks PATTERN
lacks() { if grep -qE -- "$1" said; then complain "a line matches '$1'"; fi; }
# absent NAME...: no such files, nor parts of them
absent() {
  for name in "$@"; do
    for found in "$name"*; do
      if [ -e "$found" ]; then complain "$found was left behind"; fi
    done
  done
}

# ----------------------------------------------------------------- data, runs

# three classes, five features; class 0, 1, 2 in the last column
make_csv() { # rows, seed
  awk -v n="$1" -v seed="$2" 'BEGIN {
    srand(seed)
    for (i = 0; i < n; i++) {
      for (j = 0; j < 5; j++) printf "%.4f,", (j == i % 3 ? 1.5 : 0) + rand() - 0.5
      print i % 3
    }
  }'
}
make_csv 240 7 >train.csv
make_csv 60 8 >test.csv
printf '1 1:0.5 4:2\n0 2:1\n1 3:1 4:-1\n' >train.svm
printf '0 1:1\n1 2:0.25\n' >test.svm

cat >tiny.yml <<END
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
run:
  iterations: 12
  metrics_every: 4
  output: out
END

# ---------------------------------------------------------------- list, help

expect 0 '^  hyper_cleaning ' "$PARBLO" list
has '^  stocbio ' && has '^  cg ' && has '^  libsvm ' && has '\[.*arXiv'
expect 2 "list takes no arguments" "$PARBLO" list all

expect 0 '^Usage: parblo' "$PARBLO" help
for command in run resume check convert info history plot list help; do has "^  parblo $command"; done
expect 0 '^Usage: parblo' "$PARBLO" --help
expect 0 '^cost of one iteration: ' "$PARBLO" help stocbio
has '^source: ' && has '^solver.lower' && has ' steps '
expect 0 '^problem.data.train' "$PARBLO" help hyper_cleaning
expect 0 'iterations ' "$PARBLO" help run
expect 0 '^solver.adjoint: ' "$PARBLO" help neumann
expect 0 '--label-column' "$PARBLO" help convert
has '^parblo convert '
for command in run resume check convert info history plot list help; do
  expect 0 "^parblo $command" "$PARBLO" help $command
done
expect 0 'parblo help BLOCK' "$PARBLO" help
has 'parblo help COMMAND' && has 'samples N. .--dense. .--dense-max Q'
expect 2 "did you mean 'convert'" "$PARBLO" help convrt
expect 0 '^# Run file reference' "$PARBLO" help --markdown
has '^## method `soba`' && has '^\| `iterations` \| integer \|'
expect 2 "'stocbo' is no problem.* did you mean 'stocbio'" "$PARBLO" help stocbo
expect 2 "help takes one name, found 2" "$PARBLO" help run soba
expect 2 "unknown command 'chekc'; did you mean 'check'" "$PARBLO" chekc
# one rank speaks
expect 0 '^Usage: parblo' $MPIRUN -n 2 "$PARBLO" help
[ "$(grep -c '^Usage' said)" -eq 1 ] || complain "the usage was printed twice"

# ------------------------------------------------------------- convert, info

expect 0 '^train +240 rows, 5 features, 3 classes, dense double' \
  "$PARBLO" convert --train train.csv --test test.csv -o data.h5
has '^test +60 rows' && has '^data.h5: .* MB'
expect 0 'data; all checksums verified' "$PARBLO" info data.h5
has '^train +240 rows, 5 features, 3 classes' && has '^test +60 rows'
expect 0 '^train +3 rows, 4 features, 2 classes, sparse double, density 41.67 %' \
  $MPIRUN -n 2 "$PARBLO" convert --train train.svm --test test.svm -o sparse.h5
has '^test +2 rows, 4 features, 2 classes, sparse double, density 25 %'
expect 0 '6 features' "$PARBLO" convert --train train.svm --features 6 -o six.h5
expect 0 '4 classes' "$PARBLO" convert --train train.svm --classes 4 -o four.h5
expect 0 '240 rows, 5 features, 3 classes' "$PARBLO" convert --train train.csv --format csv \
  --label-column 5 -o column.h5

expect 3 'cannot open none.csv: No such file' "$PARBLO" convert --train none.csv -o no.h5
expect 3 'cannot open none.csv: No such file' $MPIRUN -n 2 "$PARBLO" convert --train none.csv \
  -o no.h5
[ "$(grep -c 'parblo: error' said)" -eq 1 ] || complain "the error was printed twice"
expect 2 "unknown option '--tran'; did you mean '--train'" "$PARBLO" convert --tran x -o no.h5
expect 2 "needs -o DATA.h5" "$PARBLO" convert --train train.csv
expect 2 "needs --train FILE" "$PARBLO" convert -o no.h5
expect 2 "option '--train' needs a value" "$PARBLO" convert -o no.h5 --train
expect 2 "did you mean 'csv'" "$PARBLO" convert --train train.csv --format cvs -o no.h5
expect 2 "must be a whole number" "$PARBLO" convert --train train.csv --features 3.5 -o no.h5
expect 2 "what to do with 'train.csv'" "$PARBLO" convert train.csv -o no.h5
expect 2 "without --test" "$PARBLO" convert --train train.csv --test-labels x -o no.h5
expect 5 . "$PARBLO" convert --train train.svm --classes 1 -o no.h5
make_csv 3 9 | cut -d, -f1-3,6 >narrow.csv
expect 5 'narrow.csv has 3 features, .* has 5' "$PARBLO" convert --train train.csv \
  --test narrow.csv -o no.h5
expect 3 'no/such' "$PARBLO" convert --train train.csv -o no/such.h5
absent no.h5 no
# what is no file is not replaced; a temporary file of somebody else is not touched
mkfifo pipe.h5
ln -s /dev/null null.h5
for place in pipe.h5 null.h5; do
  expect 3 "cannot write $place: .*no regular file" "$PARBLO" convert --train train.csv -o $place
done
{ [ -p pipe.h5 ] && [ -L null.h5 ] && [ -c /dev/null ]; } || complain "a pipe or device is gone"
absent pipe.h5. null.h5.
cat >same_process.sh <<END
echo mine >taken.h5.partial.\$\$
exec "$PARBLO" convert --train train.csv -o taken.h5
END
expect 3 'cannot make taken.h5.partial.*exists' sh same_process.sh
[ "$(cat taken.h5.partial.*)" = mine ] && [ ! -e taken.h5 ] || complain "a file of others is gone"

# ---------------------------------------------------------- run files in info

expect 0 'iteration budget spent' "$PARBLO" run tiny.yml
expect 0 . "$PARBLO" run tiny.yml --set run.name=other --set problem.reg=0.01
expect 0 '^out/tiny.h5: run file; all checksums verified' "$PARBLO" info out/tiny.h5
has '^  outcome +iteration budget spent' && has '^  final/x +120 numbers'
has '^  final/y +18 numbers' && has '^    type: hyper_cleaning' && has '^history: 13 rows'
has '^  iteration +12$' && has '^  test_accuracy +[01]'
expect 0 'checkpoint; all checksums verified' "$PARBLO" info out/tiny.ckpt.*12.h5
has '^  iteration +12$' && has '^  state/x +120 numbers'

flip() { # file, byte: change one byte of a copy named flipped.h5
  cp "$1" flipped.h5
  printf '\377' | dd of=flipped.h5 bs=1 seek="$2" conv=notrunc 2>/dev/null
  cmp -s "$1" flipped.h5 && printf '\001' | dd of=flipped.h5 bs=1 seek="$2" conv=notrunc 2>/dev/null
}
size=$(wc -c <out/tiny.h5)
head -c $((size / 2)) out/tiny.h5 >half.h5
expect 4 'half.h5 is damaged, or no file' "$PARBLO" info half.h5
expect 4 'damaged, or no file' "$PARBLO" info train.csv
# an end marker that is gone leaves a file of groups that are no data
cp out/tiny.h5 marked.h5 && printf 'x' >>marked.h5
expect 4 'marked.h5 is damaged, or no file' "$PARBLO" info marked.h5
expect 3 'cannot open none.h5' "$PARBLO" info none.h5
expect 2 'at least one file' "$PARBLO" info
expect 4 '1 of 2 files' "$PARBLO" info half.h5 out/tiny.h5
has 'out/tiny.h5: run file; all checksums verified'
# wherever a byte is changed, info says so or shows the very same
"$PARBLO" info out/tiny.h5 | sed 1d >whole
for k in 1 2 3 4 5 6 7 8 9 10; do
  flip out/tiny.h5 $((size * k / 11))
  if "$PARBLO" info flipped.h5 >said 2>&1 && ! sed 1d said | cmp -s - whole; then
    complain "a changed byte at $((size * k / 11)) of $size was not noticed"
  fi
done

# ------------------------------------------------------------------- history

expect 0 '^iteration	f	test_accuracy$' "$PARBLO" history out/tiny.h5 \
  --columns iteration,f,test_accuracy
[ "$(wc -l <said)" -eq 14 ] || complain "history does not print 13 rows and a head"
last=$(tail -n 1 said)
expect 0 "^$last$" $MPIRUN -n 2 "$PARBLO" history --last --columns iteration,f,test_accuracy \
  out/tiny.ckpt.*12.h5
[ "$(wc -l <said)" -eq 2 ] || complain "history --last does not print one row and a head"
expect 0 '^iteration	seconds	f	g	' "$PARBLO" history out/tiny.h5
expect 2 "no history has a column 'test_acuracy'; did you mean 'test_accuracy'" "$PARBLO" \
  history out/tiny.h5 --columns f,test_acuracy
expect 2 'one run file or checkpoint, not 0' "$PARBLO" history --last
expect 4 'half.h5' "$PARBLO" history half.h5

# ---------------------------------------------------------------------- plot

if command -v gnuplot >/dev/null; then
  expect 0 '^both.png: [0-9]+ panels, 2 runs$' "$PARBLO" plot out/tiny.h5 out/other.h5 -o both.png
  lacks 'arning'
  head -c 8 both.png | od -An -c | grep -q 'P   N   G' || complain "both.png is no PNG"
  expect 0 '^one.svg: [0-9]+ panels, 1 run$' $MPIRUN -n 2 "$PARBLO" plot -o one.svg out/tiny.h5
  grep -q '</svg>' one.svg || complain "one.svg is no whole SVG"
  grep -q 'test accuracy' one.svg || complain "one.svg has no panel for the test accuracy"
  grep -q 'lower objective g' one.svg || complain "one.svg has no panel for g"
  expect 0 '^two.svg: 4 panels, 1 run$' "$PARBLO" plot out/tiny.h5 -o two.svg \
    --metrics step_x,lower_residual
  grep -q 'lower residual' two.svg && grep -q 'step x' two.svg || complain "two.svg lacks a panel"
  if grep -q 'objective' two.svg; then complain "two.svg has a panel that was not named"; fi
  # panels that exist in some of the files only, a checkpoint, names that need quotes
  cp out/tiny.h5 "it's \"a\" run.h5"
  expect 0 '^quoted.svg: [0-9]+ panels, 2 runs$' "$PARBLO" plot "it's \"a\" run.h5" \
    out/other.ckpt.*.h5 -o quoted.svg
  grep -qF "it's" quoted.svg || complain "quoted.svg does not name its run"
else
  echo "skipped: gnuplot is not installed, so nothing is drawn"
fi
expect 2 "must end with .png or .svg, not 'no.pdf'" "$PARBLO" plot out/tiny.h5 -o no.pdf
expect 2 'needs -o' "$PARBLO" plot out/tiny.h5
expect 2 "no history has a column 'test_acuracy'; did you mean 'test_accuracy'" "$PARBLO" plot \
  out/tiny.h5 -o no.png --metrics f,test_acuracy
expect 2 'at least one run file' "$PARBLO" plot -o no.png
expect 3 'cannot open none.h5' "$PARBLO" plot none.h5 -o no.png
expect 4 'half.h5' "$PARBLO" plot out/tiny.h5 half.h5 -o no.png
expect 4 'data.h5' "$PARBLO" plot data.h5 -o no.png
expect 3 'cannot write no/such.png: No such file' "$PARBLO" plot out/tiny.h5 -o no/such.png
# a PATH with no more than what MPI itself looks for there
mkdir few bin
for program in orted ssh; do
  ln -s "$(command -v $program || command -v true)" few/$program
done
expect 3 'gnuplot is not installed' env PATH="$dir/few" "$PARBLO" plot out/tiny.h5 -o no.png
printf '#!/bin/sh\ncat >/dev/null\necho "no such terminal" >&2\nexit 1\n' >bin/gnuplot
chmod +x bin/gnuplot
expect 3 'gnuplot failed: no such terminal' env PATH="$dir/bin:$PATH" "$PARBLO" plot out/tiny.h5 \
  -o no.png
absent no.png no.svg no.pdf

# --------------------------------------------------------------------- check

sed '/corrupt/d; s/hyper_cleaning/ridge_logistic/' tiny.yml >ridge.yml
for per in feature class all; do
  expect 0 '^28 passed, 0 failed, 0 skipped' "$PARBLO" check ridge.yml --set problem.per=$per
done
expect 0 '^28 passed, 0 failed, 0 skipped' "$PARBLO" check tiny.yml
sed 1d said >alone
for layout in sharded rooted; do
  expect 0 '^28 passed' $MPIRUN -n 3 "$PARBLO" check tiny.yml --set problem.x=$layout
  sed 1d said | cmp -s - alone || complain "3 ranks, $layout x: other numbers than 1 rank"
done
expect 0 '; batches of 25$' $MPIRUN -n 2 "$PARBLO" check tiny.yml --samples 25
has '^28 passed'
expect 0 'SKIP +hypergradient .*n_y = 18 is more than --dense-max 17' "$PARBLO" check tiny.yml \
  --dense-max 17
has '^26 passed, 0 failed, 2 skipped'
for n in 1 2 3; do
  expect 0 '^36 passed, 0 failed, 0 skipped' $MPIRUN -n $n "$PARBLO" check tiny.yml --dense
  has 'PASS +dense_hv ' && has 'PASS +dense_jv ' && has 'PASS +dense_symmetry ' && has 'PASS +dense_direct '
done
expect 0 'SKIP +dense_hv .*--dense-max 17' "$PARBLO" check tiny.yml --dense --dense-max 17
expect 2 'check needs one run file, 0 were given' "$PARBLO" check
expect 3 'none.yml' "$PARBLO" check none.yml
expect 2 "did you mean '--samples'" "$PARBLO" check tiny.yml --smaples 3
expect 2 "must be a whole number from 1" "$PARBLO" check tiny.yml --samples 0
expect 2 "did you mean 'hyper_cleaning'" "$PARBLO" check tiny.yml --set problem.type=hyper_claening

# output that cannot be written: a full disk is seen when the buffer is written, at the end
if [ -w /dev/full ]; then
  sent() { code=$1; shift; expect "$code" 'error: cannot write to the standard output' sh -c "$*"; }
  sent 3 "'$PARBLO' list >/dev/full"
  sent 3 "'$PARBLO' help certify >/dev/full"
  sent 3 "'$PARBLO' --version >/dev/full"
  sent 3 "'$PARBLO' info out/tiny.h5 >/dev/full"
  sent 3 "'$PARBLO' history out/tiny.h5 >/dev/full"
  sent 3 "'$PARBLO' certify out/tiny.h5 --set certify.steps=1 --set certify.tol_lower=1e-6 >/dev/full"
fi

[ "$failures" -eq 0 ] || echo "$failures failures"
exit $((failures > 0))
