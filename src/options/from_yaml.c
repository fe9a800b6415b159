/**
 * @file
 * YAML text to a configuration tree, over the events of libyaml, so that each node knows its line.
 * Only what a run file needs: maps, scalars and lists of plain scalars.
 */
#include "conf.h"

#include "text.h"
#include <string.h>
#include <yaml.h>

enum { WHERE_CAP = 1024 };

typedef struct reader {
  blo_context *ctx;
  const char *name;
  const char *text;
  yaml_parser_t parser;
  yaml_event_t event;    /* the current one; released when the next is fetched */
  char where[WHERE_CAP]; /* "name:line" of the current event */
} reader;

static void set_where(reader *r, size_t line_from_0)
{
  snprintf(r->where, sizeof r->where, "%s:%zu", r->name, line_from_0 + 1);
}

/* libyaml gives no line for bytes that are not text, only their offset. */
static size_t line_of_offset(const char *text, size_t offset)
{
  size_t line = 0;
  for (size_t i = 0; i < offset && text[i]; i++) {
    line += text[i] == '\n';
  }
  return line;
}

static blo_status syntax_error(reader *r)
{
  const yaml_parser_t *p = &r->parser;
  BLO_CHECK(r->ctx, p->error != YAML_MEMORY_ERROR, BLO_E_MEMORY, "%s: no memory to parse it",
            r->name);
  if (p->error == YAML_READER_ERROR) {
    set_where(r, line_of_offset(r->text, p->problem_offset));
    return blo_fail(r->ctx, BLO_E_OPTION, __FILE__, __LINE__, "%s: not text in UTF-8: %s (0x%X)",
                    r->where, p->problem, (unsigned)p->problem_value);
  }
  set_where(r, p->problem_mark.line);
  return blo_fail(r->ctx, BLO_E_OPTION, __FILE__, __LINE__,
                  "%s: not valid YAML: %s at column %zu%s%s", r->where, p->problem,
                  p->problem_mark.column + 1, p->context ? ", " : "", p->context ? p->context : "");
}

static blo_status next_event(reader *r)
{
  yaml_event_delete(&r->event);
  if (!yaml_parser_parse(&r->parser, &r->event)) {
    return syntax_error(r);
  }
  set_where(r, r->event.start_mark.line);
  return BLO_OK;
}

static blo_status refuse(reader *r, const char *what, const yaml_char_t *name)
{
  char shown[BLO_SHOWN_CAP];
  BLO_CHECK(r->ctx, !name, BLO_E_OPTION, "%s: the YAML %s '%s' is not allowed in a run file",
            r->where, what, blo_shown((const char *)name, shown));
  return BLO_OK;
}

/* Run files say what they mean at the place where it counts: no references, no typed nodes. */
static blo_status refuse_extras(reader *r)
{
  const yaml_event_t *e = &r->event;
  switch (e->type) {
  case YAML_ALIAS_EVENT:
    return refuse(r, "alias", e->data.alias.anchor);
  case YAML_SCALAR_EVENT:
    BLO_TRY(refuse(r, "anchor", e->data.scalar.anchor));
    return refuse(r, "tag", e->data.scalar.tag);
  case YAML_SEQUENCE_START_EVENT:
    BLO_TRY(refuse(r, "anchor", e->data.sequence_start.anchor));
    return refuse(r, "tag", e->data.sequence_start.tag);
  case YAML_MAPPING_START_EVENT:
    BLO_TRY(refuse(r, "anchor", e->data.mapping_start.anchor));
    return refuse(r, "tag", e->data.mapping_start.tag);
  default:
    return BLO_OK;
  }
}

/* The text of the current scalar; an unquoted null is no text. */
static blo_status scalar_text(reader *r, const char **text)
{
  *text = (const char *)r->event.data.scalar.value;
  BLO_CHECK(r->ctx, strlen(*text) == r->event.data.scalar.length, BLO_E_OPTION,
            "%s: a value contains a zero character", r->where);
  bool plain = r->event.data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
  if (plain && blo_text_is_null(*text)) {
    *text = "";
  }
  return BLO_OK;
}

static blo_status append_item(reader *r, blo_text *list)
{
  char shown[BLO_SHOWN_CAP];
  const char *item = NULL;
  BLO_TRY(refuse_extras(r));
  BLO_CHECK(r->ctx, r->event.type == YAML_SCALAR_EVENT, BLO_E_OPTION,
            "%s: a list may hold only values, not maps or lists", r->where);
  BLO_TRY(scalar_text(r, &item));
  bool simple = item[0] && !strpbrk(item, ",[]{}#'\"\n") && item[0] != ' ';
  BLO_CHECK(r->ctx, simple && !blo_text_is_null(item), BLO_E_OPTION,
            "%s: '%s' is not allowed in a list: only plain words and numbers are", r->where,
            blo_shown(item, shown));
  if (list->n > 1) {
    BLO_TRY(blo_text_append(r->ctx, list, ", ", 2));
  }
  return blo_text_append(r->ctx, list, item, strlen(item));
}

static blo_status read_list(reader *r, blo_conf *node)
{
  blo_status status = BLO_OK;
  blo_text list = {0};
  BLO_GO(blo_text_append(r->ctx, &list, "[", 1));
  for (;;) {
    BLO_GO(next_event(r));
    if (r->event.type == YAML_SEQUENCE_END_EVENT) {
      break;
    }
    BLO_GO(append_item(r, &list));
  }
  BLO_GO(blo_text_append(r->ctx, &list, "]", 1));
  BLO_GO(blo_conf_put_text(node, node->where, list.bytes));
  node->is_list = true;
done:
  blo_free(r->ctx, &list.bytes);
  return status;
}

static blo_status read_key(reader *r, blo_conf *map, blo_conf **child)
{
  const char *key = NULL;
  BLO_TRY(refuse_extras(r));
  BLO_CHECK(r->ctx, r->event.type == YAML_SCALAR_EVENT, BLO_E_OPTION,
            "%s: a key must be a word, not a map or a list", r->where);
  BLO_TRY(scalar_text(r, &key));
  return blo_conf_add(map, key, r->where, child);
}

static blo_status read_map(reader *r, blo_conf *map);

static blo_status read_value(reader *r, blo_conf *node)
{
  const char *text = NULL;
  BLO_TRY(refuse_extras(r));
  switch (r->event.type) {
  case YAML_MAPPING_START_EVENT:
    return read_map(r, node);
  case YAML_SEQUENCE_START_EVENT:
    return read_list(r, node);
  default:
    BLO_TRY(scalar_text(r, &text));
    return blo_conf_put_text(node, node->where, text);
  }
}

static blo_status read_map(reader *r, blo_conf *map)
{
  for (;;) {
    blo_conf *child = NULL;
    BLO_TRY(next_event(r));
    if (r->event.type == YAML_MAPPING_END_EVENT) {
      return BLO_OK;
    }
    BLO_TRY(read_key(r, map, &child));
    BLO_TRY(next_event(r));
    BLO_TRY(read_value(r, child));
  }
}

static blo_status read_root(reader *r, blo_conf *root)
{
  const char *text = NULL;
  BLO_TRY(refuse_extras(r));
  if (r->event.type == YAML_MAPPING_START_EVENT) {
    return read_map(r, root);
  }
  if (r->event.type == YAML_SCALAR_EVENT) {
    BLO_TRY(scalar_text(r, &text));
  }
  BLO_CHECK(r->ctx, text && !text[0], BLO_E_OPTION,
            "%s: a run file is a map, lines of 'key: value'; found a %s", r->where,
            text ? "single value" : "list");
  return BLO_OK;
}

static blo_status read_stream(reader *r, blo_conf *root)
{
  BLO_TRY(next_event(r)); /* stream start */
  BLO_TRY(next_event(r));
  if (r->event.type == YAML_STREAM_END_EVENT) {
    return BLO_OK;
  }
  BLO_TRY(next_event(r)); /* after the document start */
  BLO_TRY(read_root(r, root));
  BLO_TRY(next_event(r)); /* document end */
  BLO_TRY(next_event(r));
  BLO_CHECK(r->ctx, r->event.type == YAML_STREAM_END_EVENT, BLO_E_OPTION,
            "%s: a second YAML document begins; a run file is one document", r->where);
  return BLO_OK;
}

/* Some editors begin a file with U+FEFF, by which libyaml would miscount the columns of line 1. */
static const char *after_mark(const char *text)
{
  static const char mark[] = "\xEF\xBB\xBF";

  return strncmp(text, mark, sizeof mark - 1) == 0 ? text + sizeof mark - 1 : text;
}

blo_status blo_conf_parse(blo_context *ctx, const char *name, const char *text, blo_conf **out)
{
  blo_status status = BLO_OK;
  blo_conf *root = NULL;
  reader r = {.ctx = ctx, .name = name, .text = after_mark(text)};

  BLO_CHECK(ctx, yaml_parser_initialize(&r.parser), BLO_E_MEMORY, "%s: no memory to parse it",
            name);
  yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
  yaml_parser_set_input_string(&r.parser, (const unsigned char *)r.text, strlen(r.text));
  BLO_GO(blo_conf_root(ctx, name, &root));
  BLO_GO(read_stream(&r, root));
  *out = root;
  root = NULL;
done:
  blo_conf_destroy(&root);
  yaml_event_delete(&r.event);
  yaml_parser_delete(&r.parser);
  return status;
}
