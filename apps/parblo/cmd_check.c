/**
 * @file `parblo check`: the oracles of a run file's problem against differences and against each
 * other (check.h), and the hypergradient by conjugate gradients against a dense direct solution; at
 * the starting point and at a random point near it. With --dense also H v, J v and the
 * hypergradient against the assembled matrices, which are distributed over the ranks.
 */
#include "arguments.h"
#include "commands.h"
#include <math.h>
#include <string.h>

enum {
  ROW_CG = BLO_CHECK_ROWS, /* hypergradient: CG = dense direct solution at the root */
  ROW_DENSE,               /* products = assembled matrices */
  ROW_DIRECT = ROW_DENSE + BLO_CHECK_DENSE_ROWS, /* hypergradient: direct adjoint = that solution */
  MOST_ROWS,
  EXIT_FAILED = 1,
  WHY_CAP = 128
};

/** The second point: every number of the start moved by this times a standard normal number. */
static const double NEAR = 0.1;

/** CG's tolerance, and the part of it in the hypergradient that the condition of H may make. */
static const double CG_TOL = 1e-12, LEAST_TOL = 1e-10, MOST_TOL = 1e-4;

typedef struct request {
  blo_run_request run;
  const char **set; /**< [argc] */
  blo_int samples, dense_max;
  bool dense;
} request;

typedef struct checker {
  blo_comm *comm;
  blo_context *ctx;
  const request *request;
  blo_eval *eval;
  blo_sampler *lower, *upper; /**< NULL: all samples */
  blo_vec *start_x, *start_y, *x, *y, *hx, *dense;
  blo_state *state;
  uint64_t seed;
  blo_int n[3]; /**< rows of each verdict */
} checker;

/* -------------------------------------------------------------- arguments */

static blo_status parse(blo_context *ctx, int argc, char **argv, request *r)
{
  static const struct option known[] = {
      {"set", required_argument, NULL, 's'},     {"plugin", required_argument, NULL, 'p'},
      {"samples", required_argument, NULL, 'n'}, {"dense-max", required_argument, NULL, 'd'},
      {"dense", no_argument, NULL, 'D'},         {NULL, 0, NULL, 0}};
  int option;

  BLO_TRY(blo_alloc(ctx, argc, sizeof *r->set, &r->set));
  r->run.set = r->set;
  blo_arguments_start();
  for (;;) {
    BLO_TRY(blo_arguments_next(ctx, argc, argv, ":s:", known, &option));
    if (option == -1) {
      break;
    }
    if (option == 's') {
      r->set[r->run.n_set++] = optarg;
    } else if (option == 'p') {
      r->run.plugin = optarg;
    } else if (option == 'D') {
      r->dense = true;
    } else if (option == 'n') {
      BLO_TRY(blo_arguments_int(ctx, "--samples", optarg, 1, INT64_MAX, &r->samples));
    } else {
      BLO_TRY(blo_arguments_int(ctx, "--dense-max", optarg, 0, INT32_MAX, &r->dense_max));
    }
  }
  BLO_CHECK(ctx, optind == argc - 1, BLO_E_OPTION, "check needs one run file, %d were given",
            argc - optind);
  r->run.file = argv[optind];
  return BLO_OK;
}

/* ------------------------------------------------------------- the checker */

static blo_status make_samplers(checker *c)
{
  const blo_problem *p = blo_eval_problem(c->eval);
  blo_int b = c->request->samples;

  if (b == 0) {
    return BLO_OK;
  }
  BLO_TRY(blo_sampler_create(c->comm, c->seed, BLO_PURPOSE_LOWER, p->n_lower, p->n_shards, b,
                             &c->lower));
  return blo_sampler_create(c->comm, c->seed, BLO_PURPOSE_UPPER, p->n_upper, p->n_shards, b,
                            &c->upper);
}

static blo_status make(checker *c)
{
  blo_space *space_x = blo_eval_space_x(c->eval), *space_y = blo_eval_space_y(c->eval);
  blo_vec **in_x[] = {&c->start_x, &c->x, &c->hx, &c->dense};
  blo_vec **in_y[] = {&c->start_y, &c->y};

  for (blo_int i = 0; i < BLO_COUNT_OF(in_x); i++) {
    BLO_TRY(blo_vec_create(space_x, in_x[i]));
  }
  for (blo_int i = 0; i < BLO_COUNT_OF(in_y); i++) {
    BLO_TRY(blo_vec_create(space_y, in_y[i]));
  }
  BLO_TRY(blo_state_create(c->ctx, &c->state));
  return make_samplers(c);
}

static void clear(checker *c)
{
  blo_sampler_destroy(&c->lower);
  blo_sampler_destroy(&c->upper);
  blo_vec_destroy(&c->start_x);
  blo_vec_destroy(&c->start_y);
  blo_vec_destroy(&c->x);
  blo_vec_destroy(&c->y);
  blo_vec_destroy(&c->hx);
  blo_vec_destroy(&c->dense);
  blo_state_destroy(&c->state);
}

/* ------------------------------------------------------------ hypergradient */

static int find_estimator(const char *name)
{
  int k = 0;

  while (strcmp(blo_estimator_names[k], name) != 0) {
    k++;
  }
  return k;
}

/** c->hx by an estimator of that name over all data, to rounding. Collective. */
static blo_status solve_by(checker *c, const char *name, blo_verdict *verdict)
{
  blo_adjoint_options options = {.iterations = 100 + 10 * blo_eval_problem(c->eval)->n_y,
                                 .tol = CG_TOL,
                                 .type = find_estimator(name),
                                 .on_curvature = BLO_CURVATURE_TRUNCATE};
  blo_estimator *e = NULL;
  blo_status status = BLO_OK;

  BLO_GO(blo_estimator_create(c->eval, &options, 0, c->seed, NULL, c->state, &e));
  BLO_GO(blo_estimator_compute(e, 0, c->x, c->y, c->hx));
  *verdict = e->certificate.verdict;
done:
  blo_estimator_destroy(&e);
  return status;
}

/** Relative distance of the two hypergradients; c->hx is overwritten. Collective. */
static double distance(checker *c)
{
  double norm = blo_vec_norm(c->dense), gap;

  blo_vec_axpy(-1, c->dense, c->hx);
  gap = blo_vec_norm(c->hx);
  return gap == 0 ? 0 : gap / norm;
}

/**
 * An adjoint residual of CG_TOL moves v by up to CG_TOL over the reciprocal condition number of H,
 * relatively, and so the hypergradient; times 10 for the constants. Where that says nothing, the
 * comparison is skipped. Collective.
 */
static blo_status check_cg(checker *c, double rcond, blo_check_row *row)
{
  blo_verdict verdict;

  if (rcond <= 10 * CG_TOL / MOST_TOL) {
    return BLO_OK;
  }
  BLO_TRY(solve_by(c, "cg", &verdict));
  row->tol = fmax(LEAST_TOL, 10 * CG_TOL / rcond);
  blo_check_row_record(row, verdict == BLO_VERDICT_CURVATURE ? (double)INFINITY : distance(c));
  return BLO_OK;
}

/** The direct adjoint takes indefinite H as well. Collective. */
static blo_status check_direct(checker *c, double rcond, blo_check_row *row)
{
  blo_verdict verdict;

  if (!c->request->dense || fabs(rcond) <= 10 * CG_TOL / MOST_TOL) {
    return BLO_OK;
  }
  BLO_TRY(solve_by(c, "direct", &verdict));
  row->tol = fmax(LEAST_TOL, 10 * CG_TOL / fabs(rcond));
  blo_check_row_record(row, distance(c));
  return BLO_OK;
}

/** The two estimators against the dense solution at the root, where H allows it. Collective. */
static blo_status check_hypergradients(checker *c, blo_check_row *rows, char *why)
{
  double rcond = 0;
  blo_status status = blo_dense_hypergradient(c->eval, c->x, c->y, c->dense, &rcond);

  snprintf(why, WHY_CAP, "H is %s here, reciprocal condition %.2g",
           rcond < 0 ? "not positive definite" : "singular or nearly so", fabs(rcond));
  if (status == BLO_E_CURVATURE) {
    return BLO_OK;
  }
  BLO_TRY(status);
  BLO_TRY(check_cg(c, rcond, &rows[ROW_CG]));
  return check_direct(c, rcond, &rows[ROW_DIRECT]);
}

/** What needs the whole of H. Collective. @param[out] why  [WHY_CAP] of rows that are skipped */
static blo_status check_dense(checker *c, const blo_batch *lower, blo_check_row *rows, char *why)
{
  blo_int n_y = blo_eval_problem(c->eval)->n_y, most = c->request->dense_max;

  blo_check_row_init(&rows[ROW_CG], "hypergradient",
                     "adjoint by CG = dense direct solution, all data", 0);
  blo_check_row_init(&rows[ROW_DIRECT], "dense_direct",
                     "direct adjoint = dense direct solution at the root, all data", 0);
  if (n_y > most) {
    snprintf(why, WHY_CAP, "n_y = %lld is more than --dense-max %lld", (long long)n_y,
             (long long)most);
    blo_check_dense_skip(why, &rows[ROW_DENSE]);
  } else if (c->request->dense) {
    BLO_TRY(blo_check_dense(c->eval, lower, c->x, c->y, c->seed, most * most, &rows[ROW_DENSE]));
  }
  rows[ROW_CG].why = rows[ROW_DIRECT].why = why;
  return n_y > most ? BLO_OK : check_hypergradients(c, rows, why);
}

/* ------------------------------------------------------------------- output */

static void print_row(const blo_check_row *row)
{
  const char *verdict = blo_check_verdict_text(row->verdict);

  if (row->verdict == BLO_CHECK_SKIP) {
    printf("  %s  %-14s  %-19s  %s: %s\n", verdict, row->name, "", row->statement, row->why);
  } else {
    printf("  %s  %-14s  %8.1e (<= %.0e)  %s\n", verdict, row->name, row->error, row->tol,
           row->statement);
  }
}

static void print_rows(checker *c, const char *where, const blo_check_row *rows)
{
  int n = c->request->dense ? MOST_ROWS : ROW_DENSE;

  for (int i = 0; i < n; i++) {
    c->n[rows[i].verdict]++;
  }
  if (blo_comm_rank(c->comm) == BLO_ROOT) {
    printf("%s:\n", where);
    for (int i = 0; i < n; i++) {
      print_row(&rows[i]);
    }
    fflush(stdout);
  }
}

static void print_head(const checker *c)
{
  const blo_problem *p = blo_eval_problem(c->eval);

  if (blo_comm_rank(c->comm) == BLO_ROOT) {
    printf("%s: n_x = %lld (%s%s), n_y = %lld, %lld samples of g, %lld of f", p->type->name,
           (long long)p->n_x, blo_layout_names[p->x_layout], p->x_aligned ? ", per sample" : "",
           (long long)p->n_y, (long long)p->n_lower, (long long)p->n_upper);
    if (c->request->samples > 0) {
      printf("; batches of %lld", (long long)c->request->samples);
    }
    printf("\nrelative errors (<= tolerance), x and y at:\n");
  }
}

/* --------------------------------------------------------------------- work */

/** All comparisons at (c->x, c->y). Collective. */
static blo_status check_point(checker *c, const char *where)
{
  const blo_batch *lower = c->lower != NULL ? blo_sampler_draw(c->lower, 0) : NULL;
  const blo_batch *upper = c->upper != NULL ? blo_sampler_draw(c->upper, 0) : NULL;
  blo_check_row rows[MOST_ROWS];
  char why[WHY_CAP] = "";

  BLO_TRY(blo_check_problem(c->eval, lower, upper, c->x, c->y, c->seed, rows));
  BLO_TRY(check_dense(c, lower, rows, why));
  print_rows(c, where, rows);
  return BLO_OK;
}

static blo_status check_points(checker *c)
{
  blo_eval_start(c->eval, c->start_x, c->start_y);
  blo_check_perturb(c->start_x, 0, c->seed, 0, c->x);
  blo_check_perturb(c->start_y, 0, c->seed, 0, c->y);
  BLO_TRY(check_point(c, "the starting point"));
  blo_check_perturb(c->start_x, NEAR, c->seed, 1, c->x);
  blo_check_perturb(c->start_y, NEAR, c->seed, 2, c->y);
  return check_point(c, "a random point near it");
}

static blo_status check(blo_comm *comm, const request *r, checker *c)
{
  blo_setup *setup = NULL;
  blo_status status = BLO_OK;

  BLO_GO(blo_setup_create(comm, &r->run, &setup));
  c->eval = setup->eval;
  c->seed = (uint64_t)setup->run.seed;
  BLO_GO_ALL(comm, make(c));
  print_head(c);
  BLO_GO(check_points(c));
done:
  clear(c);
  blo_setup_destroy(comm, &setup);
  return status;
}

int blo_cmd_check(blo_comm *comm, int argc, char **argv)
{
  blo_context *ctx = blo_comm_context(comm);
  request r = {.dense_max = 2000};
  checker c = {.comm = comm, .ctx = ctx, .request = &r};
  blo_status status = blo_agree(comm, parse(ctx, argc, argv, &r));

  if (status == BLO_OK) {
    status = check(comm, &r, &c);
  }
  blo_free(ctx, &r.set);
  if (status != BLO_OK) {
    return blo_cmd_fail(comm, status);
  }
  if (blo_comm_rank(comm) == BLO_ROOT) {
    printf("%lld passed, %lld failed, %lld skipped\n", (long long)c.n[BLO_CHECK_PASS],
           (long long)c.n[BLO_CHECK_FAIL], (long long)c.n[BLO_CHECK_SKIP]);
  }
  return c.n[BLO_CHECK_FAIL] > 0 ? EXIT_FAILED : 0;
}
