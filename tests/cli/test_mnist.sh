#!/bin/bash
# The real thing: MNIST, 20000 training samples with half of their labels wrong; aid, stocbio and soba
# each reach 90 % test accuracy on 2 ranks.
# PARBLO_DATA is a folder with mnist/{train,t10k}-{images-idx3,labels-idx1}-ubyte.gz; without it the
# test is skipped. Environment: see ../support/cli.sh.
. "$SRC/tests/support/cli.sh"

data=${PARBLO_DATA-}/mnist
if [ -z "${PARBLO_DATA-}" ] || [ ! -r "$data/train-images-idx3-ubyte.gz" ]; then
  echo "skipped: MNIST is not there; set PARBLO_DATA to the folder that holds mnist/"
  exit 77
fi

files=(
  --set "problem.data.train.path=$data/train-images-idx3-ubyte.gz"
  --set "problem.data.train.labels=$data/train-labels-idx1-ubyte.gz"
  --set "problem.data.test.path=$data/t10k-images-idx3-ubyte.gz"
  --set "problem.data.test.labels=$data/t10k-labels-idx1-ubyte.gz"
)

# The last value of a metric in what a run printed.
metric() # <name>
{
  sed -nE "s/.*[[, ]$1 = ([0-9.]+).*/\1/p" said | tail -n 1
}

reaches() # <method> <--set ...>
{
  local method=$1
  shift
  $MPIRUN -n 2 "$PARBLO" run "$SRC/examples/mnist_$method.yml" --set run.replace=true "$@" >said 2>&1 \
    && awk -v a="$(metric test_accuracy)" 'BEGIN { exit !(a >= 0.9) }'
}

for method in aid stocbio soba; do
  shows "$method reaches 90 % test accuracy"
  if reaches "$method" "${files[@]}"; then
    passed "$method: $(metric test_accuracy)"
  else
    failed "$method: $(metric test_accuracy)" said
  fi
done
finish
