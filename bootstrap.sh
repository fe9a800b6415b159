#!/bin/bash
# From a bare Debian or Ubuntu to a built, tested, demonstrated ParBLO; see ./bootstrap.sh help.
set -eu

root=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

packages=(
  build-essential cmake pkg-config
  openmpi-bin libopenmpi-dev libhdf5-openmpi-dev libscalapack-openmpi-dev libopenblas-dev
  libyaml-dev librandom123-dev zlib1g-dev libcunit1-dev gnuplot-nox
)

usage()
{
  cat <<'TEXT'
usage: ./bootstrap.sh COMMAND
  test   build, run all tests, say how many passed
  demo   build, run the demonstration (examples/demo.sh)
  build  install missing Debian packages, configure, build
  help   this text
Environment: PARBLO_BUILD, the build folder (else build/release in the source folder);
PARBLO_JOBS, the number of parallel jobs (one per core).
TEXT
}

say()
{
  printf 'ParBLO: %s\n' "$*"
}

die() # <what failed> <message>...
{
  local what=$1
  shift
  printf 'ParBLO %s: FAILED: %s\n' "$what" "$*"
  exit 1
}

# Run a command quietly: what it prints goes to the log, whose end is shown if it fails.
quietly() # <what failed> <command>...
{
  local what=$1
  shift
  printf '\n$ %s\n' "$*" >>"$log"
  if ! "$@" >>"$log" 2>&1 </dev/null; then
    tail -n 40 "$log"
    die "$what" "'$*'; the whole output is in $log"
  fi
}

# ---------------------------------------------------------------- packages

missing_packages()
{
  local package
  for package in "${packages[@]}"; do
    # shellcheck disable=SC2016 # the variable is dpkg-query's
    if ! dpkg-query -W -f '${db:Status-Abbrev}' "$package" 2>/dev/null | grep -q '^.i'; then
      printf '%s ' "$package"
    fi
  done
}

# Without a package manager that we know, the tools themselves are looked for.
check_tools()
{
  local tool absent=
  for tool in cmake pkg-config mpicc mpirun; do
    command -v "$tool" >/dev/null || absent="$absent $tool"
  done
  [ -z "$absent" ] || die packages "this is not Debian or Ubuntu, and there is no$absent." \
    "Install what these Debian packages have: ${packages[*]}"
}

install_packages()
{
  command -v dpkg-query >/dev/null || { check_tools; return; }
  local missing as_root=()
  missing=$(missing_packages)
  [ -n "$missing" ] || return 0
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || die packages "not root, and no sudo. As root: apt-get install $missing"
    as_root=(sudo)
  fi
  say "installing $missing"
  read -ra missing <<<"$missing"
  quietly packages "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q update
  quietly packages "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get -qy install --no-install-recommends "${missing[@]}"
}

# ------------------------------------------------------------------- build

# The build folder lies in the source folder, unless that belongs to somebody else.
choose_folder()
{
  build=${PARBLO_BUILD:-$root/build/release}
  if ! can_write "$build" && [ -z "${PARBLO_BUILD:-}" ]; then
    build=$TMPDIR/parblo-build-$(id -u)
  fi
  can_write "$build" || die build "cannot write to $build"
  log=$build/bootstrap.log
  : >"$log"
}

can_write() # <folder>
{
  local cache=$1/CMakeCache.txt
  mkdir -p "$1" 2>/dev/null && [ -w "$1" ] && { [ ! -e "$cache" ] || [ -w "$cache" ]; }
}

# The flags are those of the preset "release". A folder that was configured for a source folder of
# another name is configured afresh.
build_all()
{
  choose_folder
  install_packages
  say "building in $build with $jobs jobs"
  local fresh=()
  if [ -e "$build/CMakeCache.txt" ] \
    && ! grep -qxF "CMAKE_HOME_DIRECTORY:INTERNAL=$root" "$build/CMakeCache.txt"; then
    fresh=(--fresh)
  fi
  quietly build cmake ${fresh[@]+"${fresh[@]}"} -S "$root" -B "$build" \
    -DCMAKE_BUILD_TYPE=Release "-DCMAKE_C_FLAGS_RELEASE=-O3 -DNDEBUG"
  quietly build cmake --build "$build" --parallel "$jobs"
}

# Open MPI as root in a container, with more ranks than cores, without copies between address
# spaces that containers forbid.
set_environment()
{
  jobs=${PARBLO_JOBS:-$(nproc)}
  export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
  export OMPI_MCA_rmaps_base_oversubscribe=1 OMPI_MCA_hwloc_base_binding_policy=none
  export OMPI_MCA_btl_vader_single_copy_mechanism=none OMPI_MCA_mpi_yield_when_idle=1
  export OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1
  export LC_ALL=C.UTF-8
  [ -w "${TMPDIR:-}" ] || TMPDIR=/tmp
  export TMPDIR
}

# ---------------------------------------------------------------- commands

# A number from the summary that ctest writes for machines.
count_of() # <attribute>
{
  sed -nE "s/.*[[:space:]]$1=\"([0-9]+)\".*/\1/p" "$build/tests.xml" | head -n 1
}

run_tests()
{
  local start=$SECONDS output=$build/tests.log status=0
  say "testing"
  rm -f "$build/tests.xml"
  ctest --test-dir "$build" --parallel "$jobs" --output-on-failure --no-label-summary \
    --no-tests=error --output-junit "$build/tests.xml" >"$output" 2>&1 </dev/null || status=$?
  if [ ! -s "$build/tests.xml" ]; then
    tail -n 40 "$output"
    die test "the tests did not run to the end; the whole output is in $output"
  fi
  # why tests were skipped, in the words of the tests
  sed -nE 's/.*(skipped: [^<]*).*/\1/p' "$build/tests.xml" | sort | uniq -c
  local total skipped failed
  total=$(count_of tests) skipped=$(count_of skipped) failed=$(count_of failures)
  if [ "$status" -ne 0 ]; then
    grep -vE ' Passed +[0-9.]+ sec$|^ +Start +[0-9]+: ' "$output" || true
    die test "$failed of $total tests; the whole output is in $output"
  fi
  printf 'ParBLO test: all %d tests passed (%d skipped) in %d s\n' \
    "$((total - skipped))" "$skipped" "$((SECONDS - start))"
}

run_demo()
{
  local start=$SECONDS
  PARBLO=$build/bin/parblo SRC=$root bash "$root/examples/demo.sh" </dev/null \
    || die demo "examples/demo.sh ended with exit code $?"
  printf 'ParBLO demo: done in %d s\n' "$((SECONDS - start))"
}

main()
{
  set_environment
  case ${1:-help} in
  build)
    build_all
    say "the program is $build/bin/parblo"
    ;;
  test)
    build_all
    run_tests
    ;;
  demo)
    build_all
    run_demo
    ;;
  help | -h | --help)
    usage
    ;;
  *)
    usage
    die bootstrap "there is no command '$1'"
    ;;
  esac
}

main "$@"
