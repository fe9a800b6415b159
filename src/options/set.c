/**
 * @file
 * Values given on the command line: "a.b.c=value" put over what the run file says.
 */
#include "conf.h"

#include "text.h"
#include <string.h>

/* Descend by one key; `length` is that of the key, which the tree checks when it makes a node. */
static blo_status step_into(blo_conf **node, const char *key, size_t length)
{
  char copy[BLO_CONF_KEY_CAP];
  char shown[BLO_SHOWN_CAP];
  BLO_CHECK((*node)->ctx, length < sizeof copy, BLO_E_OPTION,
            BLO_CONF_SET_ORIGIN ": key '%s' is too long", blo_shown(key, shown));
  memcpy(copy, key, length);
  copy[length] = '\0';
  BLO_TRY(blo_conf_become_map(*node, BLO_CONF_SET_ORIGIN));
  return blo_conf_child(*node, copy, BLO_CONF_SET_ORIGIN, node);
}

blo_status blo_conf_set(blo_conf *root, const char *assignment)
{
  char shown[BLO_SHOWN_CAP];
  const char *equals = strchr(assignment, '=');
  BLO_CHECK(root->ctx, equals && equals != assignment, BLO_E_OPTION,
            BLO_CONF_SET_ORIGIN ": '%s' is not of the form key.key=value",
            blo_shown(assignment, shown));
  blo_conf *node = root;
  for (const char *key = assignment; key <= equals;) {
    size_t length = strcspn(key, ".=");
    BLO_TRY(step_into(&node, key, length));
    key += length + 1;
  }
  return blo_conf_put_text(node, BLO_CONF_SET_ORIGIN, equals + 1);
}
