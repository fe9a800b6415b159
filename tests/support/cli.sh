# Shared by the tests of the program, to be sourced: a folder to work in, what to say about a check,
# jobs side by side, and ways to damage a file.
# Environment: PARBLO, the program; MPIRUN, e.g. "mpirun --oversubscribe"; SRC, the sources; SAME,
# the program that compares run files bit for bit (cli/h5same.c).
set -u
: "${PARBLO:?the path of parblo}" "${SRC:?the source folder}"
MPIRUN=${MPIRUN:-mpirun}
export LC_ALL=C
command -v timeout >/dev/null || { echo "skipped: there is no timeout(1)"; exit 77; }

work=$(mktemp -d) || exit 1
# Jobs of this shell that are still there, then the folder.
clean_up() {
  local left
  left=$(jobs -p)
  [ -z "$left" ] || kill $left 2>/dev/null
  wait
  rm -rf "$work"
}
trap clean_up EXIT
cd "$work" || exit 1
mkdir verdict

# shows TEXT: what the checks that follow are about
shows() { echo "== $1"; }

# Checks may be made in jobs side by side, so they are counted in files.
passed() { echo "ok: $1"; : >"$(mktemp verdict/pass.XXXXXX)"; }
# failed TEXT [FILE]: with what the program said
failed() {
  : >"$(mktemp verdict/fail.XXXXXX)"
  echo "FAILED: $1"
  [ -z "${2-}" ] || sed 's/^/    /' "$2"
}
# check TEXT COMMAND...: the command succeeds
check() {
  local text=$1
  shift
  if "$@" >check.said 2>&1; then passed "$text"; else failed "$text" check.said; fi
}
finish() {
  local n_failed n_passed
  wait
  n_failed=$(find verdict -name 'fail.*' | wc -l)
  n_passed=$(find verdict -name 'pass.*' | wc -l)
  echo "$n_passed checks passed, $n_failed failed"
  [ "$n_failed" -eq 0 ] && [ "$n_passed" -gt 0 ] || exit 1
}

# side_by_side N COMMAND...: start it as a job when fewer than N are running
side_by_side() {
  local n=$1
  shift
  while [ "$(jobs -rp | wc -l)" -ge "$n" ]; do wait -n; done
  "$@" &
}

# parblo_on RANKS ARGUMENT...: the program, ended if it hangs
parblo_on() {
  local ranks=$1
  shift
  if [ "$ranks" -eq 1 ]; then
    timeout -k 5 60 "$PARBLO" "$@"
  else
    # shellcheck disable=SC2086 # a command and its flags
    timeout -k 5 60 $MPIRUN --quiet -n "$ranks" "$PARBLO" "$@"
  fi
}

# samples ROWS CLASSES: a CSV of four features and the class, which a linear model finds
samples() {
  awk -v n="$1" -v c="$2" 'BEGIN {
    for (i = 0; i < n; i++) {
      for (j = 0; j < 4; j++) printf "%.5f,", (j == i % c ? 2 : 0) + sin(7 * i + 13 * j * j + i * j)
      print i % c
    }
  }'
}

size_of() { wc -c <"$1"; }
# cut_to BYTES FROM TO
cut_to() { head -c "$1" "$2" >"$3"; }
# flip OFFSET FROM TO: a copy in which one bit of a byte is changed
flip() {
  local byte
  byte=$(od -An -tu1 -j"$1" -N1 "$2")
  cp "$2" "$3"
  # shellcheck disable=SC2059 # the byte is the format
  printf "\\$(printf %03o $((byte ^ 4)))" | dd of="$3" bs=1 seek="$1" conv=notrunc 2>/dev/null
}
# offset_of BYTES FILE: where these bytes (a Perl pattern) first stand
offset_of() { grep -obUaP "$1" "$2" | head -n 1 | cut -d: -f1; }
# contents FOLDER: names and checksums of all that is in it, but for the files by which runs that go on
# beside find out whether they may write there
contents() {
  local probe=(-name '.parblo-probe-*')
  [ ! -d "$1" ] || (cd "$1" && find . ! "${probe[@]}" -type f -exec cksum {} + &&
    find . ! "${probe[@]}" | sort)
}
