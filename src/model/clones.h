/**
 * @file
 * Hot loops compiled for several processors; the loader picks. Only loops whose bits do not depend
 * on the width of registers may use it: elementwise ones and sums in a fixed number of parts,
 * nothing fused (the build sets -ffp-contract=off).
 */
#ifndef BLO_CLONES_H
#define BLO_CLONES_H

#if defined __x86_64__ && defined __GNUC__ && !defined __clang__ && !defined __SANITIZE_ADDRESS__
#define BLO_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define BLO_CLONES
#endif

#endif
