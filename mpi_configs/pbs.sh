#!/bin/bash
#PBS -N parblo
#PBS -l select=2:ncpus=16:mpiprocs=16
#PBS -l walltime=04:00:00
#PBS -j oe
# A ParBLO run that outlives its time limit, for PBS Professional and OpenPBS:
#   qsub -v RUN_FILE=run.yml,OUTPUT=folder pbs.sh
#
# PBS cannot signal a job early, so `timeout` does: after SECONDS_TO_RUN, well below the walltime,
# it sends USR1 to mpirun, which passes it to every rank. The run writes a checkpoint and ends, and
# the job submits its continuation.
# Environment: PARBLO, the program; MPIRUN, the launcher with its arguments; JOB_SCRIPT, this file.
set -u
cd "${PBS_O_WORKDIR:?run by qsub}" || exit 1
: "${RUN_FILE:?qsub -v RUN_FILE=...,OUTPUT=...}" "${OUTPUT:?qsub -v RUN_FILE=...,OUTPUT=...}"
parblo=${PARBLO:-parblo}
mpirun=${MPIRUN:-mpirun}
job_script=${JOB_SCRIPT:-pbs.sh}
seconds=${SECONDS_TO_RUN:-14100}
export OPENBLAS_NUM_THREADS=1

if [ -n "${RESUME:-}" ]; then
  command=("$parblo" resume "$OUTPUT")
else
  command=("$parblo" run "$RUN_FILE" --set "run.output=$OUTPUT")
fi
echo "$(date +%FT%T) ${command[*]}"

SECONDS=0
# shellcheck disable=SC2086 # the launcher has arguments
timeout --foreground --preserve-status --signal=USR1 "$seconds" $mpirun "${command[@]}"
code=$?
echo "$(date +%FT%T) exit code $code after $SECONDS s"
if [ $code -ne 0 ] || [ $SECONDS -lt "$seconds" ]; then
  exit $code
fi
qsub -v "RUN_FILE=$RUN_FILE,OUTPUT=$OUTPUT,RESUME=1,PARBLO=$parblo,SECONDS_TO_RUN=$seconds" "$job_script"
