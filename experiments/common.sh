# What the experiments share; each sources this file.
#
# Environment:
#   PARBLO       the program                        (default: build/release/bin/parblo, else of PATH)
#   MPIRUN       how to start it on several ranks   (default: empty, one rank)
#   EXPERIMENTS  folder for what is written         (default: ./parblo-experiments)
#   PARBLO_DATA  folder of the data sets            (only where an experiment says so)
set -eu

SRC=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
if [ -z "${PARBLO:-}" ]; then
  PARBLO=$SRC/build/release/bin/parblo
  [ -x "$PARBLO" ] || PARBLO=parblo
fi
MPIRUN=${MPIRUN:-}
EXPERIMENTS=${EXPERIMENTS:-$PWD/parblo-experiments}
mkdir -p "$EXPERIMENTS"
export OPENBLAS_NUM_THREADS=${OPENBLAS_NUM_THREADS:-1}

# Run a file with changes, quietly; RUN_H5 is its run file then. What it prints goes to a log that is
# shown if it fails. A run that diverges is no failure: outcome tells.
run() # <name> <run file> [--set KEY=VALUE]...
{
  local name=$1 file=$2 code=0
  shift 2
  RUN_H5=$EXPERIMENTS/$name.h5
  $MPIRUN "$PARBLO" run "$file" --set "run.name=$name" --set "run.output=$EXPERIMENTS" \
    --set run.replace=true "$@" >"$EXPERIMENTS/$name.log" 2>&1 </dev/null || code=$?
  if [ $code -ne 0 ] && [ $code -ne 20 ] && [ $code -ne 21 ]; then
    cat "$EXPERIMENTS/$name.log" >&2
    return $code
  fi
}

# The last value that was evaluated of a column of the newest run, or of another run file.
last() # <column> [run file]
{
  "$PARBLO" history "${2:-$RUN_H5}" --columns "$1" --last | tail -n 1
}

# How the newest run, or another one, ended.
outcome() # [run file]
{
  "$PARBLO" info "${1:-$RUN_H5}" | sed -n 's/^  outcome  *//p'
}

# Median, least and largest of the numbers in stdin, one a line: "median (least to largest)".
spread() # [printf format of a number]
{
  sort -g | awk -v f="${1:-%.4g}" '
    { a[NR] = $1 }
    END {
      if (NR == 0) { print "-"; exit }
      m = NR % 2 ? a[(NR + 1) / 2] : (a[NR / 2] + a[NR / 2 + 1]) / 2
      printf f " (" f " to " f ")\n", m, a[1], a[NR]
    }'
}

# What `parblo certify` says of the newest run, or of another one; prints the verdict without its numbers.
certified() # <epsilon> [run file]
{
  { "$PARBLO" certify "${2:-$RUN_H5}" --epsilon "$1" 2>/dev/null || true; } | tail -n 1 | cut -d: -f1
}

# Lines of stdin, each with how often it came: "50 strict saddle, 2 not decided".
tally()
{
  sort | uniq -c | sort -rn | sed 's/^ *//' | paste -sd, | sed 's/,/, /g'
}
