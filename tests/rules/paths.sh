#!/bin/bash
# No file names a folder of somebody's machine: home folders, or the place of this source tree.
set -u
cd "$SRC" || exit 1
homes='(^|[^A-Za-z0-9_.}/])/(home|root|Users)/'
status=0
files() { find . \( -name .git -o -name parblo-demo -o -name 'build*' \) -prune -o -type f ! -name paths.sh -print0; }
if files | xargs -0 grep -nIE -- "$homes"; then
  echo "the lines above name a home folder"
  status=1
fi
# a tree that lies directly below / has too common a name to look for
case $SRC in
/*/*)
  if files | xargs -0 grep -nIF -- "$SRC/"; then
    echo "the lines above name the folder of this source tree"
    status=1
  fi
  ;;
esac
exit $status
