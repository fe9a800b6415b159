/**
 * @file Running estimates of the Hessian and of the cross Jacobian; see tracking.h.
 *
 * The recursions work on the one copy of each matrix that there is: what is assembled is added
 * panel by panel, so there is never a second matrix. As both matrices come from the same sweeps,
 * but have coefficients a of their own, what is added has the weight 1 or -1 for both, and the
 * estimates are scaled before and after:
 *
 *     momentum   M <- a ((1 - a) / a M + A)     storm   M <- (1 - a) (M - A(old)) + A(new)
 *
 * Scaling costs no digits, however small a is. With a = 1 all three rules give the same bits.
 */
#include <blo/hessian.h>
#include <blo/tracking.h>
#include <math.h>

struct blo_tracker {
  blo_eval *eval;
  blo_context *ctx;
  const blo_tracker_options *options;
  blo_grid *grid;
  blo_dense *hessian, *cross; /**< [n_y][n_y], [n_x][n_y], projected */
  blo_clip *clip;             /**< of the Hessian */
  blo_assembler *assembler;
  double *all_x, *all_y;                 /**< [n_x], [n_y] vectors, replicated */
  double *product;                       /**< [n_y] */
  blo_int bytes;                         /**< of it on the rank that has most */
  blo_int inactive, spectrum, shortened; /**< clips of each kind so far, restarts included */
};

/* ------------------------------------------------------------------- life */

blo_int blo_tracker_bytes(const blo_eval *eval, const blo_grid *grid)
{
  blo_int n_x = blo_space_n(blo_eval_space_x(eval)), n_y = blo_space_n(blo_eval_space_y(eval));

  return blo_dense_bytes(grid, n_y, n_y) + blo_dense_bytes(grid, n_x, n_y) +
         blo_clip_bytes(grid, n_y) + blo_assembler_bytes(eval, grid, true) +
         (n_x + 2 * n_y) * (blo_int)sizeof(double);
}

static blo_status allocate(blo_eval *eval, const blo_tracker_options *options, blo_tracker **out)
{
  blo_context *ctx = blo_eval_problem(eval)->ctx;

  BLO_CHECK(ctx, options->mu > 0 && options->mu <= options->L, BLO_E_OPTION,
            "the eigenvalues of the tracked Hessian cannot be in [mu, L] = [%g, %g]", options->mu,
            options->L);
  BLO_CHECK(ctx, options->cross_bound > 0, BLO_E_OPTION,
            "cross_bound = %g, but a norm cannot be that small", options->cross_bound);
  BLO_TRY(blo_alloc(ctx, 1, sizeof **out, out));
  **out = (blo_tracker){.eval = eval, .ctx = ctx, .options = options};
  return BLO_OK;
}

static blo_status make_local(blo_tracker *t)
{
  blo_int n_x = blo_space_n(blo_eval_space_x(t->eval));
  blo_int n_y = blo_space_n(blo_eval_space_y(t->eval));
  char what[96];

  snprintf(what, sizeof what, "tracking dense matrices of n_y = %lld, n_x = %lld", (long long)n_y,
           (long long)n_x);
  BLO_TRY(blo_hessian_check_room(t->grid, what, blo_tracker_bytes(t->eval, t->grid),
                                 "a method that needs products with H and J only, such as "
                                 "solver.type 'soba' or 'stocbio'"));
  BLO_TRY(blo_alloc(t->ctx, n_x, sizeof *t->all_x, &t->all_x));
  BLO_TRY(blo_alloc(t->ctx, n_y, sizeof *t->product, &t->product));
  return blo_alloc(t->ctx, n_y, sizeof *t->all_y, &t->all_y);
}

static blo_status make(blo_tracker *t, const blo_dense_options *dense, blo_int rows)
{
  blo_comm *comm = blo_eval_problem(t->eval)->comm;
  blo_int n_x = blo_space_n(blo_eval_space_x(t->eval));
  blo_int n_y = blo_space_n(blo_eval_space_y(t->eval));

  BLO_TRY(blo_grid_create(comm, dense, &t->grid));
  BLO_TRY_ALL(comm, make_local(t));
  t->bytes = (blo_int)blo_max_all(comm, (double)blo_tracker_bytes(t->eval, t->grid));
  BLO_TRY(blo_dense_create(t->grid, n_y, n_y, &t->hessian));
  BLO_TRY(blo_dense_create(t->grid, n_x, n_y, &t->cross));
  BLO_TRY(blo_clip_create(t->hessian, &t->clip));
  return blo_assembler_create(t->eval, t->grid, rows, true, &t->assembler);
}

static blo_status enter(blo_tracker *t, blo_state *state)
{
  BLO_TRY(blo_state_add_dense(state, "tracker.hessian", t->hessian));
  BLO_TRY(blo_state_add_dense(state, "tracker.cross", t->cross));
  BLO_TRY(blo_state_add_int(state, "tracker.inactive", &t->inactive));
  BLO_TRY(blo_state_add_int(state, "tracker.spectrum", &t->spectrum));
  return blo_state_add_int(state, "tracker.shortened", &t->shortened);
}

blo_status blo_tracker_create(blo_eval *eval, const blo_dense_options *dense,
                              const blo_tracker_options *options, blo_int rows, blo_state *state,
                              blo_tracker **out)
{
  blo_comm *comm = blo_eval_problem(eval)->comm;
  blo_status status = BLO_OK;
  blo_tracker *t = NULL;

  BLO_GO_ALL(comm, allocate(eval, options, &t));
  BLO_GO(make(t, dense, rows));
  if (state != NULL) {
    BLO_GO_ALL(comm, enter(t, state));
  }
  *out = t;
  t = NULL;
done:
  blo_tracker_destroy(&t);
  return status;
}

void blo_tracker_destroy(blo_tracker **tracker)
{
  blo_tracker *t = *tracker;

  if (t != NULL) {
    blo_context *ctx = t->ctx;
    blo_assembler_destroy(&t->assembler);
    blo_clip_destroy(&t->clip);
    blo_dense_destroy(&t->cross);
    blo_dense_destroy(&t->hessian);
    blo_grid_destroy(&t->grid);
    blo_free(ctx, &t->all_x);
    blo_free(ctx, &t->all_y);
    blo_free(ctx, &t->product);
    blo_free(ctx, tracker);
  }
}

blo_grid *blo_tracker_grid(const blo_tracker *t)
{
  return t->grid;
}

void blo_tracker_describe(const blo_tracker *t, FILE *to)
{
  const blo_tracker_options *o = t->options;

  fprintf(to,
          "tracking  H %lld x %lld, eigenvalues in [%g, %g] (%s); J %lld x %lld, norm at most %g\n"
          "          on a grid of %d x %d ranks, blocks of %lld: %.2f MiB on the rank that has "
          "most; %s\n",
          (long long)blo_dense_n(t->hessian), (long long)blo_dense_n(t->hessian), o->mu, o->L,
          blo_clip_mode_names[o->clip], (long long)blo_dense_m(t->cross),
          (long long)blo_dense_n(t->cross), o->cross_bound, blo_grid_rows(t->grid),
          blo_grid_cols(t->grid), (long long)blo_grid_block(t->grid), (double)t->bytes / 0x1p20,
          blo_grid_bits_text(t->grid));
}

/* ------------------------------------------------------------- recursions */

/** Both estimates get the matrices at the point of the step. Collective. */
static blo_status add_new(blo_tracker *t, const blo_track_step *s)
{
  const blo_assemble_ask ask = {.scale = 1,
                                .batch = s->batch,
                                .x = s->x,
                                .y = s->y,
                                .linearized = s->linearized && s->rule != BLO_TRACK_STORM,
                                .hessian = t->hessian,
                                .cross = t->cross};

  return blo_assemble(t->assembler, &ask);
}

/** They lose those at the point before. Collective. */
static blo_status subtract_old(blo_tracker *t, const blo_track_step *s)
{
  const blo_assemble_ask ask = {.scale = -1,
                                .batch = s->batch,
                                .x = s->x_old,
                                .y = s->y_old,
                                .linearized = s->linearized,
                                .hessian = t->hessian,
                                .cross = t->cross};

  return blo_assemble(t->assembler, &ask);
}

static void scale(blo_tracker *t, double of_hessian, double of_cross)
{
  blo_dense_scale(of_hessian, t->hessian);
  blo_dense_scale(of_cross, t->cross);
}

static blo_status fresh(blo_tracker *t, const blo_track_step *s)
{
  blo_dense_fill(0, t->hessian);
  blo_dense_fill(0, t->cross);
  return add_new(t, s);
}

static blo_status momentum(blo_tracker *t, const blo_track_step *s)
{
  scale(t, (1 - s->a_hessian) / s->a_hessian, (1 - s->a_cross) / s->a_cross);
  BLO_TRY(add_new(t, s));
  scale(t, s->a_hessian, s->a_cross);
  return BLO_OK;
}

static blo_status storm(blo_tracker *t, const blo_track_step *s)
{
  BLO_TRY(subtract_old(t, s));
  scale(t, 1 - s->a_hessian, 1 - s->a_cross);
  return add_new(t, s);
}

static void check_step(const blo_track_step *s)
{
  bool in_range = s->a_hessian > 0 && s->a_hessian <= 1 && s->a_cross > 0 && s->a_cross <= 1;

  BLO_BUG_IF(s->rule != BLO_TRACK_FRESH && !in_range, "tracking with a = %g and %g", s->a_hessian,
             s->a_cross);
  BLO_BUG_IF(s->rule == BLO_TRACK_STORM && (s->x_old == NULL || s->y_old == NULL),
             "a correction without the point before");
}

static blo_status advance(blo_tracker *t, const blo_track_step *s)
{
  switch (s->rule) {
  case BLO_TRACK_FRESH:
    return fresh(t, s);
  case BLO_TRACK_MOMENTUM:
    return momentum(t, s);
  default:
    return storm(t, s);
  }
}

/* ------------------------------------------------------------ projections */

/** The cross Jacobian is shortened to the ball of radius C. Collective. */
static blo_status shorten(blo_tracker *t)
{
  double most = t->options->cross_bound, norm = blo_dense_norm_frobenius(t->cross);

  BLO_CHECK(t->ctx, isfinite(norm), BLO_E_NONFINITE,
            "the norm of the tracked cross Jacobian [%lld][%lld] is %g",
            (long long)blo_dense_m(t->cross), (long long)blo_dense_n(t->cross), norm);
  if (norm > most) {
    blo_dense_scale(most / norm, t->cross);
    t->shortened++;
  }
  return BLO_OK;
}

blo_status blo_tracker_update(blo_tracker *t, const blo_track_step *step)
{
  const blo_tracker_options *o = t->options;

  check_step(step);
  BLO_TRY(advance(t, step));
  blo_dense_symmetrise(t->hessian);
  BLO_TRY(blo_clip_apply(t->clip, o->mu, o->L, (blo_clip_mode)o->clip));
  t->inactive += blo_clip_last(t->clip).path == BLO_CLIP_INACTIVE;
  t->spectrum += blo_clip_last(t->clip).path == BLO_CLIP_SPECTRUM;
  return shorten(t);
}

/* ---------------------------------------------------------------- products */

/* The entries come back after each solve, because whoever saves the state looks at them. */
void blo_tracker_solve(blo_tracker *t, const blo_vec *in, blo_vec *out)
{
  blo_vec_get_all(in, t->all_y);
  blo_clip_solve(t->clip, t->all_y);
  blo_clip_release(t->clip);
  blo_vec_set_from(t->all_y, out);
}

void blo_tracker_cross(blo_tracker *t, const blo_vec *v, blo_vec *out)
{
  blo_vec_get_all(v, t->all_y);
  blo_dense_multiply(false, t->cross, t->all_y, t->all_x);
  blo_vec_set_from(t->all_x, out);
}

void blo_tracker_cross_transposed(blo_tracker *t, const blo_vec *w, blo_vec *out)
{
  blo_vec_get_all(w, t->all_x);
  blo_dense_multiply(true, t->cross, t->all_x, t->all_y);
  blo_vec_set_from(t->all_y, out);
}

void blo_tracker_certify(blo_tracker *t, const blo_vec *rhs, const blo_vec *v, blo_certificate *c)
{
  blo_int n = blo_dense_n(t->hessian);

  blo_vec_get_all(v, t->all_y);
  blo_dense_multiply(false, t->hessian, t->all_y, t->product);
  blo_vec_get_all(rhs, t->all_y);
  for (blo_int i = 0; i < n; i++) {
    t->product[i] -= t->all_y[i];
  }
  *c = (blo_certificate){.lower_residual = (double)NAN,
                         .curvature = (double)NAN,
                         .adjoint_residual = blo_array_norm(n, t->product),
                         .adjoint_rhs = blo_array_norm(n, t->all_y),
                         .verdict = BLO_VERDICT_CONVERGED,
                         .rcond = (double)NAN,
                         .clip = blo_tracker_clips(t),
                         .grid_rows = blo_grid_rows(t->grid),
                         .grid_cols = blo_grid_cols(t->grid)};
  c->adjoint_relative = c->adjoint_residual == 0 ? 0 : c->adjoint_residual / c->adjoint_rhs;
}

blo_clip_report blo_tracker_clips(const blo_tracker *t)
{
  blo_clip_report report = blo_clip_last(t->clip);

  report.inactive = t->inactive;
  report.spectrum = t->spectrum;
  return report;
}

blo_int blo_tracker_shortened(const blo_tracker *t)
{
  return t->shortened;
}
