/**
 * @file `parblo certify`: the second order of F where a run ended (second_order.h): strict saddle,
 * approximate local minimum, or not decided.
 */
#include "arguments.h"
#include "commands.h"
#include "final_point.h"
#include <string.h>

/* A minimum is 0; what else is decided, or not, has codes apart from those of errors. */
enum { EXIT_UNDECIDED = 1, EXIT_SADDLE = 30, VALUE_CAP = 1200 };

static const char own_prefix[] = "certify.";

typedef struct request {
  blo_run_request run;
  const char **set; /**< [argc] those for the run's configuration */
  blo_conf *conf;   /**< the map `certify` */
  blo_certify_options options;
  blo_int seed;
} request;

typedef struct certification {
  blo_comm *comm;
  const request *request;
  blo_final final;
  blo_setup *setup;
  blo_certifier *certifier;
  blo_vec *x, *y;
  blo_certify_report report;
  double seconds;
} certification;

/* -------------------------------------------------------------- arguments */

static blo_status set_own(blo_context *ctx, request *r, const char *key, const char *value)
{
  char assignment[VALUE_CAP];
  int n = snprintf(assignment, sizeof assignment, "certify.%s=%s", key, value);

  BLO_CHECK(ctx, n < (int)sizeof assignment, BLO_E_OPTION, "the value of --%s is too long", key);
  return blo_conf_set(r->conf, assignment);
}

static blo_status take(blo_context *ctx, request *r, int option)
{
  switch (option) {
  case 's':
    if (strncmp(optarg, own_prefix, sizeof own_prefix - 1) == 0) {
      return blo_conf_set(r->conf, optarg);
    }
    r->set[r->run.n_set++] = optarg;
    return BLO_OK;
  case 'p':
    r->run.plugin = optarg;
    return BLO_OK;
  case 'r':
    return blo_arguments_int(ctx, "--seed", optarg, 0, INT64_MAX, &r->seed);
  case 'e':
    return set_own(ctx, r, "epsilon", optarg);
  case 'g':
    return set_own(ctx, r, "gamma", optarg);
  default:
    return set_own(ctx, r, "steps", optarg);
  }
}

static blo_status parse(blo_context *ctx, int argc, char **argv, request *r)
{
  static const struct option known[] = {{"set", required_argument, NULL, 's'},
                                        {"plugin", required_argument, NULL, 'p'},
                                        {"seed", required_argument, NULL, 'r'},
                                        {"epsilon", required_argument, NULL, 'e'},
                                        {"gamma", required_argument, NULL, 'g'},
                                        {"steps", required_argument, NULL, 'n'},
                                        {NULL, 0, NULL, 0}};
  int option;

  BLO_TRY(blo_alloc(ctx, argc, sizeof *r->set, &r->set));
  BLO_TRY(blo_conf_parse(ctx, "certify", "{}", &r->conf));
  r->run.set = r->set;
  blo_arguments_start();
  for (;;) {
    BLO_TRY(blo_arguments_next(ctx, argc, argv, ":s:", known, &option));
    if (option == -1) {
      break;
    }
    BLO_TRY(take(ctx, r, option));
  }
  BLO_CHECK(ctx, optind == argc - 1, BLO_E_OPTION,
            "certify needs one run file or checkpoint, %d were given", argc - optind);
  r->run.file = argv[optind];
  return blo_opt_read(ctx, &blo_certify_table, blo_conf_find(r->conf, "certify"), NULL,
                      &r->options);
}

/* ------------------------------------------------------------------ output */

/** The path of a map `set` in the solver's configuration that is a set, or NULL. */
static const char *find_set(const blo_conf *node)
{
  const char *found = NULL;

  for (blo_int i = 0; i < blo_conf_count(node) && found == NULL; i++) {
    const blo_conf *child = blo_conf_find(node, blo_conf_key(node, i));
    const char *type =
        strcmp(blo_conf_key(node, i), "set") == 0 ? blo_conf_text(child, "type") : NULL;
    found = type != NULL && strcmp(type, "none") != 0 ? blo_conf_path(child) : find_set(child);
  }
  return found;
}

static void print_head(const certification *c)
{
  const blo_problem *p = c->setup->problem;
  const char *set = find_set(blo_conf_find(c->setup->conf, "solver"));

  printf("%s: %s, iteration %lld\n", c->final.path, c->final.is_run ? "run file" : "checkpoint",
         (long long)c->final.iteration);
  printf("  problem        %s, n_x = %lld, n_y = %lld\n", p->type->name, (long long)p->n_x,
         (long long)p->n_y);
  if (set != NULL) {
    printf(
        "  note           the method kept a variable in a set (%s); this is about F without it\n",
        set);
  }
}

static void print_first_order(const certification *c)
{
  const blo_exact_report *at = &c->report.at, *worst = &c->report.worst;

  printf("  ||grad F||     %.10g (epsilon %.4g)\n", at->hypergrad_norm,
         c->request->options.epsilon);
  printf("  lower level    ||grad_y g|| = %.4g, error %.2g, %.2g at worst (tol_lower %.2g)\n",
         at->lower_residual, at->lower_error, worst->lower_error,
         c->request->options.exact.tol_lower);
  printf("  adjoint        residual %.4g, error %.2g, %.2g at worst (tol_adjoint %.2g)\n",
         at->adjoint_residual, at->adjoint_error, worst->adjoint_error,
         c->request->options.exact.tol_adjoint);
}

static void print_spectrum(const char *name, const blo_lanczos_report *l, blo_int n)
{
  if (l->steps > 0) {
    printf("  %s   Ritz values %.10g to %.10g, %lld Lanczos steps of %lld\n", name, l->smallest,
           l->largest, (long long)l->steps, (long long)n);
  }
}

static void print_second_order(const certification *c)
{
  const blo_certify_report *r = &c->report;
  const blo_problem *p = c->setup->problem;

  print_spectrum("Hessian of g", &r->lower, p->n_y);
  if (r->upper.steps == 0) {
    return;
  }
  print_spectrum("Hessian of F", &r->upper, p->n_x);
  printf("  smallest       curvature %.10g along its Ritz vector, residual %.2g\n", r->rayleigh,
         r->upper.residual);
  printf("  lower bound    %.10g", r->upper.bound);
  if (r->upper.steps < p->n_x) {
    printf(" with probability %.6g", 1 - c->request->options.failure);
  }
  printf("\n  accuracy       %.2g (differences with h = %.4g)\n", r->accuracy, r->h);
}

static void print_cost(const certification *c)
{
  const blo_counts *n = blo_eval_counts(c->setup->eval);

  printf("  oracle calls  ");
#define PRINT(name, text) printf(" %s %lld", #name, (long long)n->name);
  BLO_COUNT_LIST(PRINT)
#undef PRINT
  printf("\n  time           %.3g s, %lld hypergradients with %lld Newton steps\n", c->seconds,
         (long long)c->report.hypergradients, (long long)c->report.worst.steps);
}

static void print(const certification *c)
{
  if (blo_comm_rank(c->comm) != BLO_ROOT) {
    return;
  }
  print_head(c);
  print_first_order(c);
  print_second_order(c);
  print_cost(c);
  printf("%s: %s\n", blo_second_order_text(c->report.verdict), c->report.evidence);
  fflush(stdout);
}

/* -------------------------------------------------------------------- work */

static blo_status make_point(certification *c)
{
  BLO_TRY(blo_vec_create(blo_eval_space_x(c->setup->eval), &c->x));
  return blo_vec_create(blo_eval_space_y(c->setup->eval), &c->y);
}

static blo_status certify(certification *c)
{
  const request *r = c->request;
  double begin;

  BLO_TRY(blo_final_open(c->comm, r->run.file, &c->final));
  BLO_TRY(blo_setup_from_text(c->comm, c->final.path, c->final.config, &r->run, &c->setup));
  blo_solver_destroy(&c->setup->solver); /* its memory */
  BLO_TRY_ALL(c->comm, make_point(c));
  BLO_TRY(blo_final_read(c->comm, &c->final, c->setup->problem, c->x, c->y));
  BLO_TRY(blo_certifier_create(c->setup->eval, &r->options, &c->certifier));
  begin = blo_now();
  BLO_TRY(blo_certifier_run(c->certifier, c->x, c->y, (uint64_t)r->seed, &c->report, NULL));
  c->seconds = blo_now() - begin;
  return BLO_OK;
}

static void clear(certification *c)
{
  blo_certifier_destroy(&c->certifier);
  blo_vec_destroy(&c->x);
  blo_vec_destroy(&c->y);
  blo_setup_destroy(c->comm, &c->setup);
  blo_final_close(blo_comm_context(c->comm), &c->final);
}

static int exit_code(blo_second_order verdict)
{
  if (verdict == BLO_SECOND_ORDER_MINIMUM) {
    return 0;
  }
  return verdict == BLO_SECOND_ORDER_SADDLE ? EXIT_SADDLE : EXIT_UNDECIDED;
}

int blo_cmd_certify(blo_comm *comm, int argc, char **argv)
{
  blo_context *ctx = blo_comm_context(comm);
  request r = {.seed = 1};
  certification c = {.comm = comm, .request = &r};
  blo_status status = blo_agree(comm, parse(ctx, argc, argv, &r));

  if (status == BLO_OK) {
    status = certify(&c);
  }
  if (status == BLO_OK) {
    print(&c);
  }
  clear(&c);
  blo_conf_destroy(&r.conf);
  blo_free(ctx, &r.set);
  return status == BLO_OK ? exit_code(c.report.verdict) : blo_cmd_fail(comm, status);
}
