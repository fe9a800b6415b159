/**
 * @file
 * base: status, outcome, context, memory, log and timers. Every other layer builds on these; this
 * one knows nothing of MPI.
 *
 * A *status* tells whether the machinery worked; an *outcome* tells how an optimization ended. A
 * diverged run is an outcome, a missing file is a status.
 *
 * A *context* is the one place for what would otherwise be global: the text of the last error, the
 * count of live allocations, the log and the fault injector. One context per rank; it is passed
 * explicitly and outlives all objects made with it.
 */
#ifndef BLO_BASE_H
#define BLO_BASE_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined __GNUC__
#define BLO_API          __attribute__((visibility("default")))
#define BLO_PRINTF(f, a) __attribute__((format(printf, f, a)))
#define BLO_MUST_USE     __attribute__((warn_unused_result))
#else
#define BLO_API
#define BLO_PRINTF(f, a)
#define BLO_MUST_USE
#endif

#define BLO_VERSION "0.1.0"

/** Signed size and index type; MPI and ScaLAPACK counts are converted once, checked. */
typedef int64_t blo_int;

/** The codes, each with the words used in messages and the exit code of `parblo`. */
#define BLO_STATUS_LIST(X)                                                                         \
  X(BLO_OK, "success", 0)                                                                          \
  X(BLO_E_MEMORY, "out of memory", 10)                                                             \
  X(BLO_E_OPTION, "wrong option or run file", 2)                                                   \
  X(BLO_E_IO, "file cannot be read or written", 3)                                                 \
  X(BLO_E_FORMAT, "file is damaged or not of the expected format", 4)                              \
  X(BLO_E_DATA, "data cannot be used", 5)                                                          \
  X(BLO_E_SHAPE, "sizes do not fit", 6)                                                            \
  X(BLO_E_MISMATCH, "checkpoint belongs to something else", 7)                                     \
  X(BLO_E_UNSUPPORTED, "combination is not supported", 8)                                          \
  X(BLO_E_NONFINITE, "value is not finite", 9)                                                     \
  X(BLO_E_CURVATURE, "lower-level Hessian is not positive definite", 11)                           \
  X(BLO_E_FAULT, "injected fault", 12)

#define BLO_STATUS_ENUM(code, text, exit_code) code,
typedef enum blo_status { BLO_STATUS_LIST(BLO_STATUS_ENUM) BLO_STATUS_COUNT } blo_status;
#undef BLO_STATUS_ENUM

/** How an optimization ended; none of these is an error of the machinery. */
#define BLO_OUTCOME_LIST(X)                                                                        \
  X(BLO_OUTCOME_RUNNING, "running", 0)                                                             \
  X(BLO_OUTCOME_BUDGET, "iteration budget spent", 0)                                               \
  X(BLO_OUTCOME_CONVERGED, "converged", 0)                                                         \
  X(BLO_OUTCOME_TIME, "stopped at the time limit", 0)                                              \
  X(BLO_OUTCOME_SIGNAL, "stopped by a signal", 0)                                                  \
  X(BLO_OUTCOME_DIVERGED, "diverged: a value is not finite", 20)                                   \
  X(BLO_OUTCOME_CURVATURE, "stopped: negative curvature of the lower level", 21)                   \
  X(BLO_OUTCOME_MINIMUM, "approximate local minimum", 0)                                           \
  X(BLO_OUTCOME_UNDECIDED, "stopped: second order not decided", 0)

#define BLO_OUTCOME_ENUM(code, text, exit_code) code,
typedef enum blo_outcome { BLO_OUTCOME_LIST(BLO_OUTCOME_ENUM) BLO_OUTCOME_COUNT } blo_outcome;
#undef BLO_OUTCOME_ENUM

/** The words for a status. Call: Local. @return a static string, never NULL */
BLO_API const char *blo_status_text(blo_status status);
/** The exit code of `parblo` for a status. Call: Local. */
BLO_API int blo_status_exit_code(blo_status status);
/** The words for an outcome. Call: Local. @return a static string, never NULL */
BLO_API const char *blo_outcome_text(blo_outcome outcome);
/** The exit code of `parblo` for an outcome. Call: Local. */
BLO_API int blo_outcome_exit_code(blo_outcome outcome);

/* ---------------------------------------------------------------- context */

typedef struct blo_context blo_context;

enum { BLO_MESSAGE_MAX = 1024 };

/** Make a context. Call: Local. @return BLO_OK; BLO_E_MEMORY */
BLO_API BLO_MUST_USE blo_status blo_context_create(blo_context **out);
/** Destroy it; all objects made with it are gone before. NULL is accepted. Call: Local. */
BLO_API void blo_context_destroy(blo_context **ctx);

/**
 * Record an error and its text, replacing an earlier one. Call: Local.
 * Used through BLO_CHECK; returns `status` so that `return blo_fail(...)` works.
 */
BLO_API blo_status blo_fail(blo_context *ctx, blo_status status, const char *file, int line,
                            const char *fmt, ...) BLO_PRINTF(5, 6);
/** The text of the last error, "" if there was none. Call: Local. */
BLO_API const char *blo_error_text(const blo_context *ctx);
/** Where in the source the last error was recorded, "file:line". Call: Local. */
BLO_API const char *blo_error_site(const blo_context *ctx);
/** Replace text and site by those of another rank (see blo_agree()). Call: Local. */
BLO_API void blo_error_set(blo_context *ctx, const char *text, const char *site);

/** Fail with `status` and a message unless `cond`; returns from the function. */
#define BLO_CHECK(ctx, cond, status, ...)                                                          \
  do {                                                                                             \
    if (!(cond)) {                                                                                 \
      return blo_fail((ctx), (status), __FILE__, __LINE__, __VA_ARGS__);                           \
    }                                                                                              \
  } while (0)

/** As BLO_CHECK, but sets the local variable `status` and goes to `done`. */
#define BLO_CHECK_GO(ctx, cond, code, ...)                                                         \
  do {                                                                                             \
    if (!(cond)) {                                                                                 \
      status = blo_fail((ctx), (code), __FILE__, __LINE__, __VA_ARGS__);                           \
      goto done;                                                                                   \
    }                                                                                              \
  } while (0)

/** Propagate a failure: the callee is Collective, or we are Local ourselves. */
#define BLO_TRY(call)                                                                              \
  do {                                                                                             \
    blo_status blo_try_ = (call);                                                                  \
    if (blo_try_ != BLO_OK) {                                                                      \
      return blo_try_;                                                                             \
    }                                                                                              \
  } while (0)

/** As BLO_TRY, to the function's single exit label `done`, through its variable `status`. */
#define BLO_GO(call)                                                                               \
  do {                                                                                             \
    status = (call);                                                                               \
    if (status != BLO_OK) {                                                                        \
      goto done;                                                                                   \
    }                                                                                              \
  } while (0)

/** Abort on a bug of ParBLO's own: an invariant does not hold. */
#define BLO_BUG_IF(cond, ...)                                                                      \
  do {                                                                                             \
    if (cond) {                                                                                    \
      blo_bug(__FILE__, __LINE__, __VA_ARGS__);                                                    \
    }                                                                                              \
  } while (0)

/** Print the site and abort. Call: Local, does not return. */
BLO_API _Noreturn void blo_bug(const char *file, int line, const char *fmt, ...) BLO_PRINTF(3, 4);

/* ----------------------------------------------------------------- memory */

/**
 * Allocate `count * size` zeroed bytes, 64-byte aligned, counted in the context.
 *
 * Call       Local
 * @param[out] out  address of a pointer variable; NULL on failure. A count of 0 gives a valid
 * pointer.
 * @return BLO_OK; BLO_E_MEMORY if there is not enough, or the product overflows; BLO_E_FAULT
 */
BLO_API BLO_MUST_USE blo_status blo_alloc(blo_context *ctx, blo_int count, size_t size, void *out);
/** Change the size of an allocation, keeping its contents; new bytes are zero. Call: Local. */
BLO_API BLO_MUST_USE blo_status blo_realloc(blo_context *ctx, blo_int count, size_t size,
                                            void *in_out);
/** Free what blo_alloc() gave and null the pointer variable; NULL inside is accepted. Call: Local.
 */
BLO_API void blo_free(blo_context *ctx, void *in_out);
/** Copy a string into counted memory. Call: Local. @return BLO_OK; BLO_E_MEMORY */
BLO_API BLO_MUST_USE blo_status blo_strdup(blo_context *ctx, const char *text, char **out);

/** Live allocations, all allocations so far, live bytes and their peak. Call: Local. */
typedef struct blo_memory_use {
  blo_int live, total;
  blo_int bytes, peak_bytes;
} blo_memory_use;
BLO_API blo_memory_use blo_memory(const blo_context *ctx);
/** From now on allocations fail that would bring the live bytes above `bytes`; 0 lifts the limit.
 *  Call: Local. */
BLO_API void blo_memory_limit(blo_context *ctx, blo_int bytes);
/** The limit that is set, in bytes; 0: none. Call: Local. */
BLO_API blo_int blo_memory_limit_set(const blo_context *ctx);

/* ---------------------------------------------------------- fault injection */

/** Let the k-th fallible operation from now (k = 1, 2, ...) fail on this rank; 0 disarms. Call:
 *  Local. */
BLO_API void blo_fault_arm(blo_context *ctx, blo_int kth);
/** True if the armed fault has struck. Call: Local. */
BLO_API bool blo_fault_struck(const blo_context *ctx);
/** A place that can fail: BLO_E_FAULT if armed for now, else BLO_OK. Call: Local. */
BLO_API BLO_MUST_USE blo_status blo_fault_point(blo_context *ctx, const char *what);

/* -------------------------------------------------------------------- log */

/** error: never in a clean run; result: a few lines a run; step, detail, debug: ever more. */
typedef enum blo_log_level {
  BLO_LOG_ERROR,
  BLO_LOG_RESULT,
  BLO_LOG_STEP,
  BLO_LOG_DETAIL,
  BLO_LOG_DEBUG
} blo_log_level;

/** Who speaks (rank 0 only, or every rank for level error) and what is shown. Call: Local. */
BLO_API void blo_log_setup(blo_context *ctx, int rank, blo_log_level level);
/** True if this rank would print at this level. Call: Local. */
BLO_API bool blo_log_on(const blo_context *ctx, blo_log_level level);
/** Print one line, `[level][where] text`, to stderr for errors and stdout otherwise. Call: Local.
 */
BLO_API void blo_log(blo_context *ctx, blo_log_level level, const char *where, const char *fmt, ...)
    BLO_PRINTF(4, 5);

/* ----------------------------------------------------------------- timers */

/** Seconds of a monotonic clock. Call: Local. */
BLO_API double blo_now(void);

/** The phases of an outer iteration whose times stand in the run file. */
#define BLO_PHASE_LIST(X)                                                                          \
  X(BLO_PHASE_KERNEL, "kernel", "products with the data and their link functions")                 \
  X(BLO_PHASE_REDUCE, "reduce", "reductions and broadcasts, waiting included")                     \
  X(BLO_PHASE_VECTOR, "vector", "vector operations and everything else in a step")                 \
  X(BLO_PHASE_MONITOR, "monitor", "metrics and logging")                                           \
  X(BLO_PHASE_FILE, "file", "run file and checkpoints")
#define BLO_PHASE_ENUM(code, name, text) code,
typedef enum blo_phase { BLO_PHASE_LIST(BLO_PHASE_ENUM) BLO_PHASE_COUNT } blo_phase;
#undef BLO_PHASE_ENUM

/** Name of a phase, as in the run file. Call: Local. */
BLO_API const char *blo_phase_name(blo_phase phase);
/** Switch to a phase; returns the one before, to switch back to. Call: Local. */
BLO_API blo_phase blo_phase_enter(blo_context *ctx, blo_phase phase);
/** Seconds spent in a phase since the context was made. Call: Local. */
BLO_API double blo_phase_seconds(const blo_context *ctx, blo_phase phase);

/* -------------------------------------------------------------- numbers */

/** The larger of two. Call: Local. */
static inline blo_int blo_larger(blo_int a, blo_int b)
{
  return a > b ? a : b;
}
/** crc32 (zlib's polynomial) of `n` bytes, continued from `crc` (0 to start). Call: Local. */
BLO_API uint32_t blo_crc32(uint32_t crc, const void *bytes, size_t n);

#endif
