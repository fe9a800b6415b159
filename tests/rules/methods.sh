#!/bin/bash
# Every method of the list has a page or a section in the docs, a test that names it, a case for the
# conformance suite and a run file.
set -u
cd "$SRC" || exit 1
status=0
lacks() # <method> <what>
{
  echo "method $1 has no $2"
  status=1
}
for method in $(sed -nE 's/^ *BLO_SOLVER\(([a-z0-9_]+)\).*/\1/p' src/solver/solver_list.h); do
  grep -qE "^#+ .*\b$method\b" docs/methods.md docs/methods/*.md || lacks "$method" "heading in docs/methods"
  grep -qE "\"$method\"" tests/unit/*.c || lacks "$method" "test in tests/unit"
  [ -f "tests/support/case_$method.c" ] || lacks "$method" "tests/support/case_$method.c"
  grep -qE "type: $method\b" examples/*.yml || lacks "$method" "run file in examples"
done
exit $status
