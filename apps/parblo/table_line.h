/** @file One printed line about a table of samples. */
#ifndef BLO_APP_TABLE_LINE_H
#define BLO_APP_TABLE_LINE_H

#include <blo/data.h>

/** Print name, sizes, storage, density and bytes of a table. Call: Local. */
void blo_table_line(const char *name, const blo_table *table);

#endif
