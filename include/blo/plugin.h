/**
 * @file
 * Plugins (layer run): problems of yours in a shared library, for the program `parblo` and for
 * blo_run_execute().
 *
 *     #include <blo/plugin.h>
 *     static const blo_problem_type mine = {.name = "mine", ...};
 *     BLO_PLUGIN(&mine);
 *
 * The library is linked with libparblo and opened on every rank. It stays open until the run's
 * set-up is destroyed.
 */
#ifndef BLO_PLUGIN_H
#define BLO_PLUGIN_H

#include <blo/problem.h>

/** Numbers of bytes that change when the structs do that plugin and library share. */
#define BLO_PLUGIN_SIZE                                                                            \
  ((blo_int)(sizeof(blo_problem_type) + sizeof(blo_problem) + sizeof(blo_shard_task) +             \
             sizeof(blo_shard_out)))

/** What a plugin exports, under the name blo_plugin_entry. */
typedef struct blo_plugin {
  const char *version; /**< BLO_VERSION of the headers that it was compiled with */
  blo_int size;        /**< and BLO_PLUGIN_SIZE of these: headers change between versions, too */
  blo_int n_problems;
  const blo_problem_type *const *problems; /**< [n_problems] */
} blo_plugin;

/** The entry of a plugin: BLO_PLUGIN(&one, &another); at file scope, once. */
#define BLO_PLUGIN(...)                                                                            \
  static const blo_problem_type *const blo_plugin_problems_[] = {__VA_ARGS__};                     \
  BLO_API extern const blo_plugin blo_plugin_entry;                                                \
  const blo_plugin blo_plugin_entry = {BLO_VERSION, BLO_PLUGIN_SIZE,                               \
                                       BLO_COUNT_OF(blo_plugin_problems_), blo_plugin_problems_}

/** An open plugin. */
typedef struct blo_plugin_file blo_plugin_file;

/**
 * Open a plugin.
 *
 * Call  Collective, with the same path on all ranks.
 * @param[in]  path  a path without a slash counts from the current folder; "": there is none
 * @param[out] out   NULL if there is none; else close it when nothing that it has made is left
 * @return BLO_OK; BLO_E_IO with the loader's reason: no such file, no library, a symbol that is
 *         nowhere; BLO_E_FORMAT if it has no entry, or that of another version, or problems that
 *         are not complete; BLO_E_OPTION if a problem has the name of another one; BLO_E_MEMORY
 */
BLO_API BLO_MUST_USE blo_status blo_plugin_open(blo_comm *comm, const char *path,
                                                blo_plugin_file **out);
/** The same with an entry of the calling program itself (blo_run_request.own). Call: Collective. */
BLO_API BLO_MUST_USE blo_status blo_plugin_adopt(blo_comm *comm, const blo_plugin *entry,
                                                 blo_plugin_file **out);
/** Close it. NULL is accepted. Call: Local. */
BLO_API void blo_plugin_close(blo_plugin_file **plugin);
/** The problems to choose from: the built-in ones, then the plugin's (NULL: none). Call: Local. */
BLO_API const blo_problem_type *const *blo_plugin_problems(const blo_plugin_file *plugin,
                                                           blo_int *n);

#endif
