/**
 * @file
 * A program with a problem of its own: `feature_weights RUN.yml` is `parblo run` with one more
 * problem to choose from, `feature_weights FOLDER/` resumes. Run it by mpirun as parblo.
 */
#include <blo/blo.h>
#include <stdio.h>
#include <string.h>

extern const blo_plugin blo_plugin_entry; /* feature_weights.c */

static blo_status run(blo_comm *comm, const char *what, blo_run_result *result)
{
  bool resumes = what[strlen(what) - 1] == '/';
  blo_run_request request = {
      .file = what, .own = &blo_plugin_entry, .resume = resumes ? what : NULL};

  return blo_run_execute(comm, &request, result);
}

int main(int argc, char **argv)
{
  blo_context *ctx = NULL;
  blo_comm *comm = NULL;
  blo_run_result result;
  blo_status status;
  int rank;

  MPI_Init(&argc, &argv);
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  if (argc != 2 || argv[1][0] == '\0' || blo_context_create(&ctx) != BLO_OK) {
    fprintf(stderr, "usage: feature_weights RUN.yml, or FOLDER/ to resume\n");
    MPI_Abort(MPI_COMM_WORLD, 2);
  }
  blo_log_setup(ctx, rank, BLO_LOG_RESULT);
  status = blo_comm_create(ctx, MPI_COMM_WORLD, &comm);
  if (status == BLO_OK) {
    status = run(comm, argv[1], &result);
  }
  if (status != BLO_OK && rank == 0) {
    fprintf(stderr, "feature_weights: %s\n", blo_error_text(ctx));
  }
  blo_comm_destroy(&comm);
  blo_context_destroy(&ctx);
  MPI_Finalize();
  return blo_status_exit_code(status);
}
