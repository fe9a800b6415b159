/**
 * @file
 * The Lanczos process with full reorthogonalisation, and what its tridiagonal matrix T says of the
 * smallest eigenvalue; see second_order.h. The root alone calls LAPACK, so that ranks on unlike
 * processors decide alike.
 */
#include <blo/check.h>
#include <blo/second_order.h>
#include <float.h>
#include <math.h>
#include <string.h>

/* LAPACK, with Fortran's hidden length of the character argument: eigenvalues, ascending, and with
 * jobz V eigenvectors of a symmetric tridiagonal matrix. */
extern void dstev_(const char *jobz, const int *n, double *d, double *e, double *z, const int *ldz,
                   double *work, int *info, size_t n_jobz);

struct blo_lanczos {
  blo_context *ctx;
  blo_comm *comm;
  blo_int n, most, k; /**< order of B; steps at most, and done */
  blo_vec **q;        /**< [most] */
  blo_vec *w;
  double *alpha, *beta; /**< [most] T's diagonal, and what follows it below */
  double *theta;        /**< [most] Ritz values */
  double *s;            /**< [most] the first eigenvector of T */
  double *c;            /**< [most] coefficients of an inverse */
  double *off, *work;   /**< at the root: [most], [2 most] */
  double *z;            /**< at the root: [most][most] */
  double strange;       /**< sum of squares of Q'B Q - T */
};

/* ------------------------------------------------------------------- life */

static blo_status make_root(blo_lanczos *l)
{
  if (blo_comm_rank(l->comm) != BLO_ROOT) {
    return BLO_OK;
  }
  BLO_TRY(blo_alloc(l->ctx, l->most, sizeof *l->off, &l->off));
  BLO_TRY(blo_alloc(l->ctx, 2 * l->most, sizeof *l->work, &l->work));
  return blo_alloc(l->ctx, l->most * l->most, sizeof *l->z, &l->z);
}

static blo_status make(blo_space *space, blo_int steps, blo_lanczos **out)
{
  blo_comm *comm = blo_space_comm(space);
  blo_context *ctx = blo_comm_context(comm);
  blo_int n = blo_space_n(space), most = steps < n ? steps : n;
  blo_lanczos *l;

  BLO_TRY(blo_alloc(ctx, 1, sizeof *l, out));
  l = *out;
  *l = (blo_lanczos){.ctx = ctx, .comm = comm, .n = n, .most = most};
  BLO_TRY(blo_alloc(ctx, most, sizeof(blo_vec *), &l->q));
  for (blo_int i = 0; i < most; i++) {
    BLO_TRY(blo_vec_create(space, &l->q[i]));
  }
  BLO_TRY(blo_vec_create(space, &l->w));
  BLO_TRY(blo_alloc(ctx, most, sizeof(double), &l->alpha));
  BLO_TRY(blo_alloc(ctx, most, sizeof(double), &l->beta));
  BLO_TRY(blo_alloc(ctx, most, sizeof(double), &l->theta));
  BLO_TRY(blo_alloc(ctx, most, sizeof(double), &l->s));
  BLO_TRY(blo_alloc(ctx, most, sizeof(double), &l->c));
  return make_root(l);
}

blo_status blo_lanczos_create(blo_space *space, blo_int steps, blo_lanczos **out)
{
  blo_status status = BLO_OK;
  blo_lanczos *l = NULL;

  BLO_GO_ALL(blo_space_comm(space), make(space, steps, &l));
  *out = l;
  l = NULL;
done:
  blo_lanczos_destroy(&l);
  return status;
}

void blo_lanczos_destroy(blo_lanczos **lanczos)
{
  blo_lanczos *l = *lanczos;

  if (l != NULL) {
    blo_context *ctx = l->ctx;
    for (blo_int i = 0; l->q != NULL && i < l->most; i++) {
      blo_vec_destroy(&l->q[i]);
    }
    blo_free(ctx, &l->q);
    blo_vec_destroy(&l->w);
    blo_free(ctx, &l->alpha);
    blo_free(ctx, &l->beta);
    blo_free(ctx, &l->theta);
    blo_free(ctx, &l->s);
    blo_free(ctx, &l->c);
    blo_free(ctx, &l->off);
    blo_free(ctx, &l->work);
    blo_free(ctx, &l->z);
    blo_free(ctx, lanczos);
  }
}

/* -------------------------------------------------------- the matrix T */

/** Ritz values, and the eigenvector of the first. Root only. */
static blo_status eigen_local(blo_lanczos *l)
{
  int n = (int)l->k, info;

  memcpy(l->theta, l->alpha, (size_t)l->k * sizeof *l->theta);
  memcpy(l->off, l->beta, (size_t)l->k * sizeof *l->off);
  dstev_("V", &n, l->theta, l->off, l->z, &n, l->work, &info, 1);
  BLO_CHECK(l->ctx, info == 0, BLO_E_NONFINITE,
            "Lanczos: the eigenvalues of a tridiagonal matrix of order %d cannot be found", n);
  memcpy(l->s, l->z, (size_t)l->k * sizeof *l->s);
  return BLO_OK;
}

static blo_status eigen(blo_lanczos *l)
{
  blo_int bytes = l->k * (blo_int)sizeof *l->theta;
  blo_status at_root = blo_comm_rank(l->comm) == BLO_ROOT ? eigen_local(l) : BLO_OK;

  BLO_TRY(blo_agree_from(l->comm, BLO_ROOT, at_root));
  blo_bcast(l->comm, BLO_ROOT, l->theta, bytes);
  blo_bcast(l->comm, BLO_ROOT, l->s, bytes);
  return BLO_OK;
}

/** log (theta_1 - t) ... (theta_k - t) at t = theta_1 - d. */
static double log_product(const blo_lanczos *l, double d)
{
  double sum = 0;

  for (blo_int i = 0; i < l->k; i++) {
    sum += log(l->theta[i] - l->theta[0] + d);
  }
  return sum;
}

/** The lower bound of the header: theta_1 - d, where the product grows with d and is at least d^k.
 */
static double find_bound(const blo_lanczos *l, double failure)
{
  const double pi = 3.14159265358979323846;
  double tau = failure * sqrt(pi / (2 * (double)l->n)), goal = -log(tau), low = 0, high;

  if (l->beta[l->k - 1] == 0) {
    return l->theta[0];
  }
  for (blo_int i = 0; i < l->k; i++) {
    goal += log(l->beta[i]);
  }
  high = exp(goal / (double)l->k);
  for (int i = 0; i < 200 && high - low > DBL_EPSILON * high; i++) {
    double middle = i < 100 && low == 0 ? high * 0x1p-10 : 0.5 * (low + high);
    bool enough = log_product(l, middle) >= goal;
    *(enough ? &high : &low) = middle;
  }
  return l->theta[0] - high;
}

static void judge(const blo_lanczos *l, double failure, blo_lanczos_report *r)
{
  r->steps = l->k;
  r->smallest = l->theta[0];
  r->largest = l->theta[l->k - 1];
  r->residual = l->beta[l->k - 1] * fabs(l->s[l->k - 1]);
  r->bound = find_bound(l, failure);
  r->asymmetry = sqrt(l->strange);
}

/* ------------------------------------------------------------ the process */

/** w <- w - sum over i <= j of (q_i'w) q_i; with `first` what is not as T has it is noted. */
static void orthogonalise(blo_lanczos *l, blo_int j, bool first)
{
  for (blo_int i = 0; i <= j; i += BLO_DOTS_MAX) {
    blo_int n = j + 1 - i < BLO_DOTS_MAX ? j + 1 - i : BLO_DOTS_MAX;
    const blo_vec *other[BLO_DOTS_MAX];
    double c[BLO_DOTS_MAX];

    for (blo_int t = 0; t < n; t++) {
      other[t] = l->w;
    }
    blo_vec_dots(n, (const blo_vec *const *)&l->q[i], other, c);
    for (blo_int t = 0; t < n; t++) {
      double strange = c[t] - (i + t == j - 1 ? l->beta[j - 1] : 0);
      blo_vec_axpy(-c[t], l->q[i + t], l->w);
      l->strange += first && i + t < j ? strange * strange : 0;
      l->alpha[j] += i + t == j ? c[t] : 0;
    }
  }
}

/** Column j of T, and with it w, of which q_(j+1) is made. A w that is nothing but rounding makes
 *  the space invariant. */
static blo_status advance(blo_lanczos *l, blo_int j, blo_lanczos_product *product, void *arg)
{
  double norm;

  BLO_TRY(product(arg, l->q[j], l->w));
  norm = blo_vec_norm(l->w);
  BLO_CHECK(l->ctx, isfinite(norm), BLO_E_NONFINITE,
            "Lanczos: the norm of product %lld is %g; the matrix is too large, or not finite",
            (long long)j + 1, norm);
  l->alpha[j] = 0;
  orthogonalise(l, j, true);
  orthogonalise(l, j, false);
  l->beta[j] = blo_vec_norm(l->w);
  l->k = j + 1;
  if (l->k == l->n || l->beta[j] <= 10 * DBL_EPSILON * norm) {
    l->beta[j] = 0;
  }
  return BLO_OK;
}

/** q_1 on the sphere, uniform. */
static void begin(blo_lanczos *l, uint64_t seed)
{
  blo_vec_fill(l->w, 0);
  blo_check_perturb(l->w, 1, seed, 0, l->q[0]);
  blo_vec_scale(1 / blo_vec_norm(l->q[0]), l->q[0]);
  blo_vec_publish(l->q[0]);
  l->k = 0;
  l->strange = 0;
}

static void next(blo_lanczos *l)
{
  blo_vec_copy(l->w, l->q[l->k]);
  blo_vec_scale(1 / l->beta[l->k - 1], l->q[l->k]);
  blo_vec_publish(l->q[l->k]);
}

blo_status blo_lanczos_run(blo_lanczos *l, blo_lanczos_product *product, void *arg, uint64_t seed,
                           double failure, double tol, blo_lanczos_report *report)
{
  bool more = true;

  begin(l, seed);
  while (more) {
    BLO_TRY(advance(l, l->k, product, arg));
    BLO_TRY(eigen(l));
    judge(l, failure, report);
    more = l->k < l->most && report->smallest - report->bound >
                                 tol * fmax(fabs(report->smallest), fabs(report->largest));
    if (more) {
      next(l);
    }
  }
  return BLO_OK;
}

void blo_lanczos_vector(const blo_lanczos *l, blo_vec *z)
{
  blo_vec_fill(z, 0);
  for (blo_int i = 0; i < l->k; i++) {
    blo_vec_axpy(l->s[i], l->q[i], z);
  }
  blo_vec_scale(1 / blo_vec_norm(z), z);
  blo_vec_publish(z);
}

/** c = T^+ e_1, of the eigenvectors at the root. */
static void invert_local(blo_lanczos *l, double least)
{
  memset(l->c, 0, (size_t)l->k * sizeof *l->c);
  for (blo_int j = 0; j < l->k; j++) {
    const double *u = l->z + j * l->k;
    for (blo_int i = 0; fabs(l->theta[j]) > least && i < l->k; i++) {
      l->c[i] += u[0] / l->theta[j] * u[i];
    }
  }
}

void blo_lanczos_inverse(blo_lanczos *l, double least, blo_vec *w)
{
  if (blo_comm_rank(l->comm) == BLO_ROOT) {
    invert_local(l, least);
  }
  blo_bcast(l->comm, BLO_ROOT, l->c, l->k * (blo_int)sizeof *l->c);
  blo_vec_fill(w, 0);
  for (blo_int i = 0; i < l->k; i++) {
    blo_vec_axpy(l->c[i], l->q[i], w);
  }
  blo_vec_publish(w);
}
