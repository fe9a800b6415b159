#!/bin/bash
# Every file in the folders of tests, apart from headers, is run by CTest, and tests use the agreed
# assertions only. Environment: BUILD, the build folder.
set -u
cd "$SRC/tests" || exit 1
status=0
registered=$(ctest --test-dir "$BUILD" -N) || exit 1

for file in unit/* parallel/* conformance/*; do
  if [ ! -e "$file" ] || [ "$file" != "${file%.h}" ]; then
    continue
  fi
  noun=$(basename "$file" .c)
  if [ "$noun" = "${noun#test_}" ] || [ "$file" = "${file%.c}" ]; then
    echo "tests/$file is not run: programs are named test_*.c"
    status=1
  elif ! echo "$registered" | grep -qF " ${file%%/*}.${noun#test_}.np"; then
    echo "tests/$file is not registered; configure again"
    status=1
  fi
done

for file in rules/*.sh cli/*.sh; do
  [ -e "$file" ] || continue
  [ "${file%%/*}" = cli ] && [ -z "$(ls ../apps/parblo/*.c 2>/dev/null)" ] && continue
  if ! echo "$registered" | grep -qE " ${file%%/*}\.$(basename "$file" .sh)\$"; then
    echo "tests/$file is not registered; configure again"
    status=1
  fi
done

if grep -nE '\bCU_[A-Z]+' unit/*.c parallel/*.c conformance/*.c 2>/dev/null; then
  echo "these use CUnit's own assertions, on which ranks do not agree; see support/harness.h"
  status=1
fi
exit $status
