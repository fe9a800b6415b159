#!/bin/bash
# A list file X_list.h names, one BLO_X(name) a line, exactly the descriptors blo_x_name that the
# files beside it define.
set -u
cd "$SRC" || exit 1
status=0
for list in $(find src -name '*_list.h' | sort); do
  noun=$(basename "$list" _list.h)
  folder=$(dirname "$list")
  macro=BLO_$(echo "$noun" | tr '[:lower:]' '[:upper:]')
  listed=$(sed -nE "s/^ *$macro\(([a-z0-9_]+)\).*/\1/p" "$list" | sort)
  defined=$(grep -hE "^const blo_${noun}_type blo_${noun}_[a-z0-9_]+ *=" "$folder"/*.c \
    | sed -E "s/^const blo_${noun}_type blo_${noun}_([a-z0-9_]+) *=.*/\1/" | sort)
  if [ -z "$listed" ] || [ "$listed" != "$defined" ]; then
    echo "$list against the descriptors in $folder (< listed only, > defined only):"
    diff <(echo "$listed") <(echo "$defined")
    status=1
  fi
done
exit $status
