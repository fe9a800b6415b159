#!/bin/sh
# docs/reference.md is what the program prints. Environment: PARBLO, the program; SRC, the sources.
set -u
page=$SRC/docs/reference.md
printed=$("$PARBLO" help --markdown) || exit 1
if ! printf '%s\n' "$printed" | diff "$page" -; then
  echo "docs/reference.md is not what the program prints; make it again:"
  echo "  parblo help --markdown > docs/reference.md"
  exit 1
fi
