/* Assertions that are agreed over the ranks: the lowest rank that fails says what is wrong. */
#include "harness.h"
#include "running.h"

#include <CUnit/CUnit.h>
#include <CUnit/TestRun.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_MAX = 1536 };

/* One verdict for all ranks; with the text of the lowest failing rank if it is bad. */
static bool agree(bool ok, bool fatal, const char *file, int line, const char *text)
{
  const blo_test_running *now = blo_test_now();
  int own = ok ? now->size : now->rank, first = 0;
  MPI_Allreduce(&own, &first, 1, MPI_INT, MPI_MIN, now->mpi);
  if (first == now->size) {
    return CU_assertImplementation(CU_TRUE, (unsigned)line, "", file, "", CU_FALSE);
  }
  char said[TEXT_MAX], full[TEXT_MAX + 64];
  snprintf(said, sizeof said, "%s", text);
  MPI_Bcast(said, TEXT_MAX, MPI_CHAR, first, now->mpi);
  snprintf(full, sizeof full, "%s  [rank %d of %d]", said, first, now->size);
  return CU_assertImplementation(CU_FALSE, (unsigned)line, full, file, "", fatal);
}

bool blo_test_expect(bool ok, bool fatal, const char *file, int line, const char *fmt, ...)
{
  char text[TEXT_MAX];
  va_list args;
  va_start(args, fmt);
  vsnprintf(text, sizeof text, fmt, args);
  va_end(args);
  return agree(ok, fatal, file, line, text);
}

bool blo_test_same_double(double value, const char *file, int line, const char *what)
{
  double roots = value;
  MPI_Bcast(&roots, 1, MPI_DOUBLE, 0, blo_test_now()->mpi);
  return blo_test_expect(memcmp(&roots, &value, sizeof value) == 0, false, file, line,
                         "%s is %.17g, but %.17g on rank 0", what, value, roots);
}

/* The length is compared first: ranks with another one cannot take part in the broadcast. */
bool blo_test_same(const void *bytes, blo_int n, const char *file, int line, const char *what)
{
  const blo_test_running *now = blo_test_now();
  long long length = n;
  MPI_Bcast(&length, 1, MPI_LONG_LONG, 0, now->mpi);
  if (!blo_test_expect(length == n, false, file, line, "%s has %lld bytes, but %lld on rank 0",
                       what, (long long)n, length)) {
    return false;
  }
  char *roots = malloc(n > 0 ? (size_t)n : 1);
  BLO_BUG_IF(roots == NULL, "no memory for %lld bytes", length);
  if (now->rank == 0) {
    memcpy(roots, bytes, (size_t)n);
  }
  MPI_Bcast(roots, (int)n, MPI_BYTE, 0, now->mpi);
  const char *own = bytes;
  blo_int at = 0;
  while (at < n && own[at] == roots[at]) {
    at++;
  }
  free(roots);
  return blo_test_expect(at == n, false, file, line, "%s differs from rank 0 at byte %lld of %lld",
                         what, (long long)at, (long long)n);
}

bool blo_test_near(double got, double want, double rel, double abs, const char *file, int line,
                   const char *what, const char *origin)
{
  bool ok = got == want || fabs(got - want) <= abs + rel * fabs(want);
  return blo_test_expect(ok, false, file, line,
                         "%s = %.17g, not %.17g (%s): off by %.3g, allowed %.3g", what, got, want,
                         origin, fabs(got - want), abs + rel * fabs(want));
}

bool blo_test_status(blo_status got, blo_status want, bool fatal, const char *file, int line,
                     const char *what)
{
  return blo_test_expect(got == want, fatal, file, line,
                         "%s gives \"%s\", not \"%s\"; last error: %s", what, blo_status_text(got),
                         blo_status_text(want), blo_error_text(blo_test_now()->ctx));
}

bool blo_test_error_has(const char *text, const char *file, int line)
{
  const char *said = blo_error_text(blo_test_now()->ctx);
  return blo_test_expect(strstr(said, text) != NULL, false, file, line,
                         "the last error does not say \"%s\" but: %s", text, said);
}

void blo_test_skip(const char *fmt, ...)
{
  blo_test_count_skip();
  if (blo_test_now()->rank != 0) {
    return;
  }
  va_list args;
  va_start(args, fmt);
  printf("    skipped: ");
  vprintf(fmt, args);
  printf("\n");
  va_end(args);
}
