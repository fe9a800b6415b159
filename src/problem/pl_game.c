/**
 * @file
 * A game of two quadratics whose lower level is singular (Huang 2023, arXiv 2303.03944, section on
 * the bilevel PL game; samples as in the two-player game of Chen, Yao and Luo 2022, arXiv
 * 2307.15868):
 *
 *     f(x, y) = (1/2) x'P x + x'R1 y      g(x, y) = (1/2) y'Q y + x'R2 y
 *
 * Q is singular, so g satisfies a Polyak-Lojasiewicz inequality but is not strongly convex:
 * y* = -Q^+ R2'x + null(Q). As range(R1') lies in range(Q), F does not depend on the choice:
 *     F(x) = (1/2) x'S x,  S = P - R1 Q^+ R2' - R2 Q^+ R1'.
 *
 * random: means over n samples, P = mean p_i p_i', Q = mean q_i q_i', R1 and R2 means of
 * (sqrt(c) U1 z_i)(sqrt(c) U2 z_i)', with p_i = U1 D^(1/2) normal, q_i likewise with U2, U1 and U2
 * with `rank` orthonormal columns, D uniform in [low, high]. So range(R) lies in range(P) and
 * range(R') in range(Q): without that g is unbounded below.
 * tiny: P = diag(1, 1/2), Q = diag(1, 0), R1 = R2 = [.1 0; .1 0], the samples contribute nothing.
 *
 * `noise` adds a_i'y to g_i and a_j'y + e_j'x to f_j: noise of that standard deviation in all
 * gradients, in pairs of samples with opposite vectors, so that full batches have none.
 */
#include "rank_one.h"
#include <math.h>

typedef struct options {
  analytic_options base;
  blo_int n, d, rank;
  double low, high, coupling, noise;
  int kind;
} options;

typedef enum kind { KIND_RANDOM, KIND_TINY } kind;

typedef struct state {
  rank_one_state of;
  const options *o;
} state;

enum { FAMILY_U1 = 1, FAMILY_U2, FAMILY_D1, FAMILY_D2, FAMILY_P, FAMILY_Q, FAMILY_R1, FAMILY_R2 };

/** Room while the samples are drawn. */
typedef struct generator {
  const options *o;
  double *u[2];   /**< [rank][d] U1', U2' */
  double *root;   /**< [rank] D^(1/2) */
  double *normal; /**< [rank] */
} generator;

/** Vectors U D^(1/2) normal of all own samples, U number `k`. */
static void draw_square(const generator *w, int k, unsigned part, const rank_one *r)
{
  const options *o = w->o;
  const blo_stream st = {(uint64_t)o->base.seed, BLO_PURPOSE_TEST};

  for (blo_int j = 0; j < o->rank; j++) {
    double at = blo_stream_uniform(st, FAMILY_D1 + (uint64_t)k, 0, (uint64_t)j);
    w->root[j] = sqrt(o->low + (o->high - o->low) * at);
  }
  for (blo_int i = 0; i < r->n_own; i++) {
    matrix_normal(st.seed, FAMILY_P + (uint64_t)k, r->first + i, o->rank, w->normal);
    for (blo_int j = 0; j < o->rank; j++) {
      w->normal[j] *= w->root[j];
    }
    matrix_mul_t(o->rank, o->d, w->u[k], w->normal, rank_one_at(r, part, i));
  }
}

static void draw_cross(const generator *w, uint64_t family, const rank_one *r)
{
  const options *o = w->o;

  for (blo_int i = 0; i < r->n_own; i++) {
    matrix_normal((uint64_t)o->base.seed, family, r->first + i, o->rank, w->normal);
    for (blo_int j = 0; j < o->rank; j++) {
      w->normal[j] *= sqrt(o->coupling);
    }
    matrix_mul_t(o->rank, o->d, w->u[0], w->normal, rank_one_at(r, RANK_C, i));
    matrix_mul_t(o->rank, o->d, w->u[1], w->normal, rank_one_at(r, RANK_D, i));
  }
}

static void draw_all(blo_problem *p, const generator *w, rank_one *g, rank_one *f)
{
  const options *o = w->o;
  uint64_t seed = (uint64_t)o->base.seed;

  matrix_orthonormal(seed, FAMILY_U1, o->rank, o->d, w->u[0]);
  matrix_orthonormal(seed, FAMILY_U2, o->rank, o->d, w->u[1]);
  draw_square(w, 0, RANK_B, f);
  draw_square(w, 1, RANK_S, g);
  draw_cross(w, FAMILY_R1, f);
  draw_cross(w, FAMILY_R2, g);
  if (o->noise > 0) {
    rank_one_noise(p, BLO_LOWER, seed, o->noise, g);
    rank_one_noise(p, BLO_UPPER, seed, o->noise, f);
  }
}

/** All own samples of both levels. Local. */
static blo_status draw(blo_problem *p, rank_one_state *st)
{
  const options *o = p->options;
  generator w = {.o = o};
  rank_one *g = &st->level[BLO_LOWER], *f = &st->level[BLO_UPPER];
  unsigned noise_g = o->noise > 0 ? RANK_A : 0, noise_f = o->noise > 0 ? RANK_A | RANK_E : 0;
  blo_status status = BLO_OK;

  BLO_GO(blo_alloc(p->ctx, o->rank * o->d, sizeof(double), &w.u[0]));
  BLO_GO(blo_alloc(p->ctx, o->rank * o->d, sizeof(double), &w.u[1]));
  BLO_GO(blo_alloc(p->ctx, o->rank, sizeof(double), &w.root));
  BLO_GO(blo_alloc(p->ctx, o->rank, sizeof(double), &w.normal));
  BLO_GO(rank_one_create(p, BLO_LOWER, RANK_S | RANK_C | RANK_D | noise_g, g));
  BLO_GO(rank_one_create(p, BLO_UPPER, RANK_B | RANK_C | RANK_D | noise_f, f));
  draw_all(p, &w, g, f);
done:
  blo_free(p->ctx, &w.u[0]);
  blo_free(p->ctx, &w.u[1]);
  blo_free(p->ctx, &w.root);
  blo_free(p->ctx, &w.normal);
  return status;
}

static void start(const void *state_, double *x, double *y)
{
  const state *st = state_;

  for (blo_int k = 0; k < st->of.base.n_x; k++) {
    x[k] = y[k] = 1;
  }
  if (st->o->kind == KIND_TINY) {
    y[1] = 3;
  }
}

static const analytic_math math = {RANK_ONE_MATH, .start = start};

/* ------------------------------------------------------------------ slots */

/** The samples of kind random have all terms, those of kind tiny none. */
static void common(const blo_problem *p, blo_level level, unsigned want, const blo_point *at,
                   double scale, const blo_shard_out *out)
{
  if (((const state *)p->state)->o->kind == KIND_TINY) {
    analytic_common(p, level, want, at, scale, out);
  }
}

static void fill_tiny(rank_one_state *st)
{
  rank_one_means *g = &st->means[BLO_LOWER], *f = &st->means[BLO_UPPER];

  f->B[0] = 1;
  f->B[3] = 0.5;
  g->A[0] = 1;
  f->C[0] = f->C[2] = 0.1;
  g->C[0] = g->C[2] = 0.1;
}

static blo_status setup_random(blo_problem *p)
{
  const options *o = p->options;

  p->n_lower = p->n_upper = o->n;
  p->fingerprint = p->fingerprint * 31 + (uint64_t)o->n;
  BLO_TRY_ALL(p->comm, draw(p, p->state));
  return rank_one_find_means(p);
}

static blo_status setup(blo_problem *p)
{
  const options *o = p->options;
  state *st = p->state;
  blo_int d = o->kind == KIND_TINY ? 2 : o->d;

  st->o = o;
  BLO_CHECK(p->ctx, o->rank <= o->d && o->rank <= o->n, BLO_E_OPTION,
            "problem.rank = %lld is more than problem.d = %lld or problem.n = %lld",
            (long long)o->rank, (long long)o->d, (long long)o->n);
  BLO_CHECK(p->ctx, o->low <= o->high, BLO_E_OPTION,
            "problem.low = %g is more than problem.high = %g", o->low, o->high);
  BLO_TRY(analytic_setup(p, d, d, &math));
  BLO_TRY_ALL(p->comm, rank_one_make_means(p));
  if (o->kind == KIND_TINY) {
    fill_tiny(&st->of);
  } else {
    BLO_TRY(setup_random(p));
  }
  return rank_one_solve(p);
}

static const char *const kind_names[] = {"random", "tiny", NULL};

static const blo_opt_row rows[] = {
    BLO_OPT_NAMES(options, kind, "random", kind_names,
                  "means over random samples, or two numbers on each level without samples", "", 0),
    BLO_OPT(options, n, "1000", 1, 1e9, "samples", "samples of g, and of f, for kind random", "",
            0),
    BLO_OPT(options, d, "20", 1, 2000, "-", "entries of x, and of y, for kind random", "", 0),
    BLO_OPT(options, rank, "10", 1, 2000, "-", "rank of P and Q, for kind random", "", 0),
    BLO_OPT(options, low, "0.1", 0, 1e6, "-", "smallest possible entry of D", "", BLO_OPT_OPEN_LOW),
    BLO_OPT(options, high, "1", 0, 1e6, "-", "largest possible entry of D", "", BLO_OPT_OPEN_LOW),
    BLO_OPT(options, coupling, "0.05", 0, 1e6, "-",
            "c of R1 and R2; too large a coupling makes S indefinite", "", 0),
    BLO_OPT(options, noise, "0", 0, 1e6, "-",
            "standard deviation of the noise that samples add to each entry of the gradients", "",
            0),
    ANALYTIC_ROWS(options),
};

static const blo_opt_table table =
    BLO_OPT_TABLE("pl_game", "quadratics with a singular lower level", options, rows);

const blo_problem_type blo_problem_pl_game = {
    .name = "pl_game",
    .summary = "known solution: game of two quadratics, singular lower level",
    .source = "Huang 2023, arXiv 2303.03944; Chen, Yao and Luo 2022, arXiv 2307.15868",
    .state_size = sizeof(state),
    .options = &table,
    .has = BLO_HAS_G_X | BLO_HAS_F_X | BLO_HAS_DIRECTIONS,
    .setup = setup,
    .teardown = rank_one_teardown,
    .shard = rank_one_slot,
    .common = common,
    ANALYTIC_METRIC_SLOTS,
};
