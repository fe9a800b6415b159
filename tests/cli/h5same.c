/**
 * @file
 * Compares run files or checkpoints for the tests of the program: `h5same A B` bit for bit, apart
 * from columns that measure time and messages; `h5same A B TOLERANCE` only the points, relative to
 * the largest number; `h5same A` looks whether the points of one file are finite.
 */
#include <blo/checkpoint.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct comparison {
  blo_context *ctx;
  blo_h5 *a, *b;
  const char *name[2];
  double tolerance; /* < 0: bit for bit */
  int n_same, n_different;
} comparison;

static blo_status read_array(blo_context *ctx, blo_h5 *f, const char *path, double **out,
                             blo_int *n)
{
  BLO_TRY(blo_h5_array_size(f, path, n));
  BLO_TRY(blo_alloc(ctx, *n, sizeof **out, out));
  return blo_h5_get_array(f, path, *out, *n);
}

/* What is another on another number of ranks, or at another time of the day. */
static bool is_measured(const char *path)
{
  static const char *const measured[] = {"history/seconds", "history/messages", "history/bytes"};

  for (size_t i = 0; i < sizeof measured / sizeof *measured; i++) {
    if (strncmp(path, measured[i], strlen(measured[i])) == 0) {
      return true;
    }
  }
  return false;
}

static double distance(const double *a, const double *b, blo_int n)
{
  double largest = 0, apart = 0;

  for (blo_int i = 0; i < n; i++) {
    largest = fmax(largest, fabs(a[i]));
    apart = fmax(apart, fabs(a[i] - b[i]));
  }
  return largest > 0 ? apart / largest : apart;
}

static bool same(const comparison *c, const double *a, const double *b, blo_int n)
{
  return c->tolerance < 0 ? memcmp(a, b, (size_t)n * sizeof *a) == 0
                          : distance(a, b, n) <= c->tolerance;
}

static blo_status compare_array(void *arg, const char *path)
{
  comparison *c = arg;
  double *a = NULL, *b = NULL;
  blo_int n_a, n_b;
  blo_status status = BLO_OK;

  if (is_measured(path)) {
    return BLO_OK;
  }
  BLO_GO(read_array(c->ctx, c->a, path, &a, &n_a));
  BLO_GO(read_array(c->ctx, c->b, path, &b, &n_b));
  if (n_a == n_b && same(c, a, b, n_a)) {
    c->n_same++;
  } else {
    c->n_different++;
    printf("%s differs: %lld numbers in %s, %lld in %s, distance %.3g\n", path, (long long)n_a,
           c->name[0], (long long)n_b, c->name[1], n_a == n_b ? distance(a, b, n_a) : (double)NAN);
  }
done:
  blo_free(c->ctx, &a);
  blo_free(c->ctx, &b);
  return status;
}

static blo_status look_at_array(void *arg, const char *path)
{
  comparison *c = arg;
  double *a = NULL;
  blo_int n;
  blo_status status = BLO_OK;

  BLO_GO(read_array(c->ctx, c->a, path, &a, &n));
  for (blo_int i = 0; i < n; i++) {
    if (!isfinite(a[i])) {
      printf("%s: %s[%lld] = %g\n", c->name[0], path, (long long)i, a[i]);
      c->n_different++;
      goto done;
    }
  }
  c->n_same++;
done:
  blo_free(c->ctx, &a);
  return status;
}

static blo_status run(comparison *c)
{
  blo_status (*each)(void *, const char *) = c->name[1] != NULL ? compare_array : look_at_array;

  BLO_TRY(blo_h5_open(c->ctx, c->name[0], NULL, &c->a));
  BLO_TRY(blo_h5_verify(c->a));
  if (c->name[1] != NULL) {
    BLO_TRY(blo_h5_open(c->ctx, c->name[1], NULL, &c->b));
    BLO_TRY(blo_h5_verify(c->b));
  }
  BLO_TRY(blo_h5_each_array(c->a, "final", each, c));
  BLO_TRY(blo_h5_each_array(c->a, "state", each, c));
  return c->name[1] == NULL || c->tolerance >= 0 ? BLO_OK
                                                 : blo_h5_each_array(c->a, "history", each, c);
}

int main(int argc, char **argv)
{
  comparison c = {.tolerance = argc > 3 ? strtod(argv[3], NULL) : -1};
  blo_status status;

  if (argc < 2 || argc > 4 || blo_context_create(&c.ctx) != BLO_OK) {
    fprintf(stderr, "usage: h5same A.h5 [B.h5 [TOLERANCE]]\n");
    return 2;
  }
  c.name[0] = argv[1];
  c.name[1] = argc > 2 ? argv[2] : NULL;
  status = run(&c);
  if (status != BLO_OK) {
    printf("%s\n", blo_error_text(c.ctx));
  }
  blo_h5_close(&c.a);
  blo_h5_close(&c.b);
  blo_context_destroy(&c.ctx);
  printf("%d arrays as they should be, %d not\n", c.n_same, c.n_different);
  return status == BLO_OK && c.n_different == 0 && c.n_same > 0 ? 0 : 1;
}
