#!/bin/bash
# Gradient and products of the MLP 784-128-10 (128-10 in the lower level) on 1000 MNIST images: ParBLO and a
# PyTorch reference, one thread each, double precision, in turns on this machine.
#
#   BENCH=build/release/bin/bench_model PEER=.../hyperrep.py MNIST=.../mnist bench/compare_model.sh
#
# PEER is a script with the options --solver stocbio --batch N --dtype float64 --hvp-reps R that prints a
# line of JSON with "hvp_s", "cross_s" and "grad_s": {"median": seconds}; MNIST the folder with the IDX
# files. Needs python3-torch. ROUNDS (default 3) rounds; the medians of the rounds are compared.
set -eu

BENCH=${BENCH:-build/release/bin/bench_model}
ROUNDS=${ROUNDS:-3}
export OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1

median()
{
  sort -g | awk '{ v[NR] = $1 } END { if (NR) print v[int((NR + 1) / 2)] }'
}

pytorch() # "hvp cross grad" in milliseconds
{
  /usr/bin/python3 "$PEER" --data "$MNIST" --solver stocbio --batch 1000 --outer 2 --threads 1 \
    --dtype float64 --hvp-reps 21 --eval-every 1000 >"$folder/json"
  for key in hvp_s cross_s grad_s; do
    sed -nE "s/.*\"$key\": \{[^}]*\"median\": ([0-9.e-]+).*/\1/p" "$folder/json" \
      | awk '{ print 1000 * $1 }' >>"$folder/torch_$key"
  done
}

parblo()
{
  mpirun -n 1 "$BENCH" 21 "$MNIST/train-images-idx3-ubyte.gz" "$MNIST/train-labels-idx1-ubyte.gz" \
    >"$folder/text"
  sed -nE 's/^mlp_xy +gradient in y +([0-9.]+) ms.*/\1/p' "$folder/text" >>"$folder/gradient"
  sed -nE 's/^mlp_xy +H v and J v +([0-9.]+) ms.*/\1/p' "$folder/text" >>"$folder/product"
}

ratio() # <what> <ParBLO> <PyTorch>
{
  echo "$2 $3" | awk -v what="$1" \
    '{ printf "%-40s ParBLO %.2f ms, PyTorch %.2f ms: %.2f times faster\n", what, $1, $2, $2 / $1 }'
}

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
for _ in $(seq "$ROUNDS"); do
  parblo
  pytorch
done
hvp=$(median <"$folder/torch_hvp_s") cross=$(median <"$folder/torch_cross_s")
ratio "lower gradient" "$(median <"$folder/gradient")" "$(median <"$folder/torch_grad_s")"
ratio "H v and J v" "$(median <"$folder/product")" "$(echo "$hvp $cross" | awk '{ print $1 + $2 }')"
