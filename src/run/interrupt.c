/** @file The flag by which a signal handler reaches the driver. */
#include "interrupt.h"
#include <signal.h>

static volatile sig_atomic_t interrupted;

void blo_run_interrupt(void)
{
  interrupted = 1;
}

bool blo_run_interrupted(void)
{
  return interrupted != 0;
}

void blo_run_interrupt_forget(void)
{
  interrupted = 0;
}
