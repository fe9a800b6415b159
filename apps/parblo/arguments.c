/** @file Arguments of commands; see arguments.h. */
#include "arguments.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { OPTIONS_MAX = 32 };

void blo_arguments_start(void)
{
  optind = 1;
  opterr = 0; /* the message is ours, and printed once */
}

/** The argument that getopt_long() did not know. */
static blo_status unknown(blo_context *ctx, const char *found, const struct option *known)
{
  const char *names[OPTIONS_MAX + 1] = {NULL}, *near = NULL;

  for (int i = 0; known[i].name != NULL && i < OPTIONS_MAX; i++) {
    names[i] = known[i].name;
  }
  if (strncmp(found, "--", 2) == 0) {
    near = blo_nearest(found + 2, names);
  }
  return blo_fail(ctx, BLO_E_OPTION, __FILE__, __LINE__, "unknown option '%s'%s%s%s", found,
                  near != NULL ? "; did you mean '--" : "", near != NULL ? near : "",
                  near != NULL ? "'?" : "");
}

blo_status blo_arguments_next(blo_context *ctx, int argc, char **argv, const char *letters,
                              const struct option *known, int *option)
{
  *option = getopt_long(argc, argv, letters, known, NULL);
  BLO_CHECK(ctx, *option != ':', BLO_E_OPTION, "option '%s' needs a value", argv[optind - 1]);
  return *option == '?' ? unknown(ctx, argv[optind - 1], known) : BLO_OK;
}

blo_status blo_arguments_int(blo_context *ctx, const char *option, const char *text, blo_int low,
                             blo_int high, blo_int *value)
{
  char *end;
  long long number;

  errno = 0;
  number = strtoll(text, &end, 10);
  BLO_CHECK(ctx, errno == 0 && end != text && *end == '\0' && number >= low && number <= high,
            BLO_E_OPTION, "%s = '%s' must be a whole number from %lld to %lld", option, text,
            (long long)low, (long long)high);
  *value = number;
  return BLO_OK;
}
