#!/bin/bash
#SBATCH --job-name=parblo
#SBATCH --nodes=2
#SBATCH --ntasks-per-node=16
#SBATCH --time=04:00:00
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --signal=B:USR1@300
# A ParBLO run that outlives its time limit: sbatch slurm.sh RUNFILE OUTPUT-FOLDER
#
# 300 s before the limit Slurm signals this shell (B:), the shell signals mpirun, and mpirun every
# rank. The run writes a checkpoint and ends with exit code 0, and the job goes back to the queue.
# Slurm's own end of the job, SIGTERM and 2 s later SIGKILL to the ranks, is too short for that.
# A job that Slurm itself requeues, because a node failed, continues from the newest checkpoint.
# Environment: PARBLO, the program; MPIRUN, the launcher with its arguments.
set -u
run_file=${1:?usage: sbatch slurm.sh RUNFILE OUTPUT-FOLDER}
output=${2:?usage: sbatch slurm.sh RUNFILE OUTPUT-FOLDER}
parblo=${PARBLO:-parblo}
mpirun=${MPIRUN:-mpirun}
export OPENBLAS_NUM_THREADS=1

if [ "${SLURM_RESTART_COUNT:-0}" -gt 0 ]; then
  command=("$parblo" resume "$output")
else
  command=("$parblo" run "$run_file" --set "run.output=$output")
fi
echo "$(date +%FT%T) start ${SLURM_RESTART_COUNT:-0}: ${command[*]}"

stopping=0
$mpirun -n "$SLURM_NTASKS" "${command[@]}" &
launcher=$!
trap 'stopping=1; kill -USR1 $launcher' USR1

# wait returns early when a signal comes
wait $launcher
code=$?
while kill -0 $launcher 2>/dev/null; do
  wait $launcher
  code=$?
done

echo "$(date +%FT%T) exit code $code"
if [ $stopping -eq 1 ] && [ $code -eq 0 ]; then
  scontrol requeue "$SLURM_JOB_ID"
fi
exit $code
