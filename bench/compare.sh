#!/bin/bash
# One hypergradient with 10 CG products on 20000 x 784 x 10: ParBLO on 1 and 2 ranks and, if a
# PyTorch reference is given, PyTorch on one thread in double precision, in turns on this machine.
#
#   BENCH=build/release/bin/bench_hypergradient PEER=.../hyperclean.py MNIST=.../mnist bench/compare.sh
#
# PEER is a script with the options --solver aid-cg --terms K --inner T --dtype float64 that prints a
# line of JSON with "iter_s": {"median": seconds}; MNIST the folder with the IDX files. Needs
# python3-torch. ROUNDS (default 3) rounds; the medians of the rounds are compared.
set -eu

BENCH=${BENCH:-build/release/bin/bench_hypergradient}
ROUNDS=${ROUNDS:-3}
export OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1

median()
{
  sort -g | awk '{ v[NR] = $1 } END { if (NR) print v[int((NR + 1) / 2)] }'
}

# Milliseconds for a storage kind on so many ranks.
parblo() # <ranks> <f64|u8>
{
  mpirun -n "$1" "$BENCH" | sed -nE "s/^$2 .*: ([0-9.]+) ms$/\1/p"
}

pytorch()
{
  /usr/bin/python3 "$PEER" --data "$MNIST" --solver aid-cg --inner 0 --terms 10 --outer 5 \
    --eval-every 1000 --threads 1 --dtype float64 --hvp-reps 1 \
    | sed -nE 's/.*"iter_s": \{[^}]*"median": ([0-9.e-]+).*/\1/p' | awk '{ print 1000 * $1 }'
}

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
for _ in $(seq "$ROUNDS"); do
  for kind in f64 u8; do
    parblo 1 $kind >>"$folder/1_$kind"
    parblo 2 $kind >>"$folder/2_$kind"
  done
  if [ -n "${PEER:-}" ]; then
    pytorch >>"$folder/torch"
  fi
done

one=$(median <"$folder/1_f64") two=$(median <"$folder/2_f64")
one8=$(median <"$folder/1_u8") two8=$(median <"$folder/2_u8")
echo "f64 features: 1 rank $one ms, 2 ranks $two ms: $(echo "$two $one" | awk '{ printf "%.2f", $1 / $2 }') of one"
echo "u8 features:  1 rank $one8 ms, 2 ranks $two8 ms: $(echo "$two8 $one8" | awk '{ printf "%.2f", $1 / $2 }') of one"
if [ -n "${PEER:-}" ]; then
  torch=$(median <"$folder/torch")
  echo "PyTorch, one thread, float64: $torch ms"
  echo "$torch $one $one8" | awk '{ printf "ParBLO, one rank, takes %.3f (f64) and %.3f (u8) of it\n", $2 / $1, $3 / $1 }'
fi
