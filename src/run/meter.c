/** @file Measuring what a run uses. */
#include "meter.h"

blo_status blo_meter_enter(blo_meter *m, blo_counts *counts, blo_state *state)
{
#define ENTER(name, text) BLO_TRY(blo_state_add_int(state, "run.count." #name, &counts->name));
  BLO_COUNT_LIST(ENTER)
#undef ENTER
#define ENTER(code, name, text)                                                                    \
  BLO_TRY(blo_state_add_double(state, "run.seconds." name, &m->now.phase[code]));
  BLO_PHASE_LIST(ENTER)
#undef ENTER
  BLO_TRY(blo_state_add_double(state, "run.seconds", &m->now.seconds));
  BLO_TRY(blo_state_add_int(state, "run.messages", &m->now.messages));
  return blo_state_add_int(state, "run.bytes", &m->now.bytes);
}

void blo_meter_start(blo_meter *m, blo_comm *comm)
{
  m->comm = comm;
  m->before = m->now;
  m->begin = blo_now();
  for (int i = 0; i < BLO_PHASE_COUNT; i++) {
    m->phase_begin[i] = blo_phase_seconds(blo_comm_context(comm), (blo_phase)i);
  }
}

void blo_meter_step_begin(blo_meter *m)
{
  m->step_begin = blo_comm_traffic(m->comm);
}

static blo_int messages(blo_traffic t)
{
  return t.reductions + t.broadcasts + t.agreements;
}

void blo_meter_step_end(blo_meter *m)
{
  blo_traffic end = blo_comm_traffic(m->comm);

  m->now.messages += messages(end) - messages(m->step_begin);
  m->now.bytes += end.bytes - m->step_begin.bytes;
}

double blo_meter_elapsed(const blo_meter *m)
{
  return blo_now() - m->begin;
}

void blo_meter_read(blo_meter *m)
{
  m->now.seconds = m->before.seconds + blo_meter_elapsed(m);
  for (int i = 0; i < BLO_PHASE_COUNT; i++) {
    double since = blo_phase_seconds(blo_comm_context(m->comm), (blo_phase)i) - m->phase_begin[i];
    m->now.phase[i] = m->before.phase[i] + since;
  }
}
