/**
 * @file
 * A configuration tree to YAML text that reads back as the same tree, over libyaml's emitter.
 */
#include "conf.h"

#include "text.h"
#include <string.h>
#include <yaml.h>

typedef struct writer {
  blo_context *ctx;
  yaml_emitter_t emitter;
  blo_text text;
  blo_status status; /* of the memory behind `text` */
} writer;

static int write_bytes(void *data, unsigned char *bytes, size_t n)
{
  writer *w = data;
  w->status = blo_text_append(w->ctx, &w->text, (const char *)bytes, n);
  return w->status == BLO_OK;
}

/* Take the event over; `ready` is what its initializer returned. */
static blo_status emit(writer *w, int ready, yaml_event_t *event, const blo_conf *node)
{
  if (ready && yaml_emitter_emit(&w->emitter, event)) {
    return BLO_OK;
  }
  BLO_TRY(w->status);
  return blo_fail(w->ctx, BLO_E_OPTION, __FILE__, __LINE__,
                  "%s: '%s' cannot be written as YAML: %s", node->where, node->path,
                  w->emitter.problem ? w->emitter.problem : "not text in UTF-8");
}

/* What would read back as something else is quoted, and line breaks are escapes. */
static yaml_scalar_style_t style_of(const char *text)
{
  if (!text[0] || blo_text_is_null(text)) {
    return YAML_SINGLE_QUOTED_SCALAR_STYLE;
  }
  for (const char *c = text; *c; c++) {
    if ((unsigned char)*c < 0x20) {
      return YAML_DOUBLE_QUOTED_SCALAR_STYLE;
    }
  }
  return YAML_ANY_SCALAR_STYLE;
}

static blo_status put_scalar(writer *w, const blo_conf *node, const char *text, size_t n,
                             yaml_scalar_style_t style)
{
  yaml_event_t event;
  int ready = yaml_scalar_event_initialize(&event, NULL, NULL, (const yaml_char_t *)text, (int)n, 1,
                                           1, style);
  return emit(w, ready, &event, node);
}

/* Items hold neither commas nor brackets: the parser saw to that. */
static blo_status put_list(writer *w, const blo_conf *node)
{
  yaml_event_t event;
  int ready = yaml_sequence_start_event_initialize(&event, NULL, NULL, 1, YAML_FLOW_SEQUENCE_STYLE);
  BLO_TRY(emit(w, ready, &event, node));
  for (const char *item = node->text + 1; *item && *item != ']';) {
    size_t n = strcspn(item, ",]");
    BLO_TRY(put_scalar(w, node, item, n, YAML_ANY_SCALAR_STYLE));
    item += n + (item[n] == ',' ? 2 : 0);
  }
  return emit(w, yaml_sequence_end_event_initialize(&event), &event, node);
}

static blo_status put_map(writer *w, const blo_conf *map);

static blo_status put_value(writer *w, const blo_conf *node)
{
  if (!node->text) {
    return put_map(w, node);
  }
  if (node->is_list) {
    return put_list(w, node);
  }
  return put_scalar(w, node, node->text, strlen(node->text), style_of(node->text));
}

static blo_status put_map(writer *w, const blo_conf *map)
{
  yaml_event_t event;
  int ready = yaml_mapping_start_event_initialize(&event, NULL, NULL, 1, YAML_ANY_MAPPING_STYLE);
  BLO_TRY(emit(w, ready, &event, map));
  for (blo_int i = 0; i < map->n; i++) {
    const blo_conf *child = map->child[i];
    BLO_TRY(put_scalar(w, child, child->key, strlen(child->key), style_of(child->key)));
    BLO_TRY(put_value(w, child));
  }
  return emit(w, yaml_mapping_end_event_initialize(&event), &event, map);
}

static blo_status put_document(writer *w, const blo_conf *root)
{
  yaml_event_t event;
  BLO_TRY(emit(w, yaml_stream_start_event_initialize(&event, YAML_UTF8_ENCODING), &event, root));
  int ready = yaml_document_start_event_initialize(&event, NULL, NULL, NULL, 1);
  BLO_TRY(emit(w, ready, &event, root));
  BLO_TRY(put_map(w, root));
  BLO_TRY(emit(w, yaml_document_end_event_initialize(&event, 1), &event, root));
  return emit(w, yaml_stream_end_event_initialize(&event), &event, root);
}

blo_status blo_conf_print(const blo_conf *root, char **text)
{
  blo_status status = BLO_OK;
  writer w = {.ctx = root->ctx};

  BLO_CHECK(root->ctx, yaml_emitter_initialize(&w.emitter), BLO_E_MEMORY,
            "%s: no memory to print it", root->where);
  yaml_emitter_set_output(&w.emitter, write_bytes, &w);
  yaml_emitter_set_unicode(&w.emitter, 1);
  yaml_emitter_set_width(&w.emitter, -1); /* no folding */
  BLO_GO(put_document(&w, root));
  *text = w.text.bytes;
  w.text.bytes = NULL;
done:
  blo_free(root->ctx, &w.text.bytes);
  yaml_emitter_delete(&w.emitter);
  return status;
}
