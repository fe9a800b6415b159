#!/bin/bash
# The harness notices each kind of failure when it happens on one rank only, all ranks leave
# together, and only rank 0 speaks. Environment: FAILING and SKIPPED, the programs; MPIRUN.
set -u
output=$(mktemp)
trap 'rm -f "$output"' EXIT

die()
{
  echo "$1"
  cat "$output"
  exit 1
}

says()
{
  grep -qF -- "$1" "$output" || die "missing in the output: $1"
}

run() # <number of ranks> <program>
{
  $MPIRUN -n "$1" "$2" >"$output" 2>&1
}

run 3 "$FAILING"
[ $? -eq 1 ] || die "the exit code of failing tests is not 1"
says "!is_last(comm)  [rank 2 of 3]"
says "goes on after the first  [rank 0 of 3]"
says "is -0, but 0 on rank 0  [rank 2 of 3]"
says "value differs from rank 0 at byte 4 of 8  [rank 2 of 3]"
says "has 4 bytes, but 8 on rank 0  [rank 2 of 3]"
says "not 1 (a table): off by 0.001, allowed 0.0001  [rank 2 of 3]"
says "(another table): off by nan"
says "not \"success\"; last error:   [rank 2 of 3]"
says "test \"leak\" leaves 3 live allocations  [rank 2 of 3]"
says "operation 1 of rank 0 failing leaves 1 live allocations  [rank 1 of 3]"
says "operation 1 of rank 0 failing: \"success\", not \"injected fault\""
says "failing on 3 ranks: 9 tests, 9 failed, 0 skipped"
grep -q "does not go on" "$output" && die "a requirement does not end its test"
[ "$(grep -c '9 failed' "$output")" -eq 1 ] || die "more than one rank reports"

run 2 "$SKIPPED"
[ $? -eq 77 ] || die "the exit code of skipped tests is not 77"
says "skipped: needs more than 2 ranks"
