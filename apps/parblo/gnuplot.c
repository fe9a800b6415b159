/** @file Starting gnuplot without a shell: no quoting, and a missing program is known as such. */
#include "gnuplot.h"
#include <errno.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

void blo_gnuplot_quote(FILE *script, const char *text)
{
  fputc('\'', script);
  for (; *text != '\0'; text++) {
    fputs(*text == '\'' ? "''" : (const char[]){*text, '\0'}, script);
  }
  fputc('\'', script);
}

/** Start it: the script is its input, `report` takes what it says. */
static blo_status start(blo_context *ctx, FILE *script, FILE *report, pid_t *pid)
{
  /* -d: without the user's own settings */
  static char program[] = "gnuplot", defaults[] = "-d", from_stdin[] = "-";
  char *const argv[] = {program, defaults, from_stdin, NULL};
  posix_spawn_file_actions_t actions;
  int error = posix_spawn_file_actions_init(&actions);

  BLO_CHECK(ctx, error == 0, BLO_E_MEMORY, "cannot start gnuplot: %s", strerror(error));
  posix_spawn_file_actions_adddup2(&actions, fileno(script), STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, fileno(report), STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, fileno(report), STDERR_FILENO);
  error = posix_spawnp(pid, program, &actions, NULL, argv, environ);
  posix_spawn_file_actions_destroy(&actions);
  BLO_CHECK(ctx, error != ENOENT, BLO_E_IO,
            "the program gnuplot is not installed, or not in PATH; plots are drawn by it");
  BLO_CHECK(ctx, error == 0, BLO_E_IO, "cannot start gnuplot: %s", strerror(error));
  return BLO_OK;
}

/** The end of what gnuplot said, in one line: its last words are the error. */
static void last_words(FILE *report, char *text, size_t cap)
{
  size_t n;

  if (fseek(report, -(long)(cap - 1), SEEK_END) != 0) {
    rewind(report);
  }
  n = fread(text, 1, cap - 1, report);
  text[n] = '\0';
  for (char *c = text; *c != '\0'; c++) {
    *c = *c == '\n' ? ' ' : *c;
  }
}

blo_status blo_gnuplot_run(blo_context *ctx, FILE *script)
{
  blo_status status = BLO_OK;
  FILE *report = tmpfile();
  char said[300];
  int result;
  pid_t pid;

  BLO_CHECK_GO(ctx, report != NULL, BLO_E_IO, "cannot make a temporary file: %s", strerror(errno));
  BLO_CHECK_GO(ctx, fflush(script) == 0 && lseek(fileno(script), 0, SEEK_SET) == 0, BLO_E_IO,
               "cannot write the script for gnuplot: %s", strerror(errno));
  BLO_GO(start(ctx, script, report, &pid));
  while (waitpid(pid, &result, 0) < 0 && errno == EINTR) {
  }
  last_words(report, said, sizeof said);
  BLO_CHECK_GO(ctx, WIFEXITED(result) && WEXITSTATUS(result) == 0, BLO_E_IO, "gnuplot failed: %s",
               said);
done:
  if (report != NULL) {
    fclose(report);
  }
  return status;
}
