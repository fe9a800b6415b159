/**
 * @file
 * What the kernels ask of a compiler beyond C11: inlining, unrolling, prefetching.
 */
#ifndef BLO_KERNEL_COMPILER_H
#define BLO_KERNEL_COMPILER_H

#if defined __GNUC__
#define IN_PLACE static inline __attribute__((always_inline))
#else
#define IN_PLACE static inline
#endif

/* For loops with constant bounds that must vanish, or the arrays in them stay in memory. */
#if defined __clang__
#define UNROLL _Pragma("clang loop unroll(full)")
#elif defined __GNUC__
#define UNROLL _Pragma("GCC unroll 16")
#else
#define UNROLL
#endif

#if defined __GNUC__
#define PREFETCH_TO_WRITE(at) __builtin_prefetch((at), 1)
#define PREFETCH_TO_READ(at)  __builtin_prefetch((at), 0, 2) /* to the second cache */
#else
#define PREFETCH_TO_WRITE(at) ((void)(at))
#define PREFETCH_TO_READ(at)  ((void)(at))
#endif

#endif
