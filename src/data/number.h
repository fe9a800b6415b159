/** @file Numbers in text files. For this layer only. */
#ifndef BLO_NUMBER_H
#define BLO_NUMBER_H

/**
 * Parse a decimal number, "nan" or "inf" at the beginning of a text, correctly rounded.
 * @return the first character after it; NULL if there is no number. Call: Local.
 */
const char *blo_number_parse(const char *text, double *value);

#endif
