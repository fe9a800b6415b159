/** @file Step-size schedules. */
#include <blo/solver.h>
#include <math.h>

double blo_schedule_at(blo_schedule schedule, blo_int t)
{
  return schedule.decay == 0 ? schedule.step : schedule.step / pow((double)(t + 1), schedule.decay);
}
