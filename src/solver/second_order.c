/**
 * @file
 * The second-order certificate: Lanczos on differences of exact hypergradients; see second_order.h.
 *
 * The step of the differences: with gradients of relative error d the error of a quotient is
 * O(h^2) + O(d / h), least for h of the order of d^(1/3). Accuracy is not taken from that but
 * measured: by doubling h along the direction in question (h^2, kinks), by what Lanczos sees of
 * asymmetry (noise), and by what residuals do where H is ill-conditioned: see the header.
 */
#include <blo/second_order.h>
#include <float.h>
#include <math.h>
#include <stdio.h>

/** The part of |H| by which a Ritz value of H may be negative: rounding, or that of differences. */
static const double NEGATIVE = 1e-7;
/** A Ritz value of H that is no more than this part of |H| is 0: CG takes it so too. */
static const double FLAT = 10 * DBL_EPSILON, FLAT_OF_DIFFERENCES = 1e-8;
/** gamma, as a part of the largest |Ritz value|, if it is not given. */
static const double GAMMA = 1e-3;

struct blo_certifier {
  blo_eval *eval;
  blo_certify_options o;
  blo_exact *exact;
  blo_lanczos *lower, *upper; /**< on H (NULL: not wanted), on D^2 F */
  const blo_vec *x, *y;
  blo_vec *x_moved, *ahead; /**< x +- h q, and the hypergradient ahead */
  blo_vec *z, *Bz;          /**< the Ritz vector, and D^2F z */
  blo_vec *y_moved, *w;     /**< w: about H^+ times a unit vector */
  double h;
  blo_certify_report *report;
};

/* ------------------------------------------------------------------- life */

static blo_status make(blo_eval *eval, const blo_certify_options *options, blo_certifier **out)
{
  blo_space *x = blo_eval_space_x(eval);
  blo_certifier *c;

  BLO_TRY(blo_alloc(blo_eval_problem(eval)->ctx, 1, sizeof *c, out));
  c = *out;
  *c = (blo_certifier){.eval = eval, .o = *options};
  BLO_TRY(blo_vec_create(x, &c->x_moved));
  BLO_TRY(blo_vec_create(x, &c->ahead));
  BLO_TRY(blo_vec_create(x, &c->z));
  BLO_TRY(blo_vec_create(x, &c->Bz));
  BLO_TRY(blo_vec_create(blo_eval_space_y(c->eval), &c->y_moved));
  BLO_TRY(blo_vec_create(blo_eval_space_y(c->eval), &c->w));
  return blo_exact_create(c->eval, &c->o.exact, &c->exact);
}

blo_status blo_certifier_create(blo_eval *eval, const blo_certify_options *options,
                                blo_certifier **out)
{
  blo_status status = BLO_OK;
  blo_certifier *c = NULL;

  BLO_GO_ALL(blo_eval_problem(eval)->comm, make(eval, options, &c));
  BLO_GO(blo_lanczos_create(blo_eval_space_x(eval), options->steps, &c->upper));
  if (options->lower_steps > 0) {
    BLO_GO(blo_lanczos_create(blo_eval_space_y(eval), options->lower_steps, &c->lower));
  }
  *out = c;
  c = NULL;
done:
  blo_certifier_destroy(&c);
  return status;
}

void blo_certifier_destroy(blo_certifier **certifier)
{
  blo_certifier *c = *certifier;

  if (c != NULL) {
    blo_context *ctx = blo_eval_problem(c->eval)->ctx;
    blo_exact_destroy(&c->exact);
    blo_lanczos_destroy(&c->lower);
    blo_lanczos_destroy(&c->upper);
    blo_vec_destroy(&c->x_moved);
    blo_vec_destroy(&c->ahead);
    blo_vec_destroy(&c->z);
    blo_vec_destroy(&c->Bz);
    blo_vec_destroy(&c->y_moved);
    blo_vec_destroy(&c->w);
    blo_free(ctx, certifier);
  }
}

/* ------------------------------------------------------- hypergradients */

/** The larger one, NaN if one is: fmax() would drop it. */
static double larger(double a, double b)
{
  return a > b || isnan(a) ? a : b;
}

/** Keep the worst of all solves. */
static void note(blo_certify_report *all, const blo_exact_report *one)
{
  blo_exact_report *w = &all->worst;
  bool solved = (all->hypergradients == 0 || w->solved) && one->solved;

  w->hypergrad_norm = larger(w->hypergrad_norm, one->hypergrad_norm);
  w->lower_residual = larger(w->lower_residual, one->lower_residual);
  w->lower_scale = larger(w->lower_scale, one->lower_scale);
  w->adjoint_scale = larger(w->adjoint_scale, one->adjoint_scale);
  w->lower_error = larger(w->lower_error, one->lower_error);
  w->adjoint_residual = larger(w->adjoint_residual, one->adjoint_residual);
  w->adjoint_error = larger(w->adjoint_error, one->adjoint_error);
  w->curvature = fmin(w->curvature, one->curvature);
  w->steps += one->steps;
  w->products += one->products;
  w->curved = w->curved || one->curved;
  w->solved = solved;
  all->hypergradients++;
}

/** out = grad F(x + t q). Collective. */
static blo_status gradient_at(blo_certifier *c, double t, const blo_vec *q, blo_vec *out)
{
  blo_exact_report one;

  blo_vec_copy(c->x, c->x_moved);
  blo_vec_axpy(t, q, c->x_moved);
  blo_vec_publish(c->x_moved);
  blo_vec_copy(c->y, c->y_moved);
  BLO_TRY(blo_exact_hypergradient(c->exact, c->x_moved, c->y_moved, out, &one));
  note(c->report, &one);
  return BLO_OK;
}

/** out = (grad F(x + h q) - grad F(x - h q)) / (2h). Collective. */
static blo_status difference(blo_certifier *c, double h, const blo_vec *q, blo_vec *out)
{
  BLO_TRY(gradient_at(c, h, q, c->ahead));
  BLO_TRY(gradient_at(c, -h, q, out));
  blo_vec_aypx(-1, c->ahead, out);
  blo_vec_scale(1 / (2 * h), out);
  return BLO_OK;
}

/** For Lanczos on D^2 F. Collective. */
static blo_status upper_product(void *arg, const blo_vec *q, blo_vec *out)
{
  blo_certifier *c = arg;

  return difference(c, c->h, q, out);
}

/** For Lanczos on H. Collective. */
static blo_status lower_product(void *arg, const blo_vec *q, blo_vec *out)
{
  blo_certifier *c = arg;

  c->report->worst.products++;
  return blo_exact_product(c->exact, q, out);
}

/* ------------------------------------------------------------ the steps */

static double choose_h(const blo_certifier *c)
{
  double tol = fmax(c->o.exact.tol_lower, c->o.exact.tol_adjoint);
  double size = blo_vec_norm(c->x) / sqrt((double)blo_space_n(c->x->space));

  return c->o.h > 0 ? c->o.h : cbrt(tol) * fmax(1, size);
}

/** Lanczos on H at y, all the steps, for the smallest Ritz values count; and what residuals do to
 *  hypergradients. Collective. */
static blo_status look_at_lower(blo_certifier *c, uint64_t seed)
{
  blo_certify_report *r = c->report;
  double flat = blo_eval_problem(c->eval)->minimax ? FLAT_OF_DIFFERENCES : FLAT;

  BLO_TRY(blo_lanczos_run(c->lower, lower_product, c, seed + 1, c->o.failure, 0, &r->lower));
  blo_lanczos_inverse(c->lower, flat * fmax(fabs(r->lower.smallest), fabs(r->lower.largest)), c->w);
  return blo_exact_sensitivity(c->exact, c->w, c->ahead, c->Bz, &r->by_lower, &r->by_adjoint);
}

/** The hypergradient at x, and H there. Collective. */
static blo_status look_at_point(blo_certifier *c, blo_vec *y, uint64_t seed)
{
  blo_certify_report *r = c->report;

  BLO_TRY(blo_exact_hypergradient(c->exact, c->x, y, c->ahead, &r->at));
  BLO_TRY(c->lower != NULL ? look_at_lower(c, seed) : BLO_OK);
  note(r, &r->at);
  return BLO_OK;
}

/** What the residuals of all hypergradients do to differences of two; see the header. */
static double solving_error(const blo_certifier *c)
{
  const blo_certify_report *r = c->report;
  const blo_exact_report *w = &r->worst;
  double lower = larger(w->lower_residual, DBL_EPSILON * w->lower_scale);
  double adjoint = larger(w->adjoint_residual, DBL_EPSILON * w->adjoint_scale);
  double n_y = (double)blo_eval_problem(c->eval)->n_y;

  return sqrt(n_y) * (r->by_lower * lower + r->by_adjoint * adjoint) / c->h;
}

/** z'D^2F z at steps h and 2h. Collective. */
static blo_status measure(blo_certifier *c)
{
  blo_certify_report *r = c->report;
  double doubled;

  BLO_TRY(difference(c, 2 * c->h, c->z, c->Bz));
  doubled = blo_vec_dot(c->z, c->Bz);
  BLO_TRY(difference(c, c->h, c->z, c->Bz));
  r->rayleigh = blo_vec_dot(c->z, c->Bz);
  r->difference = fabs(doubled - r->rayleigh);
  r->solving = solving_error(c);
  r->accuracy =
      r->difference + r->upper.asymmetry + fabs(r->rayleigh - r->upper.smallest) + r->solving;
  return BLO_OK;
}

/* -------------------------------------------------------------- verdict */

/** Is there a reason to say nothing? Then it is in the evidence. */
static bool says_nothing(const blo_certifier *c, blo_certify_report *r)
{
  enum { CAP = sizeof r->evidence };
  const blo_exact_options *o = &c->o.exact;

  if (r->worst.curved) {
    snprintf(r->evidence, CAP,
             "conjugate gradients met negative curvature of g, %.3g: y is no minimiser",
             r->worst.curvature);
  } else if (r->lower.steps > 0 && r->lower.smallest < -NEGATIVE * fabs(r->lower.largest)) {
    snprintf(r->evidence, CAP, "H has the Ritz value %.3g at y: y is no minimiser of g",
             r->lower.smallest);
  } else if (!isfinite(r->worst.lower_error) || !isfinite(r->worst.adjoint_error)) {
    snprintf(
        r->evidence, CAP,
        "numbers overflow at the point: ||grad_y g|| = %.3g, residual of the adjoint %.3g; did "
        "the run diverge?",
        r->worst.lower_residual, r->worst.adjoint_residual);
  } else if (!r->worst.solved) {
    snprintf(r->evidence, CAP,
             "hypergradients are not exact: lower error %.2g (tol_lower %.2g), adjoint error %.2g "
             "(tol_adjoint %.2g)",
             r->worst.lower_error, o->tol_lower, r->worst.adjoint_error, o->tol_adjoint);
  } else if (!(r->at.hypergrad_norm <= c->o.epsilon)) {
    snprintf(r->evidence, CAP, "not stationary: ||grad F|| = %.4g > epsilon = %.4g",
             r->at.hypergrad_norm, c->o.epsilon);
  } else {
    return false;
  }
  return true;
}

/** Curvatures that are no better known than up to what counts are no evidence. */
static bool is_vague(const blo_certify_report *r, double largest)
{
  return !(r->accuracy <= fmax(r->gamma, GAMMA * largest));
}

/** Neither a saddle nor a minimum: why. */
static void explain(blo_certify_report *r, bool vague)
{
  enum { CAP = sizeof r->evidence };

  if (r->upper.bound > r->rayleigh && vague) {
    snprintf(r->evidence, CAP,
             "curvature %.6g and lower bound %.6g contradict each other: accuracy %.2g (%.2g of it "
             "by residuals), gamma = %.4g; try another certify.h",
             r->rayleigh, r->upper.bound, r->accuracy, r->solving, r->gamma);
  } else if (vague) {
    snprintf(
        r->evidence, CAP,
        "curvature %.6g has the accuracy %.2g (%.2g of it by residuals and the condition of H), "
        "gamma = %.4g",
        r->rayleigh, r->accuracy, r->solving, r->gamma);
  } else {
    snprintf(r->evidence, CAP,
             "the smallest eigenvalue lies between %.6g and %.6g, accuracy %.2g, and gamma = %.4g",
             r->upper.bound, r->rayleigh, r->accuracy, r->gamma);
  }
}

static blo_second_order judge(const blo_certifier *c, blo_certify_report *r)
{
  enum { CAP = sizeof r->evidence };
  double largest = fmax(fabs(r->upper.smallest), fabs(r->upper.largest));

  r->gamma = c->o.gamma > 0 ? c->o.gamma : GAMMA * largest;
  if (says_nothing(c, r)) {
    return BLO_SECOND_ORDER_UNDECIDED;
  }
  if (is_vague(r, largest)) {
    explain(r, true);
    return BLO_SECOND_ORDER_UNDECIDED;
  }
  if (r->rayleigh + r->accuracy < -r->gamma) {
    snprintf(r->evidence, CAP, "curvature %.6g + accuracy %.2g < -gamma = -%.4g", r->rayleigh,
             r->accuracy, r->gamma);
    return BLO_SECOND_ORDER_SADDLE;
  }
  if (r->upper.bound - r->accuracy >= -r->gamma) {
    snprintf(r->evidence, CAP, "lower bound %.6g - accuracy %.2g >= -gamma = -%.4g", r->upper.bound,
             r->accuracy, r->gamma);
    return BLO_SECOND_ORDER_MINIMUM;
  }
  explain(r, false);
  return BLO_SECOND_ORDER_UNDECIDED;
}

/** All the work; what is not come to stays as it is. Collective. */
static blo_status examine(blo_certifier *c, blo_vec *y, uint64_t seed)
{
  blo_certify_report *r = c->report;

  BLO_TRY(look_at_point(c, y, seed));
  BLO_TRY(blo_lanczos_run(c->upper, upper_product, c, seed, c->o.failure, c->o.tol, &r->upper));
  blo_lanczos_vector(c->upper, c->z);
  BLO_TRY(measure(c));
  r->verdict = judge(c, r);
  return BLO_OK;
}

/** Numbers that are not finite are no failure of the certifier. */
static void give_up(blo_certifier *c)
{
  blo_certify_report *r = c->report;

  snprintf(r->evidence, sizeof r->evidence, "%s the point: %s; did the run diverge?",
           r->hypergradients == 0 ? "at" : "near", blo_error_text(blo_eval_problem(c->eval)->ctx));
  r->verdict = BLO_SECOND_ORDER_UNDECIDED;
  blo_vec_fill(c->z, 0);
}

blo_status blo_certifier_run(blo_certifier *c, const blo_vec *x, blo_vec *y, uint64_t seed,
                             blo_certify_report *report, blo_vec *direction)
{
  const double none = (double)NAN;
  blo_status status;

  *report = (blo_certify_report){.at = {.hypergrad_norm = none, .curvature = none},
                                 .worst = {.curvature = none},
                                 .upper = {.smallest = none, .largest = none, .bound = none},
                                 .rayleigh = none,
                                 .difference = none,
                                 .accuracy = none};
  c->report = report;
  c->x = x;
  c->y = y;
  c->h = report->h = choose_h(c);
  status = examine(c, y, seed);
  if (status == BLO_E_NONFINITE) {
    give_up(c);
  } else if (status != BLO_OK) {
    return status;
  }
  if (direction != NULL) {
    blo_vec_copy(c->z, direction);
    blo_vec_publish(direction);
  }
  return BLO_OK;
}

/* -------------------------------------------------------------- options */

static const char source[] = "docs/certify.md";
#define AT blo_certify_options
static const blo_opt_row rows[] = {
    BLO_OPT(AT, epsilon, "1e-3", 0, BLO_INF, "-",
            "x counts as stationary if the norm of grad F is at most epsilon", "", 0),
    BLO_OPT(AT, gamma, "0", 0, BLO_INF, "-",
            "curvature that counts: a saddle has less than -gamma; 0 = 1e-3 of the largest "
            "|Ritz value|",
            "", 0),
    BLO_OPT(AT, failure, "1e-3", 0, 0.5, "-",
            "probability with which the lower bound may fail, over the random start of Lanczos",
            "van Dorsselaer, Hochstenbach and van der Vorst 2000", BLO_OPT_OPEN_LOW),
    BLO_OPT(AT, tol, "1e-4", 0, 1, "-",
            "no more Lanczos steps once smallest Ritz value and lower bound differ by tol times "
            "the largest |Ritz value|",
            "", 0),
    BLO_OPT(AT, h, "0", 0, 1e12, "-",
            "step of the differences of hypergradients; 0 = cbrt(tol_lower or tol_adjoint) "
            "max(1, ||x|| / sqrt(n_x))",
            source, 0),
    BLO_OPT(AT, steps, "60", 1, 500, "steps",
            "Lanczos steps on the Hessian of F at most; each is two hypergradients and a vector "
            "like x",
            "", 0),
    BLO_OPT(
        AT, lower_steps, "30", 0, 500, "steps",
        "Lanczos steps on H at most, to see negative curvature of g and how ill-conditioned H is; "
        "0 = none, accuracy then lacks that; each is a product H v and a vector like y",
        "", 0),
    BLO_OPT_AS("tol_lower", AT, exact.tol_lower, "1e-12", 0, 1, "-",
               "the lower level is solved if ||grad_y g|| <= tol_lower |H| max(1, ||y||)",
               "Rigal and Gaches 1967", BLO_OPT_OPEN_LOW),
    BLO_OPT_AS("tol_adjoint", AT, exact.tol_adjoint, "1e-12", 0, 1, "-",
               "the adjoint is solved if ||H v - grad_y f|| <= tol_adjoint (|H| ||v|| + "
               "||grad_y f||)",
               "Rigal and Gaches 1967", BLO_OPT_OPEN_LOW),
    BLO_OPT_AS("newton", AT, exact.newton, "100", 0, 1e6, "steps",
               "Newton steps on the lower level at most, in a hypergradient", "", 0),
    BLO_OPT_AS("products", AT, exact.products, "10000", 1, 1e9, "products",
               "products H v in a solve by conjugate gradients at most", "", 0),
    BLO_OPT_AS(
        "linearize", AT, exact.linearize, "true", 0, 0, "-",
        "keep what products H v at a point share, for all samples: faster; false takes less memory",
        "", 0),
};
#undef AT

const blo_opt_table blo_certify_table = BLO_OPT_TABLE(
    "certify", "second-order certificate of a run's final point", blo_certify_options, rows);
