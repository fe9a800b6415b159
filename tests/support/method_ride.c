/* Each method on each fixture; see method_ride.h. */
#include "method_ride.h"

bool method_refuses(const method_case *m, int kind)
{
  return (m->refuses >> kind & 1u) != 0;
}

int method_base_kind(const method_case *m)
{
  int kind = 0;
  while (method_refuses(m, kind)) {
    kind++;
  }
  return kind;
}

const char *method_text(const method_settings *s, int kind)
{
  if (kind == FIXTURE_FEW_SHOT && s->of_few_shot != NULL) {
    return s->of_few_shot;
  }
  return kind == FIXTURE_TASKS && s->of_tasks != NULL ? s->of_tasks : s->general;
}

blo_status method_try(blo_comm *comm, int kind, const char *method, const char *text,
                      const char *folder, blo_reduction how, ride *s)
{
  fixture_make(comm, kind, folder, how, &s->f);
  return ride_try(&s->f, method, text, 17, &s->s);
}

void method_make(blo_comm *comm, int kind, const method_case *m, int variant, const char *folder,
                 blo_reduction how, ride *s)
{
  const char *text = method_text(&m->settings[variant], kind);
  BLO_REQUIRE_STATUS(method_try(comm, kind, m->name, text, folder, how, s), BLO_OK);
}

void method_advance(ride *s, int steps)
{
  ride_to(s, s->s->k + steps);
}

int method_steps(int kind)
{
  return fixture_is_network(kind) ? 5 : 12;
}

void method_for_all(blo_comm *comm, bool variants, method_each *call)
{
  char folder[256];
  blo_test_tmpdir(comm, folder, sizeof folder);
  fixture_write_data(comm, folder);
  for (int i = 0; method_cases[i] != NULL; i++) {
    const method_case *m = method_cases[i];
    for (int v = 0; m->settings[v].general != NULL && (v == 0 || variants); v++) {
      for (int kind = 0; kind < N_FIXTURES; kind++) {
        if (!method_refuses(m, kind)) {
          call(comm, m, v, kind, folder);
        }
      }
    }
  }
}
