/** @file Texts and exit codes of statuses and outcomes, from their lists. */
#include <blo/base.h>

#define ROW(code, text, exit_code) {text, exit_code},
static const struct {
  const char *text;
  int exit_code;
} statuses[] = {BLO_STATUS_LIST(ROW)}, outcomes[] = {BLO_OUTCOME_LIST(ROW)};

const char *blo_status_text(blo_status status)
{
  return (unsigned)status < BLO_STATUS_COUNT ? statuses[status].text : "unknown status";
}

int blo_status_exit_code(blo_status status)
{
  return (unsigned)status < BLO_STATUS_COUNT ? statuses[status].exit_code : 1;
}

const char *blo_outcome_text(blo_outcome outcome)
{
  return (unsigned)outcome < BLO_OUTCOME_COUNT ? outcomes[outcome].text : "unknown outcome";
}

int blo_outcome_exit_code(blo_outcome outcome)
{
  return (unsigned)outcome < BLO_OUTCOME_COUNT ? outcomes[outcome].exit_code : 1;
}
