/**
 * @file
 * Assembled matrices for tests: a problem with known matrices in several forms, the matrices that
 * ordinary sweeps give column by column on one rank, and everything that assembly needs. The
 * problem:
 *
 *     H = (1/N) sum_i s_i s_i' + diag(1, 2, ...)      Gauss-Newton: (3/N) sum_i s_i s_i' + I
 *     J = (1/N) sum_i b_i c_i' + E                     b_i = the i-th unit vector if x is aligned
 *
 * where the second terms have no samples.
 */
#ifndef BLO_TEST_ASSEMBLED_H
#define BLO_TEST_ASSEMBLED_H

#include "fixture.h"
#include <blo/assemble.h>

enum { ASSEMBLED_N = 45, ASSEMBLED_NY = 11, ASSEMBLED_NX = 6, ASSEMBLED_SHARDS = 8 };

/** The form of an instance. */
typedef struct assembled_form {
  blo_layout layout;
  bool aligned;
  unsigned has;         /**< BLO_HAS_... */
  blo_int failing, nan; /**< a sample that fails, and one whose J v is NAN; -1: none */
} assembled_form;

enum { N_ASSEMBLED_FORMS = 9 };
/** All layouts of x, with and without samples' part of J, several directions and one at a time. */
extern const assembled_form assembled_forms[N_ASSEMBLED_FORMS];
/** The form of a problem, to let it fail. */
assembled_form *assembled_form_of(blo_problem *p);
/** Entry (i, j) of H, of J or of the Gauss-Newton matrix of a form. */
double assembled_entry(const assembled_form *f, bool cross, bool gn, blo_int i, blo_int j);

/** Which problem: one of the fixtures on the data in `folder`, or a form of the one above. */
typedef struct assembled_source {
  int kind; /**< -1: the form */
  const char *folder;
  assembled_form form;
} assembled_source;

/** Matrices of one batch, whole, column after column. */
typedef struct matrix_pair {
  double *h, *j; /**< [n_y][n_y], [n_y][n_x] */
} matrix_pair;

/**
 * The matrices of a batch of `batch` samples (0: all) by ordinary sweeps with unit vectors; every
 * rank makes them alone for itself. Call: Collective. Free with assembled_free().
 */
void assembled_reference(blo_comm *comm, const assembled_source *from, blo_int batch, bool gn,
                         matrix_pair *m);
void assembled_free(blo_context *ctx, matrix_pair *m);

/** How to assemble. */
typedef struct assembled_manner {
  blo_dense_options grid;
  blo_int batch; /**< samples; 0: all */
  double scale;
  bool gn, no_h, no_j, linearize_before;
} assembled_manner;

/** Everything that assembly needs: the question `ask` is ready. */
typedef struct assembled_rig {
  fixture f;
  blo_vec *x, *y;
  blo_grid *grid;
  blo_sampler *sampler;
  blo_assembler *assembler;
  blo_dense *h, *j;
  blo_assemble_ask ask;
} assembled_rig;

/** Make it; leaves the test on failure. Both matrices hold something already. */
void assembled_open(blo_comm *comm, const assembled_source *from, const assembled_manner *how,
                    assembled_rig *r);
void assembled_close(blo_comm *comm, assembled_rig *r);
/** Expect that a matrix of the rig is what it was + scale * reference, up to tolerance * (1 + the
 *  entry's size); or what it was, if the reference is NULL. */
void assembled_expect(const assembled_rig *r, const blo_dense *a, double scale,
                      const double *reference, double tolerance, const char *what);

#endif
