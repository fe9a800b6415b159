#!/bin/bash
# Files include headers of their own layer and of lower ones only, and MPI is called in the layers
# that may, all as docs/layers.txt says.
set -u
cd "$SRC" || exit 1
mapfile -t sources < <(find src -name '*.[ch]' -o -name '*.inc' | sort)
headers=(include/blo/*.h)
# shellcheck disable=SC2016
awk '
  function complain(text) { print FILENAME ":" FNR ": " text; bad = 1 }

  pass == "" { if ($1 ~ /^[a-z]+$/) { level[$1] = ++n; may_call[$1] = ($2 == "mpi") } next }

  FNR == 1 {
    layer = FILENAME
    if (layer ~ /^include/) { sub(/.*\//, "", layer); sub(/\.h$/, "", layer) }
    else { sub(/^src\//, "", layer); sub(/\/.*/, "", layer) }
    if (pass == "headers") { layer_of[layer] = layer }
  }
  pass == "headers" {
    if (FNR < 10 && match($0, /\(layer [a-z]+\)/)) {
      layer_of[layer] = substr($0, RSTART + 7, RLENGTH - 8)
    }
    next
  }

  FNR == 1 {
    if (FILENAME ~ /^include/) { layer = layer_of[layer] }
    umbrella = (FILENAME == "include/blo/blo.h")
    if (!umbrella && !(layer in level)) { complain("its layer is not in docs/layers.txt") }
  }
  /^[ \t]*#[ \t]*include[ \t]*[<"]blo\// {
    used = $0
    sub(/.*blo\//, "", used); sub(/\.h.*/, "", used)
    if (!(used in layer_of)) { complain("there is no blo/" used ".h") }
    else if (!umbrella && level[layer_of[used]] > level[layer]) {
      complain("layer " layer " may not include blo/" used ".h of layer " layer_of[used])
    }
  }
  /^[ \t]*#[ \t]*include[ \t]*"[^"]*\// { complain("includes a private header of another folder") }
  /^[ \t]*#[ \t]*include[ \t]*[<"]mpi\.h/ && layer != "comm" { complain("mpi.h comes with blo/comm.h") }
  /(^|[^A-Za-z0-9_])MPI_[A-Z][a-z]+[a-z_]*[ ]*\(/ && !(layer in may_call && may_call[layer]) {
    complain("layer " layer " may not call MPI")
  }
  END { exit bad }
  ' docs/layers.txt pass=headers "${headers[@]}" pass=includes "${headers[@]}" "${sources[@]}"
