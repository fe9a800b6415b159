/** @file Opening a plugin, and what it must be like before anything of it is used. */
#include <blo/plugin.h>
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

static const char entry_name[] = "blo_plugin_entry";

struct blo_plugin_file {
  blo_context *ctx;
  void *library;
  const blo_problem_type **types; /* the built-in ones, then the plugin's */
  blo_int n;
};

/* A name without a slash would be looked for among the libraries of the system. */
static blo_status open_library(blo_context *ctx, const char *path, void **library)
{
  enum { PATH_CAP = 4096 };
  char full[PATH_CAP];
  int n = snprintf(full, sizeof full, "%s%s", strchr(path, '/') == NULL ? "./" : "", path);
  const char *why;

  BLO_CHECK(ctx, n < PATH_CAP, BLO_E_OPTION, "the path '%s' is too long", path);
  BLO_TRY(blo_fault_point(ctx, "open a plugin"));
  *library = dlopen(full, RTLD_NOW | RTLD_LOCAL);
  why = *library == NULL ? dlerror() : NULL;
  BLO_CHECK(ctx, *library != NULL, BLO_E_IO, "cannot open the plugin %s: %s", path,
            why != NULL ? why : "for an unknown reason");
  return BLO_OK;
}

static blo_status check_type(blo_context *ctx, const char *path, const blo_problem_type *t,
                             blo_int place)
{
  BLO_CHECK(ctx, t != NULL && t->name != NULL && t->name[0] != '\0', BLO_E_FORMAT,
            "the plugin %s: its problem number %lld has no name", path, (long long)place + 1);
  BLO_CHECK(ctx,
            t->summary != NULL && t->source != NULL && t->setup != NULL && t->start != NULL &&
                t->shard != NULL,
            BLO_E_FORMAT,
            "the plugin %s: its problem '%s' needs summary, source, setup, start and shard", path,
            t->name);
  BLO_CHECK(ctx,
            t->n_metrics == 0 ||
                (t->metrics != NULL && t->metrics_shard != NULL && t->metrics_finish != NULL),
            BLO_E_FORMAT,
            "the plugin %s: its problem '%s' has metrics, and so needs metrics_shard and "
            "metrics_finish",
            path, t->name);
  return t->options != NULL ? blo_opt_table_check(ctx, t->options) : BLO_OK;
}

static blo_status add_type(blo_plugin_file *p, const char *path, const blo_problem_type *type)
{
  for (blo_int i = 0; i < p->n; i++) {
    BLO_CHECK(p->ctx, strcmp(p->types[i]->name, type->name) != 0, BLO_E_OPTION,
              "the plugin %s: the name of its problem '%s' is already that of %s", path, type->name,
              blo_problem_find(type->name) != NULL ? "a built-in one" : "another one of its own");
  }
  p->types[p->n++] = type;
  return BLO_OK;
}

static blo_status add_types(blo_plugin_file *p, const char *path, const blo_plugin *entry)
{
  blo_int n_built_in;
  const blo_problem_type *const *built_in = blo_problem_types(&n_built_in);

  BLO_CHECK(p->ctx, entry->n_problems > 0 && entry->problems != NULL, BLO_E_FORMAT,
            "the plugin %s has no problems", path);
  BLO_TRY(blo_alloc(p->ctx, n_built_in + entry->n_problems, sizeof *p->types, &p->types));
  for (blo_int i = 0; i < n_built_in; i++) {
    p->types[p->n++] = built_in[i];
  }
  for (blo_int i = 0; i < entry->n_problems; i++) {
    BLO_TRY(check_type(p->ctx, path, entry->problems[i], i));
    BLO_TRY(add_type(p, path, entry->problems[i]));
  }
  return BLO_OK;
}

/* The version first: the rest of the entry, and the problems, are laid out as it says. */
static blo_status read_entry(blo_plugin_file *p, const char *path, const blo_plugin *entry)
{
  BLO_CHECK(p->ctx, entry->version != NULL && strcmp(entry->version, BLO_VERSION) == 0,
            BLO_E_FORMAT,
            "the plugin %s was compiled for ParBLO %s, and this is %s; compile it again", path,
            entry->version != NULL ? entry->version : "(none)", BLO_VERSION);
  BLO_CHECK(
      p->ctx, entry->size == BLO_PLUGIN_SIZE, BLO_E_FORMAT,
      "the plugin %s was compiled with other headers of ParBLO %s than the library was; compile "
      "it again",
      path, BLO_VERSION);
  return add_types(p, path, entry);
}

static blo_status open_local(blo_context *ctx, const char *path, blo_plugin_file **out)
{
  const blo_plugin *entry;

  BLO_TRY(blo_alloc(ctx, 1, sizeof **out, out));
  (*out)->ctx = ctx;
  BLO_TRY(open_library(ctx, path, &(*out)->library));
  entry = dlsym((*out)->library, entry_name);
  BLO_CHECK(ctx, entry != NULL, BLO_E_FORMAT,
            "%s is a shared library, but no plugin: it has no symbol %s (see BLO_PLUGIN)", path,
            entry_name);
  return read_entry(*out, path, entry);
}

blo_status blo_plugin_open(blo_comm *comm, const char *path, blo_plugin_file **out)
{
  blo_status status = BLO_OK;
  blo_plugin_file *p = NULL;

  *out = NULL;
  if (path[0] == '\0') {
    return BLO_OK;
  }
  BLO_GO_ALL(comm, open_local(blo_comm_context(comm), path, &p));
  *out = p;
  p = NULL;
done:
  blo_plugin_close(&p);
  return status;
}

static blo_status adopt_local(blo_context *ctx, const blo_plugin *entry, blo_plugin_file **out)
{
  BLO_TRY(blo_alloc(ctx, 1, sizeof **out, out));
  (*out)->ctx = ctx;
  return read_entry(*out, "in this program", entry);
}

blo_status blo_plugin_adopt(blo_comm *comm, const blo_plugin *entry, blo_plugin_file **out)
{
  blo_status status = BLO_OK;
  blo_plugin_file *p = NULL;

  BLO_GO_ALL(comm, adopt_local(blo_comm_context(comm), entry, &p));
  *out = p;
  p = NULL;
done:
  blo_plugin_close(&p);
  return status;
}

void blo_plugin_close(blo_plugin_file **plugin)
{
  blo_plugin_file *p = *plugin;

  if (p != NULL) {
    blo_context *ctx = p->ctx;
    blo_free(ctx, &p->types);
    if (p->library != NULL) {
      dlclose(p->library);
    }
    blo_free(ctx, plugin);
  }
}

const blo_problem_type *const *blo_plugin_problems(const blo_plugin_file *p, blo_int *n)
{
  if (p == NULL) {
    return blo_problem_types(n);
  }
  *n = p->n;
  return p->types;
}
