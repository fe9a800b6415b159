/** @file Running the program gnuplot on a script. */
#ifndef BLO_APP_GNUPLOT_H
#define BLO_APP_GNUPLOT_H

#include <blo/base.h>
#include <stdio.h>

/** Write text as a gnuplot string, with its quotes. Call: Local. */
void blo_gnuplot_quote(FILE *script, const char *text);
/**
 * Let gnuplot execute what was written to `script`, a temporary file that it reads from the start.
 * Call: Local. @return BLO_OK; BLO_E_IO if there is no gnuplot, or with what it complained about
 */
BLO_MUST_USE blo_status blo_gnuplot_run(blo_context *ctx, FILE *script);

#endif
