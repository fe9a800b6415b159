/* ranks: 1 2 3 */
/* Products of problems with the Gauss-Newton matrix: symmetric, semidefinite, those with H where
 * the model is linear in y and else not, the same on any number of ranks. */
#include "fixture.h"
#include <blo/check.h>
#include <blo/network.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { D = 3, G_PRODUCTS = BLO_WANT_HV | BLO_WANT_GAUSS_NEWTON };

/** hv = products with the directions v, as `how` says. */
static void sweep(const fixture *f, const blo_ask *how, blo_vec *const *v, blo_vec *const *hv)
{
  blo_ask ask = *how;
  blo_answer ans = {.g = 0};
  ask.n_v = D;
  for (int d = 0; d < D; d++) {
    ask.v[d] = v[d];
    ans.hv[d] = hv[d];
  }
  BLO_REQUIRE_STATUS(blo_eval_sweep(f->eval, &ask, &ans), BLO_OK);
}

/** v, G v and H v of a problem at a point. */
typedef struct products {
  blo_vec *x, *y, *v[D], *g[D], *h[D];
} products;

static void open_products(const fixture *f, products *p)
{
  fixture_point(f, &p->x, &p->y);
  fixture_like(p->y, D, p->v);
  fixture_like(p->y, D, p->g);
  fixture_like(p->y, D, p->h);
  for (int d = 0; d < D; d++) {
    blo_check_perturb(p->v[d], 1, 4, (uint64_t)d, p->v[d]);
  }
  BLO_REQUIRE_STATUS(blo_eval_reserve(f->eval, f->problem->n_lower, D), BLO_OK);
  sweep(f, &(blo_ask){.lower = G_PRODUCTS, .x = p->x, .y = p->y}, p->v, p->g);
  sweep(f, &(blo_ask){.lower = BLO_WANT_HV, .x = p->x, .y = p->y}, p->v, p->h);
}

static void close_products(products *p)
{
  fixture_free_vecs(D, p->v);
  fixture_free_vecs(D, p->g);
  fixture_free_vecs(D, p->h);
  blo_vec_destroy(&p->x);
  blo_vec_destroy(&p->y);
}

/** ||g - h|| / ||h||; g is overwritten. */
static double distance(blo_vec *g, const blo_vec *h)
{
  double size = blo_vec_norm(h);
  blo_vec_axpy(-1, h, g);
  return blo_vec_norm(g) / size;
}

static void expect_products(const char *name, const products *p, bool is_hessian)
{
  for (int d = 0; d < D; d++) {
    double vGv = blo_vec_dot(p->v[d], p->g[d]), size = blo_vec_norm(p->g[d]);
    double uGv = blo_vec_dot(p->v[0], p->g[d]), vGu = blo_vec_dot(p->v[d], p->g[0]);
    BLO_EXPECT_MSG(vGv >= 0 && size > 1e-4, "%s: v'Gv = %.3g", name, vGv);
    BLO_EXPECT_MSG(d == 0 || fabs(uGv - vGu) < 1e-12 * size * blo_vec_norm(p->v[d]),
                   "%s: not symmetric, %.17g and %.17g", name, uGv, vGu);
  }
  for (int d = 0; d < D; d++) {
    double gap = distance(p->g[d], p->h[d]);
    BLO_EXPECT_MSG(is_hessian ? !(gap > 0) : gap > 1e-3, "%s: G and H differ by %.3g", name, gap);
  }
}

/** And at a linearised point. */
static void expect_linearized(const char *name, const fixture *f, const products *p)
{
  blo_vec *gy, *again[D];
  fixture_like(p->y, 1, &gy);
  fixture_like(p->y, D, again);
  blo_ask first = {.lower = BLO_WANT_Y, .x = p->x, .y = p->y, .linearize = true};
  blo_answer ans = {.g_y = gy};
  BLO_REQUIRE_STATUS(blo_eval_sweep(f->eval, &first, &ans), BLO_OK);
  sweep(f, &(blo_ask){.lower = G_PRODUCTS, .x = p->x, .y = p->y, .linearized = true}, p->v, again);
  for (int d = 0; d < D; d++) {
    double gap = distance(again[d], p->g[d]);
    BLO_EXPECT_MSG(!(gap > 0), "%s: linearised off by %.3g", name, gap);
  }
  blo_vec_destroy(&gy);
  fixture_free_vecs(D, again);
}

/** G v is the same on one rank. */
static void expect_alone(blo_comm *self, int kind, const char *folder, const fixture *f,
                         const products *p)
{
  fixture g;
  products alone;
  fixture_make(self, kind, folder, BLO_REPRODUCIBLE, &g);
  open_products(&g, &alone);
  size_t bytes = (size_t)f->problem->n_y * sizeof(double);
  double *here = calloc(2, bytes), *there = here + f->problem->n_y;
  BLO_BUG_IF(here == NULL, "no memory for a test");
  for (int d = 0; d < D; d++) {
    blo_vec_gather(p->g[d], here);
    blo_vec_gather(alone.g[d], there);
    bool same = memcmp(here, there, bytes) == 0;
    BLO_EXPECT_MSG(blo_comm_rank(f->problem->comm) != BLO_ROOT || same,
                   "%s: direction %d differs from that on one rank", fixture_name(kind), d);
  }
  free(here);
  close_products(&alone);
  fixture_free(self, &g);
}

/** Options of a problem of our own. */
typedef struct bent_options {
  blo_net_options net;
} bent_options;

/* The model is linear in y, the term is not: only there G and H differ. */
static void describe_bent(const blo_problem *p, blo_level level, blo_graph *g)
{
  const blo_int one = 1;
  blo_node z = blo_graph_linear(g, BLO_IN_Y, "head", blo_graph_features(g), FIXTURE_CLASSES);
  blo_node x = blo_graph_param(g, BLO_IN_X, "x", 1, &one, (blo_init){BLO_INIT_CONSTANT, 0});
  blo_node bent = blo_graph_tanh(g, blo_graph_param_again(g, "head.W"));
  (void)p, (void)level;
  blo_graph_loss(g, blo_graph_softmax_ce(g, z));
  blo_graph_term(g, blo_graph_product(g, blo_graph_square_norm(g, bent), blo_graph_exp(g, x)));
}

static const blo_opt_row bent_rows[] = {BLO_NET_ROWS(bent_options)};
static const blo_opt_sub bent_subs[] = {
    {"data", offsetof(bent_options, net.data), &blo_data_table}};
static const blo_opt_table bent_table = {
    "bent",    "a bent term",          sizeof(bent_options), bent_rows, BLO_COUNT_OF(bent_rows),
    bent_subs, BLO_COUNT_OF(bent_subs)};
static const blo_problem_type bent_net = {BLO_NET_SLOTS, .name = "bent_net", .options = &bent_table,
                                          .describe = describe_bent};

static void terms_of_problems_take_part(blo_comm *comm)
{
  char folder[256], text[1024];
  fixture f = {NULL, NULL, NULL};
  products p;
  blo_test_tmpdir(comm, folder, sizeof folder);
  fixture_write_data(comm, folder);
  snprintf(text, sizeof text,
           "data: {train: {path: %s/data.csv}, n_train: 40, n_val: 20, n_test: 0, shards: 4}",
           folder);
  BLO_REQUIRE_STATUS(blo_conf_parse(blo_comm_context(comm), "test", text, &f.conf), BLO_OK);
  BLO_REQUIRE_STATUS(blo_problem_create(comm, &bent_net, f.conf, &f.problem), BLO_OK);
  BLO_REQUIRE_STATUS(blo_eval_create(f.problem, BLO_REPRODUCIBLE, &f.eval), BLO_OK);
  open_products(&f, &p);
  expect_products("bent", &p, false);
  close_products(&p);
  fixture_free(comm, &f);
}

static void problems_of_graphs_have_it(blo_comm *comm)
{
  char folder[256];
  blo_comm *self = NULL;
  blo_test_tmpdir(comm, folder, sizeof folder);
  fixture_write_data(comm, folder);
  BLO_REQUIRE_STATUS(blo_comm_create(blo_comm_context(comm), MPI_COMM_SELF, &self), BLO_OK);
  for (int kind = FIXTURE_REPRESENTATION; kind < N_FIXTURES; kind++) {
    fixture f;
    products p;
    fixture_make(comm, kind, folder, BLO_REPRODUCIBLE, &f);
    BLO_EXPECT_MSG((f.problem->has & BLO_HAS_GAUSS_NEWTON) != 0, "%s", fixture_name(kind));
    open_products(&f, &p);
    expect_alone(self, kind, folder, &f, &p);
    expect_linearized(fixture_name(kind), &f, &p);
    expect_products(fixture_name(kind), &p,
                    kind == FIXTURE_REPRESENTATION || kind == FIXTURE_FEW_SHOT);
    close_products(&p);
    fixture_free(comm, &f);
  }
  blo_comm_destroy(&self);
}

/** Where g is a convex quadratic in y, H is its own Gauss-Newton matrix. */
static void quadratic_problems_have_it(blo_comm *comm)
{
  static const char *const with[] = {"quadratic",       "pl_game",          "factorization",
                                     "quartic_saddle",  "minimax_saddle",   "minimax_w",
                                     "convex_follower", "penalty_quadratic"};
  static const char *const without[] = {"sine_follower", "sine_pl"};
  for (size_t i = 0; i < sizeof with / sizeof with[0]; i++) {
    fixture f = {NULL, NULL, NULL};
    products p;
    BLO_REQUIRE_STATUS(blo_problem_create(comm, blo_problem_find(with[i]), NULL, &f.problem),
                       BLO_OK);
    BLO_REQUIRE_STATUS(blo_eval_create(f.problem, BLO_REPRODUCIBLE, &f.eval), BLO_OK);
    BLO_EXPECT_MSG((f.problem->has & BLO_HAS_GAUSS_NEWTON) != 0, "%s", with[i]);
    open_products(&f, &p);
    expect_products(with[i], &p, true);
    close_products(&p);
    fixture_free(comm, &f);
  }
  for (size_t i = 0; i < sizeof without / sizeof without[0]; i++) {
    blo_problem *p = NULL;
    BLO_REQUIRE_STATUS(blo_problem_create(comm, blo_problem_find(without[i]), NULL, &p), BLO_OK);
    BLO_EXPECT_MSG((p->has & BLO_HAS_GAUSS_NEWTON) == 0, "%s", without[i]);
    blo_problem_destroy(&p);
  }
}

static const blo_test tests[] = {
    {"problems of graphs have it", problems_of_graphs_have_it},
    {"terms of problems take part", terms_of_problems_take_part},
    {"quadratic problems have it", quadratic_problems_have_it},
};
BLO_TEST_MAIN("gauss_newton_problems", tests)
