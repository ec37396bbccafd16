#!/bin/bash
# Trains on two machines: sbatch apps/cluster/slurm.sh, with more options of apps.train if need be,
# in the project's folder after `make setup`, on a file system that both machines share. Submitted
# again, it goes on with the unfinished run of that name.

#SBATCH --job-name=keras-gans
#SBATCH --output=slurm-%j.log
#SBATCH --time=12:00:00
#SBATCH --nodes=2
# One task takes all GPUs of its machine; where there are none, leave out their line.
#SBATCH --ntasks-per-node=1
#SBATCH --gpus-per-node=1
#SBATCH --cpus-per-task=8
#SBATCH --mem=16G
# Another job like this one would want the same port, 8888.
#SBATCH --exclusive
# When a machine fails, the job starts again elsewhere, goes on and keeps its log.
#SBATCH --requeue
#SBATCH --open-mode=append

set -euo pipefail

train() {
    # srun does not inherit the number of CPUs, and would give each task one core.
    srun --kill-on-bad-exit=1 --cpus-per-task="$SLURM_CPUS_PER_TASK" \
        .venv/bin/python -m apps.train dcgan --strategy multi-worker --precision auto \
        --dataset mnist --data-dir data --name dcgan "$@"
}

# A worker that dies ends the others; all of them then go on from the last checkpoint.
for _ in 1 2 3 4 5; do
    status=0
    train "$@" || status=$?
    # Done, or refused for a mistake: nothing that another try would change.
    case $status in 0 | 2) exit "$status" ;; esac
done
exit "$status"
