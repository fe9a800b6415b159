#!/bin/bash
# `parblo convert --text` and what `parblo info` says of it, bad input included; then the real
# files: PARBLO_DATA is a folder with sentences/stsa.binary.{train,test}.gz and
# sentiment140/sentiment140.10k.tsv.gz. Environment: see ../support/cli.sh.
. "$SRC/tests/support/cli.sh"

# expect CODE PATTERN RANKS ARGUMENT...: the exit code, and a line that matches
expect() {
  local code=$1 pattern=$2 got
  shift 2
  parblo_on "$@" >said 2>&1
  got=$?
  if [ "$got" -ne "$code" ]; then
    failed "exit code $got, not $code: $*" said
  elif ! grep -qE -- "$pattern" said; then
    failed "no line matches '$pattern': $*" said
  else
    passed "$*"
  fi
}
# has PATTERN: the last command also said this
has() { check "says '$1'" grep -E -- "$1" said; }
# refused CODE PATTERN ARGUMENT...: on 1 and 3 ranks one line of error, and nothing is left behind
refused() {
  local code=$1 pattern=$2 ranks got before
  shift 2
  before=$(ls)
  for ranks in 1 3; do
    parblo_on $ranks "$@" >verdict/out 2>verdict/err
    got=$?
    sed -i '/^\[warn\] Epoll/d' verdict/err # libevent's, under a launcher that ends its ranks
    if [ "$got" -ne "$code" ]; then
      failed "exit code $got, not $code: $*" verdict/err
    elif [ "$(wc -l <verdict/err)" -ne 1 ] || [ -s verdict/out ]; then
      failed "not one line of error: $*" verdict/err
    elif ! grep -qE -- "^parblo: error: .*($pattern)" verdict/err; then
      failed "the error does not match '$pattern': $*" verdict/err
    elif [ "$(ls)" != "$before" ]; then
      failed "files are left behind: $*"
    else
      passed "$ranks: $(cat verdict/err)"
    fi
  done
}

# ----------------------------------------------------------------- conversion

shows "words, rows and labels"
# the 4 times, a 3, film and . 2; good, bad, dull once
printf '%s\n' '1 The film the a .' '0 a bad film .' '1 The good a' '0 the dull' >train.txt
printf '%s\n' '0 a dull film' '1 ' '1 unseen the' >test.txt
gzip -c train.txt >train.gz
expect 0 '^train +4 rows, 2 classes, vocabulary 6, longest 5 of 5 tokens, mean 3.5, unknown 21.43 %' \
  1 convert --text --train train.txt --test test.txt -o both.h5
has '^test +3 rows, 2 classes, vocabulary 6, longest 3 of 5 tokens, mean 2, unknown 50 %'
has '^vocabulary of 6 tokens, each 2 times or more, rows of 5: the a \. film$'
has '^both.h5: .* MB$'
expect 0 '^both.h5: data; all checksums verified' 1 info both.h5
has '^vocabulary of 6 tokens, each 2 times or more, rows of 5: the a \. film$'
has '^train +4 rows, 2 classes, vocabulary 6, longest 5 of 5 tokens, mean 3.5,'
has '^test +3 rows, 2 classes, vocabulary 6,'
if command -v h5dump >/dev/null; then
  h5dump -d /vocabulary both.h5 >said
  has '\(0\): "<padding>", "<unknown>", "the", "a", "\.", "film"'
  has '"words-1"'
  h5dump -d /train/features both.h5 >said
  has '\(0,0\): 2, 5, 2, 3, 4,' && has '\(3,0\): 2, 1, 0, 0, 0'
else
  echo "no h5dump: the datasets are not looked at"
fi

shows "options"
expect 0 'vocabulary 9,.* unknown 0 %' 1 convert --text --train train.gz --min-count 1 -o min.h5
expect 0 'vocabulary 4,' 1 convert --text --train train.gz --vocabulary 2 -o two.h5
expect 0 'longest 2 of 2 tokens, mean 2,' 1 convert --text --train train.gz --max-length 2 -o cut.h5
expect 0 'longest 5 of 9 tokens' 1 convert --text --train train.gz --max-length 9 -o wide.h5
expect 0 '3 classes' 1 convert --text --train train.gz --classes 3 -o three.h5
sed -E 's/^(.) /x\t\1\t/' train.txt >columns.tsv
expect 0 '^train +4 rows, 2 classes, vocabulary 6,' \
  2 convert --text --train columns.tsv --label-column 1 -o columns.h5
sed -E 's/^(.) (.*)/\2\t\1\tx/' train.txt >order.tsv
expect 0 '^train +4 rows, 2 classes, vocabulary 6,' \
  1 convert --text --train order.tsv --label-column 1 --text-column 0 -o order.h5
expect 0 '^test +3 rows, 2 classes, vocabulary 6, longest 3 of 5 tokens, mean 2, unknown 50 %' \
  2 convert --text --vocabulary-from both.h5 --test test.txt -o later.h5
expect 0 '^test +3 rows, 2 classes, vocabulary 6, longest 2 of 2 tokens' \
  1 convert --text --vocabulary-from both.h5 --max-length 2 --test test.txt -o short.h5
expect 0 '^samples 3 rows, 2 classes, vocabulary 6,' 1 info later.h5
# what is in files is the same whatever made them; files themselves have the time in them
if command -v h5diff >/dev/null; then
  parblo_on 3 convert --text --train train.gz --test test.txt -o again.h5 >said 2>&1
  check "the same contents from gzip, on 3 ranks" h5diff -v both.h5 again.h5
fi

# ------------------------------------------------------------------ bad input

shows "bad input"
printf '1 a\n1\n' >notext.txt
printf 'good film\n' >words.txt
printf '1\ta\n0 b\n' >notab.txt
printf '1 a\000b\n' >binary.txt
printf '1.5 a a\n' >half.txt
printf '2 a a\n' >class2.txt
head -c 40 train.gz >cut.gz
: >empty.txt
sed 's/ .*/,0/' train.txt >plain.csv
parblo_on 1 convert --train plain.csv -o plain.h5 >said 2>&1
refused 3 'cannot open none.txt: No such file' convert --text --train none.txt -o no.h5
refused 3 'none.h5' convert --text --vocabulary-from none.h5 --test test.txt -o no.h5
refused 4 'notext.txt, line 2: no text' convert --text --train notext.txt -o no.h5
refused 4 'words.txt, line 1: the label "good" is not an integer' \
  convert --text --train words.txt -o no.h5
refused 4 'notab.txt, line 2: 1 columns between tabs, but .* 2' \
  convert --text --train notab.txt -o no.h5
refused 4 'binary.txt, line 1: a byte 0' convert --text --train binary.txt -o no.h5
refused 5 'half.txt, line 1: label 1.5 is not an integer' convert --text --train half.txt -o no.h5
refused 5 'empty.txt has no samples' convert --text --train empty.txt -o no.h5
refused 4 'cut.gz is truncated' convert --text --train cut.gz -o no.h5
refused 4 'both.h5, line 1' convert --text --train both.h5 -o no.h5
refused 5 'class2.txt, line 1: label 2 is not allowed: 0, 1' \
  convert --text --train train.txt --test class2.txt -o no.h5
refused 5 'test.txt: no word occurs 2 times' convert --text --train test.txt -o no.h5
refused 5 'plain.h5 has no vocabulary' \
  convert --text --vocabulary-from plain.h5 --test test.txt -o no.h5
refused 4 'train.txt' convert --text --vocabulary-from train.txt --test test.txt -o no.h5
refused 2 "vocabulary = '0' must be a whole number from 1" \
  convert --text --train train.txt --vocabulary 0 -o no.h5
refused 2 "min-count = 'x' must be" convert --text --train train.txt --min-count x -o no.h5
refused 2 'need --text' convert --train train.txt --max-length 5 -o no.h5
refused 2 'take.* one that is there' \
  convert --text --vocabulary-from both.h5 --vocabulary 5 --test test.txt -o no.h5
refused 2 'does not go with --format' convert --text --train train.txt --format csv -o no.h5
refused 2 'needs --train FILE' convert --text --test test.txt -o no.h5
refused 2 'needs --train FILE or --test FILE' convert --text --vocabulary-from both.h5 -o no.h5
refused 2 '3 columns, so that the text column must be in -3..2, not 3' \
  convert --text --train columns.tsv --label-column 1 --text-column 3 -o no.h5
refused 3 'no/such' convert --text --train train.txt -o no/such.h5

# ------------------------------------------------------------------ real files

shows "real files"
data=${PARBLO_DATA-}
if [ -n "$data" ] && [ -r "$data/sentences/stsa.binary.train.gz" ] &&
  [ -r "$data/sentiment140/sentiment140.10k.tsv.gz" ]; then
  expect 0 '^train +6920 rows, 2 classes, ' 1 convert --text \
    --train "$data/sentences/stsa.binary.train.gz" --test "$data/sentences/stsa.binary.test.gz" \
    -o sst.h5
  has '^test +1821 rows, 2 classes, '
  # an independent count: the file is cut at blanks already, so that most words are words of both
  count=$(zcat "$data/sentences/stsa.binary.train.gz" | cut -d' ' -f2- | tr ' ' '\n' |
    LC_ALL=C grep -xE "[a-z0-9'_]+|[.,]" | sort | uniq -c | sort -k1,1nr | awk '{ print $2 }' |
    head -n 3 | tr '\n' ' ')
  check "the most frequent words are $count" test "$count" = ". the , "
  has '^vocabulary of [0-9]+ tokens, each 2 times or more, rows of [0-9]+: \. the , a '
  expect 0 'all checksums verified' 1 info sst.h5
  expect 0 '^train +10001 rows, 2 classes, ' 1 convert --text --max-length 40 \
    --train "$data/sentiment140/sentiment140.10k.tsv.gz" -o tweets.h5
  has 'longest 40 of 40 tokens'
  has '<user>'
else
  echo "skipped: the real files are not there; set PARBLO_DATA to the folder that holds sentences/" \
    "and sentiment140/"
fi
finish
