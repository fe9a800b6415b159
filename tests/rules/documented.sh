#!/bin/bash
# Every public function has a comment that says whether it is Local or Collective. A comment goes
# for the declarations that follow it without an empty line between. One that says "Everything here
# is Local", "All Local" or "All functions on it are Local" goes for the file if it is its head, and
# else up to the next heading ("/* -----").
set -u
cd "$SRC" || exit 1
awk '
  FNR == 1 { whole_file = 0; whole_section = 0; comment = ""; in_comment = 0; in_head = 1 }
  /^\/\* ------/ { whole_section = 0 }
  /^[ \t]*\/\*/ { comment = ""; in_comment = 1 }
  in_comment {
    comment = comment " " $0
    if (/\*\//) {
      in_comment = 0
      for_all = comment ~ /(Everything here is|All|All functions on it are) (Local|Collective)/
      if (for_all && in_head) { whole_file = 1 }
      if (for_all && !in_head) { whole_section = 1 }
    }
    next
  }
  /^#ifndef/ { in_head = 0 }
  /^[ \t]*$/ { comment = "" }
  /^BLO_API/ && !/BLO_API extern/ {
    n++
    if (comment == "") {
      print FILENAME ":" FNR ": no comment: " $0; bad = 1
    } else if (!whole_file && !whole_section && comment !~ /Local|Collective/) {
      print FILENAME ":" FNR ": the comment says neither Local nor Collective: " $0; bad = 1
    }
  }
  END {
    if (n == 0) { print "no public functions found"; bad = 1 }
    exit bad
  }' include/blo/*.h
