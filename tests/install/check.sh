#!/bin/bash
# Install into an empty prefix whose name has a space, move it, and build and run a user's program
# against it with CMake and with pkg-config. Environment: SRC, BUILD, CC, MPICC, GENERATOR, MPIRUN.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
prefix="$work/other place"

expect_sum() # <program>
{
  local said
  said=$($MPIRUN -n 2 "$1" | sort -u)
  [ "$said" = "sum 2 of 2" ] || { echo "$1 says: $said"; exit 1; }
}

quietly() # <command>...
{
  "$@" >"$work/log" 2>&1 || { cat "$work/log"; exit 1; }
}

quietly env -u DESTDIR cmake --install "$BUILD" --prefix "$work/first place"
mv "$work/first place" "$prefix"

quietly cmake -S "$SRC/tests/install" -B "$work/build" -G "$GENERATOR" -DCMAKE_C_COMPILER="$CC" \
  -DCMAKE_PREFIX_PATH="$prefix"
quietly cmake --build "$work/build"
expect_sum "$work/build/user"

config=$(find "$prefix" -name parblo.pc)
PKG_CONFIG_PATH=$(dirname "$config")
export PKG_CONFIG_PATH
library=${config%/pkgconfig/*}
eval "$MPICC" '"$SRC/tests/install/main.c"' -o '"$work/user"' "$(pkg-config --cflags --libs parblo)"
export LD_LIBRARY_PATH="$library${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
expect_sum "$work/user"

if [ -e "$BUILD/bin/parblo" ]; then
  unset LD_LIBRARY_PATH # the program finds its library by itself
  "$prefix/bin/parblo" list >/dev/null
fi
