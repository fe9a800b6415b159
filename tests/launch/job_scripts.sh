#!/bin/bash
# The job scripts of mpi_configs: a run that is signalled before its limit continues in a second
# job; one that ends by itself, or fails, does not. The batch system is played by this script.
# Environment: SRC, MPIRUN.
set -u
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/bin"
PATH=$work/bin:$PATH
cd "$work" || exit 1

die()
{
  echo "$1"
  cat calls log 2>/dev/null
  exit 1
}

expect_calls() # <line>...
{
  [ "$(cat calls)" = "$(printf '%s\n' "$@")" ] || die "the calls are not: $*"
}

# A program that ends with code 0 at USR1, after 1 s if it resumes, and with 3 if OUTPUT is "bad".
cat >bin/parblo <<'TEXT'
#!/bin/bash
trap 'sleep 0.3; exit 0' USR1
touch "up.$OMPI_COMM_WORLD_RANK"
[ "$OMPI_COMM_WORLD_RANK" != 0 ] || echo "parblo $*" >>calls
[ "$1" = run ] || exec sleep 1
[ "$4" != run.output=bad ] || exit 3
for _ in {1..200}; do sleep 0.1; done
TEXT
for name in scontrol qsub; do
  printf '#!/bin/bash\necho "%s $*" >>calls\n' $name >bin/$name
done
chmod +x bin/*
export MPIRUN

slurm() # <restart count> <output folder>; takes the place of a subshell
{
  exec env SLURM_RESTART_COUNT="$1" SLURM_NTASKS=2 SLURM_JOB_ID=17 PARBLO="$work/bin/parblo" \
    bash "$SRC/mpi_configs/slurm.sh" run.yml "$2" >log 2>&1
}

check_slurm()
{
  rm -f calls
  (slurm 0 results) &
  local job=$!
  until [ -e up.0 ] && [ -e up.1 ]; do sleep 0.1; done
  kill -USR1 $job
  wait $job || die "slurm.sh ends with $? after USR1"
  expect_calls "parblo run run.yml --set run.output=results" "scontrol requeue 17"

  rm -f calls
  (slurm 1 results) || die "slurm.sh ends with $? after a resumed run"
  expect_calls "parblo resume results"

  rm -f calls
  (slurm 0 bad)
  [ $? -eq 3 ] || die "slurm.sh hides that the run failed"
  expect_calls "parblo run run.yml --set run.output=bad"
}

pbs() # NAME=VALUE...
{
  env PBS_O_WORKDIR="$work" PARBLO="$work/bin/parblo" MPIRUN="$MPIRUN -n 2" RUN_FILE=run.yml "$@" \
    bash "$SRC/mpi_configs/pbs.sh" >log 2>&1
}

check_pbs()
{
  rm -f calls
  pbs OUTPUT=results SECONDS_TO_RUN=2 || die "pbs.sh ends with $? after its time"
  expect_calls "parblo run run.yml --set run.output=results" \
    "qsub -v RUN_FILE=run.yml,OUTPUT=results,RESUME=1,PARBLO=$work/bin/parblo,SECONDS_TO_RUN=2 pbs.sh"

  rm -f calls
  pbs OUTPUT=results SECONDS_TO_RUN=60 RESUME=1 || die "pbs.sh ends with $? after a resumed run"
  expect_calls "parblo resume results"

  rm -f calls
  pbs OUTPUT=bad SECONDS_TO_RUN=60
  [ $? -eq 3 ] || die "pbs.sh hides that the run failed"
  expect_calls "parblo run run.yml --set run.output=bad"
}

check_slurm
check_pbs
