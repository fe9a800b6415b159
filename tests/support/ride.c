/* Methods made from settings, and run; see ride.h. */
#include "ride.h"
#include <stdio.h>
#include <string.h>

blo_status ride_try(const fixture *f, const char *method, const char *text, uint64_t seed,
                    blo_solver **s)
{
  blo_conf *conf = NULL;
  *s = NULL;
  BLO_REQUIRE_STATUS(blo_conf_parse(f->problem->ctx, "test", text, &conf), BLO_OK);
  blo_status status = blo_solver_create(f->eval, blo_solver_find(method), conf, seed, s);
  blo_conf_destroy(&conf);
  return status;
}

blo_solver *ride_make(const fixture *f, const char *method, const char *text, uint64_t seed)
{
  blo_solver *s;
  BLO_REQUIRE_STATUS(ride_try(f, method, text, seed, &s), BLO_OK);
  return s;
}

void ride_expect_refused(const fixture *f, const char *method, const char *text, blo_status code,
                         const char *says)
{
  blo_solver *s;
  BLO_EXPECT_STATUS(ride_try(f, method, text, 1, &s), code);
  BLO_EXPECT_ERROR_HAS(says);
  blo_solver_destroy(&s);
}

void ride_known(blo_comm *comm, const char *problem, const char *settings, const char *method,
                const char *text, uint64_t seed, ride *r)
{
  known_open(comm, problem, settings, &r->f);
  r->s = ride_make(&r->f, method, text, seed);
  r->report = blo_report_none();
}

void ride_fixture(blo_comm *comm, int kind, const char *method, const char *text, uint64_t seed,
                  ride *r)
{
  fixture_make(comm, kind, "", BLO_REPRODUCIBLE, &r->f);
  r->s = ride_make(&r->f, method, text, seed);
  r->report = blo_report_none();
}

void ride_close(blo_comm *comm, ride *r)
{
  blo_solver_destroy(&r->s);
  fixture_free(comm, &r->f);
}

void ride_step(ride *r)
{
  BLO_REQUIRE_STATUS(blo_solver_step(r->s, &r->report), BLO_OK);
}

void ride_to(ride *r, blo_int k)
{
  while (r->s->k < k) {
    ride_step(r);
  }
}

blo_status ride_until_failure(ride *r, int most, int *done)
{
  blo_status status = BLO_OK;
  for (*done = 0; *done < most && status == BLO_OK; *done += status == BLO_OK) {
    status = blo_solver_step(r->s, &r->report);
  }
  return status;
}

known_metrics ride_at(const ride *r)
{
  return known_at(&r->f, r->s->x, r->s->y);
}

void ride_expect_described(const blo_solver *s, const char *says)
{
  char text[4096] = "";
  FILE *to = tmpfile();
  BLO_REQUIRE_ALL(to != NULL);
  blo_solver_describe(s, to);
  rewind(to);
  text[fread(text, 1, sizeof text - 1, to)] = 0;
  fclose(to);
  BLO_EXPECT_MSG(strstr(text, says) != NULL, "no '%s' in: %s", says, text);
}

blo_vec *ride_kept(const blo_solver *s, const char *name)
{
  return blo_state_find(s->state, name)->at.vec;
}
