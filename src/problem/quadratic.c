/**
 * @file
 * Random quadratics as finite sums (the simulated problem of the benchmark of Dagreou et al. 2022,
 * arXiv 2201.13409, and of its code):
 *
 *     g_i = (1/2) y'A_i y + (1/2) x'B_i x + x'C_i y + a_i'y + b_i'x     and f_j of the same form
 *
 * A_i = s_i s_i' of rank one with E A_i = U diag(mu ... L) U', eigenvalues in equal ratios; B_i
 * likewise, of which `flat` eigenvalues are zero; C_i = (P D e_i) (Q e_i)' with one normal e_i, so
 * E C_i = P D Q', singular values in equal ratios from mu to L_cross; a_i, b_i normal of standard
 * deviation `noise`. The two levels have matrices of their own. Only the vectors of the samples are
 * stored; the solution comes from their exact means (rank_one.h).
 */
#include "rank_one.h"
#include <math.h>

typedef struct options {
  analytic_options base;
  blo_int n, m, n_x, n_y, flat;
  double mu, L, L_cross, noise;
} options;

/* Families of random numbers; a level adds LEVEL_STEP. */
enum {
  FAMILY_U = 1,
  FAMILY_V,
  FAMILY_P,
  FAMILY_Q,
  FAMILY_S,
  FAMILY_B,
  FAMILY_C,
  FAMILY_A,
  FAMILY_E,
  LEVEL_STEP = 100
};

/** Room while the samples are drawn; n is the larger of n_x and n_y. */
typedef struct generator {
  const options *o;
  uint64_t shift;     /**< of the level's families */
  double *q, *root;   /**< [n][n] orthonormal rows; the root of a mean matrix, or its P */
  double *root2;      /**< [n][n] Q */
  double *normal, *d; /**< [n] */
} generator;

/** root = U diag(sqrt(mu) ... sqrt(L)) U', the last `flat` directions left out. [n][n] */
static void draw_root(const generator *w, uint64_t family, blo_int n, blo_int flat)
{
  const options *o = w->o;

  matrix_orthonormal((uint64_t)o->base.seed, w->shift + family, n, n, w->q);
  for (blo_int k = 0; k < n; k++) {
    w->d[k] = k < n - flat ? sqrt(matrix_log(o->mu, o->L, k, n - flat)) : 0;
  }
  matrix_spectral(n, n, w->q, w->d, w->root);
}

/** Vectors root * normal of all own samples. */
static void draw_vectors(const generator *w, uint64_t family, unsigned part, blo_int n,
                         const rank_one *r)
{
  for (blo_int i = 0; i < r->n_own; i++) {
    matrix_normal((uint64_t)w->o->base.seed, w->shift + family, r->first + i, n, w->normal);
    matrix_mul(n, n, w->root, w->normal, rank_one_at(r, part, i));
  }
}

/** c_i = P D e_i and d_i = Q e_i; rows of `root` and `root2` are columns of P and Q. */
static void draw_cross(const generator *w, const rank_one *r)
{
  const options *o = w->o;
  uint64_t seed = (uint64_t)o->base.seed;
  blo_int rank = o->n_x < o->n_y ? o->n_x : o->n_y;
  double low = fmin(o->mu, o->L_cross);

  matrix_orthonormal(seed, w->shift + FAMILY_P, rank, o->n_x, w->root);
  matrix_orthonormal(seed, w->shift + FAMILY_Q, rank, o->n_y, w->root2);
  for (blo_int i = 0; i < r->n_own; i++) {
    matrix_normal(seed, w->shift + FAMILY_C, r->first + i, rank, w->normal);
    matrix_mul_t(rank, o->n_y, w->root2, w->normal, rank_one_at(r, RANK_D, i));
    for (blo_int k = 0; k < rank; k++) {
      w->normal[k] *= matrix_log(low, o->L_cross, k, rank);
    }
    matrix_mul_t(rank, o->n_x, w->root, w->normal, rank_one_at(r, RANK_C, i));
  }
}

static void draw_linear(const generator *w, uint64_t family, unsigned part, blo_int n,
                        const rank_one *r)
{
  for (blo_int i = 0; i < r->n_own; i++) {
    double *to = rank_one_at(r, part, i);
    matrix_normal((uint64_t)w->o->base.seed, w->shift + family, r->first + i, n, to);
    for (blo_int k = 0; k < n; k++) {
      to[k] *= w->o->noise;
    }
  }
}

static void draw_level(const generator *w, const rank_one *r)
{
  const options *o = w->o;

  draw_root(w, FAMILY_U, o->n_y, 0);
  draw_vectors(w, FAMILY_S, RANK_S, o->n_y, r);
  draw_root(w, FAMILY_V, o->n_x, o->flat);
  draw_vectors(w, FAMILY_B, RANK_B, o->n_x, r);
  draw_cross(w, r);
  draw_linear(w, FAMILY_A, RANK_A, o->n_y, r);
  draw_linear(w, FAMILY_E, RANK_E, o->n_x, r);
}

/** All own samples of both levels. Local. */
static blo_status draw(blo_problem *p, rank_one_state *st)
{
  const options *o = p->options;
  generator w = {.o = o};
  blo_int n = o->n_x > o->n_y ? o->n_x : o->n_y;
  blo_status status = BLO_OK;

  BLO_GO(blo_alloc(p->ctx, n * n, sizeof(double), &w.q));
  BLO_GO(blo_alloc(p->ctx, n * n, sizeof(double), &w.root));
  BLO_GO(blo_alloc(p->ctx, n * n, sizeof(double), &w.root2));
  BLO_GO(blo_alloc(p->ctx, n, sizeof(double), &w.normal));
  BLO_GO(blo_alloc(p->ctx, n, sizeof(double), &w.d));
  for (int level = 0; level < 2; level++) {
    BLO_GO(rank_one_create(p, (blo_level)level, RANK_S | RANK_B | RANK_C | RANK_D | RANK_A | RANK_E,
                           &st->level[level]));
    w.shift = (uint64_t)level * LEVEL_STEP;
    draw_level(&w, &st->level[level]);
  }
done:
  blo_free(p->ctx, &w.q);
  blo_free(p->ctx, &w.root);
  blo_free(p->ctx, &w.root2);
  blo_free(p->ctx, &w.normal);
  blo_free(p->ctx, &w.d);
  return status;
}

static void start(const void *state_, double *x, double *y)
{
  const rank_one_state *st = state_;

  for (blo_int k = 0; k < st->base.n_x; k++) {
    x[k] = 0;
  }
  for (blo_int j = 0; j < st->base.n_y; j++) {
    y[j] = 0;
  }
}

static const analytic_math math = {RANK_ONE_MATH, .start = start};

static blo_status setup(blo_problem *p)
{
  const options *o = p->options;

  BLO_CHECK(p->ctx, o->n >= o->n_y, BLO_E_OPTION,
            "problem.n = %lld samples of rank one make a singular A: n_y = %lld", (long long)o->n,
            (long long)o->n_y);
  BLO_CHECK(p->ctx, o->flat < o->n_x, BLO_E_OPTION, "problem.flat = %lld, but n_x = %lld",
            (long long)o->flat, (long long)o->n_x);
  BLO_CHECK(p->ctx, o->mu <= o->L, BLO_E_OPTION, "problem.mu = %g is more than problem.L = %g",
            o->mu, o->L);
  BLO_TRY(analytic_setup(p, o->n_x, o->n_y, &math));
  p->n_lower = o->n;
  p->n_upper = o->m;
  p->fingerprint = (p->fingerprint * 31 + (uint64_t)o->n) * 31 + (uint64_t)o->m;
  BLO_TRY_ALL(p->comm, draw(p, p->state));
  BLO_TRY_ALL(p->comm, rank_one_make_means(p));
  BLO_TRY(rank_one_find_means(p));
  return rank_one_solve(p);
}

static const char source[] = "benchmark_bilevel, simulated";

static const blo_opt_row rows[] = {
    BLO_OPT(options, n, "1024", 1, 1e9, "samples", "samples of g", source, 0),
    BLO_OPT(options, m, "1024", 1, 1e9, "samples", "samples of f", source, 0),
    BLO_OPT(options, n_x, "20", 1, 2000, "-", "entries of x", "", 0),
    BLO_OPT(options, n_y, "50", 1, 2000, "-", "entries of y", "", 0),
    BLO_OPT(options, mu, "0.1", 0, 1e6, "-", "smallest eigenvalue of E A_i and of E B_i", source,
            BLO_OPT_OPEN_LOW),
    BLO_OPT(options, L, "1", 0, 1e6, "-", "largest eigenvalue of E A_i and of E B_i", source,
            BLO_OPT_OPEN_LOW),
    BLO_OPT(options, L_cross, "0.1", 0, 1e6, "-",
            "largest singular value of E C_i; the smallest is mu, if that is less", source, 0),
    BLO_OPT(options, flat, "0", 0, 2000, "-",
            "eigenvalues of E B_i that are 0; 1 in the benchmark, where F may have no minimum", "",
            0),
    BLO_OPT(options, noise, "1", 0, 1e6, "-", "standard deviation of the entries of a_i and b_i",
            source, 0),
    ANALYTIC_ROWS(options),
};

static const blo_opt_table table =
    BLO_OPT_TABLE("quadratic", "random quadratics as finite sums", options, rows);

const blo_problem_type blo_problem_quadratic = {
    .name = "quadratic",
    .summary = "known solution: random quadratics, samples of rank one",
    .source = "Dagreou et al. 2022, arXiv 2201.13409, and the code of their benchmark",
    .state_size = sizeof(rank_one_state),
    .options = &table,
    .has = BLO_HAS_G_X | BLO_HAS_F_X | BLO_HAS_DIRECTIONS,
    .setup = setup,
    .teardown = rank_one_teardown,
    .shard = rank_one_slot,
    ANALYTIC_METRIC_SLOTS,
};
