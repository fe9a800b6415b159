#!/bin/bash
# The sources are formatted as clang-format 14 does it; other versions give other results.
set -u
cd "$SRC" || exit 1
for program in clang-format-14 clang-format; do
  if "$program" --version 2>/dev/null | grep -q 'version 14\.'; then
    found=$(find . -name 'build*' -prune -o -name '*.[ch]' -print0 \
      | xargs -0 "$program" --dry-run --Werror 2>&1 | grep -E '^[^ ]+:[0-9]+:[0-9]+: ')
    [ -z "$found" ] && exit 0
    echo "clang-format -i changes:"
    echo "$found" | cut -d: -f1,2 | uniq | cut -d: -f1 | uniq -c
    exit 1
  fi
done
echo "skipped: clang-format 14 is not installed"
exit 77
