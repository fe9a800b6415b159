#!/bin/bash
# Every symbol that the shared libraries export begins with blo_. Environment: LIBRARIES, separated
# by colons; NM.
set -u
status=0
IFS=: read -ra libraries <<<"$LIBRARIES"
for library in "${libraries[@]}"; do
  symbols=$("$NM" -D --defined-only --format=posix "$library") || exit 1
  [ -n "$symbols" ] || { echo "$library exports nothing"; status=1; }
  # linker-defined names, and what a sanitizer adds, begin with an underscore
  foreign=$(echo "$symbols" | cut -d' ' -f1 | grep -vE '^(blo_|_)')
  [ -z "$foreign" ] || { echo "$library exports:"; echo "$foreign"; status=1; }
done
exit $status
