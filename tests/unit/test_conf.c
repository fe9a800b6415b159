/* The configuration tree: what YAML is taken, what is refused with which words, and that a tree
 * printed and parsed again is the same tree.
 * ranks: 1 */
#include "harness.h"

#include <blo/options.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char sample[] = "# a run file\n"
                             "problem:\n"
                             "  data: digits.csv   # beside this file\n"
                             "  scale: 'it''s'\n"
                             "solver:\n"
                             "  type: stocbio\n"
                             "  lower: {steps: 10, step: 1e-2}\n"
                             "  widths:\n"
                             "  - 64\n"
                             "  - 32\n"
                             "run:\n"
                             "  empty:\n"
                             "  nothing: ~\n"
                             "  tilde: '~'\n"
                             "  note: \"two\\nlines\"\n";

static blo_conf *parsed(blo_comm *comm, const char *text)
{
  blo_conf *root = NULL;
  BLO_REQUIRE_STATUS(blo_conf_parse(blo_comm_context(comm), "run.yml", text, &root), BLO_OK);
  return root;
}

static void expect_text(const blo_conf *root, const char *path, const char *want)
{
  const char *text = blo_conf_text(root, path);
  BLO_EXPECT_MSG(text && strcmp(text, want) == 0, "%s is '%s', not '%s'", path,
                 text ? text : "(absent)", want);
}

static void yaml_is_read(blo_comm *comm)
{
  blo_conf *root = parsed(comm, sample);
  expect_text(root, "problem.data", "digits.csv");
  expect_text(root, "problem.scale", "it's");
  expect_text(root, "solver.lower.step", "1e-2");
  expect_text(root, "solver.widths", "[64, 32]");
  expect_text(root, "run.empty", "");
  expect_text(root, "run.nothing", "");
  expect_text(root, "run.tilde", "~");
  expect_text(root, "run.note", "two\nlines");
  BLO_EXPECT_ALL(!blo_conf_text(root, "solver"));
  BLO_EXPECT_ALL(!blo_conf_find(root, "solver.upper"));
  BLO_EXPECT_ALL(!blo_conf_find(root, "solver.type.deeper"));
  const blo_conf *lower = blo_conf_find(root, "solver.lower");
  BLO_EXPECT_ALL(strcmp(blo_conf_where(lower), "run.yml:7") == 0);
  BLO_EXPECT_ALL(strcmp(blo_conf_path(lower), "solver.lower") == 0);
  BLO_EXPECT_ALL(blo_conf_count(lower) == 2 && strcmp(blo_conf_key(lower, 1), "step") == 0);
  blo_conf_destroy(&root);
  BLO_EXPECT_ALL(!root);
  blo_conf_destroy(&root);
}

static void empty_files_are_empty_maps(blo_comm *comm)
{
  static const char *const texts[] = {"", "\n\n", "# nothing\n", "---\n", "{}", "~", "null\n"};
  for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
    blo_conf *root = parsed(comm, texts[i]);
    BLO_EXPECT_ALL(blo_conf_count(root) == 0);
    blo_conf_destroy(&root);
  }
}

typedef struct refusal {
  const char *given, *message;
} refusal;

static const refusal wrong_yaml[] = {
    {"a: 1\nb: 2\na: 3\n", "run.yml:3: duplicate key 'a'; it was given before at run.yml:1"},
    {"s:\n  x: 1\n  y: 2\n\n  x: 1\n",
     "run.yml:5: duplicate key 's.x'; it was given before at run.yml:2"},
    {"a: &here 1\n", "run.yml:1: the YAML anchor 'here' is not allowed in a run file"},
    {"a: &m {b: 1}\n", "run.yml:1: the YAML anchor 'm' is not allowed in a run file"},
    {"a: &l [1]\n", "run.yml:1: the YAML anchor 'l' is not allowed in a run file"},
    {"a: 1\nb: *here\n", "run.yml:2: the YAML alias 'here' is not allowed in a run file"},
    {"a: !!int 1\n",
     "run.yml:1: the YAML tag 'tag:yaml.org,2002:int' is not allowed in a run file"},
    {"a: !mine {}\n", "run.yml:1: the YAML tag '!mine' is not allowed in a run file"},
    {"a: 1\n---\nb: 2\n", "run.yml:2: a second YAML document begins; a run file is one document"},
    {"- a\n- b\n", "run.yml:1: a run file is a map, lines of 'key: value'; found a list"},
    {"\nhello\n", "run.yml:2: a run file is a map, lines of 'key: value'; found a single value"},
    {"a: [1, [2]]\n", "run.yml:1: a list may hold only values, not maps or lists"},
    {"a:\n- {b: 1}\n", "run.yml:2: a list may hold only values, not maps or lists"},
    {"a: [1, 'x, y']\n",
     "run.yml:1: 'x, y' is not allowed in a list: only plain words and numbers are"},
    {"a: ['null']\n",
     "run.yml:1: 'null' is not allowed in a list: only plain words and numbers are"},
    {"? [a]\n: 1\n", "run.yml:1: a key must be a word, not a map or a list"},
    {"a.b: 1\n", "run.yml:1: 'a.b' cannot be a key: only letters, digits, '_' and '-' are allowed"},
    {"'': 1\n", "run.yml:1: '' cannot be a key: only letters, digits, '_' and '-' are allowed"},
    {"<<: {}\n", "run.yml:1: '<<' cannot be a key: only letters, digits, '_' and '-' are allowed"},
    {"a: \"x\\0y\"\n", "run.yml:1: a value contains a zero character"},
    {"a: 1\nb: \xff\n", "run.yml:2: not text in UTF-8: invalid leading UTF-8 octet (0xFF)"},
    {"a: 1\n  b: 2\n",
     "run.yml:2: not valid YAML: mapping values are not allowed in this context at column 4"},
    {"a: [1\n", "run.yml:2: not valid YAML: did not find expected ',' or ']' at column 1, while "
                "parsing a flow "
                "sequence"},
    {"a: {b: {c: {d: {e: {f: {g: {h: {i: {j: {k: {l: {m: {n: {o: {p: {q: 1}}}}}}}}}}}}}}}}\n",
     "run.yml:1: key 'q' lies inside more than 16 maps"},
    {"abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijkl: 1\n",
     "run.yml:1: key 'abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijkl' has 64 "
     "characters, at most 63 are allowed"},
};

static void wrong_yaml_is_refused(blo_comm *comm)
{
  blo_context *ctx = blo_comm_context(comm);
  for (size_t i = 0; i < sizeof wrong_yaml / sizeof wrong_yaml[0]; i++) {
    const refusal *r = &wrong_yaml[i];
    blo_conf *root = NULL;
    BLO_EXPECT_STATUS(blo_conf_parse(ctx, "run.yml", r->given, &root), BLO_E_OPTION);
    BLO_EXPECT_MSG(strcmp(blo_error_text(ctx), r->message) == 0, "message '%s' instead of '%s'",
                   blo_error_text(ctx), r->message);
    BLO_EXPECT_ALL(!root);
    blo_conf_destroy(&root);
  }
}

static bool same_tree(const blo_conf *a, const blo_conf *b)
{
  if (blo_conf_count(a) != blo_conf_count(b)) {
    return false;
  }
  for (blo_int i = 0; i < blo_conf_count(a); i++) {
    const char *key = blo_conf_key(a, i);
    const char *text_a = blo_conf_text(a, key), *text_b = blo_conf_text(b, key);
    bool same = strcmp(key, blo_conf_key(b, i)) == 0 && !text_a == !text_b &&
                (!text_a || strcmp(text_a, text_b) == 0) &&
                same_tree(blo_conf_find(a, key), blo_conf_find(b, key));
    if (!same) {
      return false;
    }
  }
  return true;
}

static bool survives_print(blo_comm *comm, const blo_conf *root)
{
  blo_context *ctx = blo_comm_context(comm);
  blo_conf *again = NULL;
  char *text = NULL;
  bool same = blo_conf_print(root, &text) == BLO_OK &&
              blo_conf_parse(ctx, "again", text, &again) == BLO_OK && same_tree(root, again);
  blo_conf_destroy(&again);
  blo_free(ctx, &text);
  return same;
}

static void set_puts_values_over_the_file(blo_comm *comm)
{
  blo_conf *root = parsed(comm, sample);
  BLO_EXPECT_STATUS(blo_conf_set(root, "solver.lower.step=0.5"), BLO_OK);
  BLO_EXPECT_STATUS(blo_conf_set(root, "new.map.on-the-way=a=b.c"), BLO_OK);
  BLO_EXPECT_STATUS(blo_conf_set(root, "run.empty.inside=1"), BLO_OK);
  BLO_EXPECT_STATUS(blo_conf_set(root, "solver.type="), BLO_OK);
  BLO_EXPECT_STATUS(blo_conf_set(root, "solver.widths=[a, b]c"), BLO_OK);
  BLO_EXPECT_ALL(!blo_conf_text(root, "run.empty"));
  BLO_EXPECT_ALL(survives_print(comm, root));
  expect_text(root, "solver.lower.step", "0.5");
  expect_text(root, "new.map.on-the-way", "a=b.c");
  expect_text(root, "run.empty.inside", "1");
  expect_text(root, "solver.type", "");
  BLO_EXPECT_ALL(strcmp(blo_conf_where(blo_conf_find(root, "solver.lower.step")), "--set") == 0);
  BLO_EXPECT_ALL(strcmp(blo_conf_where(blo_conf_find(root, "solver.lower.steps")), "run.yml:7") ==
                 0);
  blo_conf_destroy(&root);
}

static const refusal wrong_set[] = {
    {"solver", "--set: 'solver' is not of the form key.key=value"},
    {"=3", "--set: '=3' is not of the form key.key=value"},
    {"solver.=3", "--set: '' cannot be a key: only letters, digits, '_' and '-' are allowed"},
    {"a b=3", "--set: 'a b' cannot be a key: only letters, digits, '_' and '-' are allowed"},
    {"solver=3",
     "--set: solver is a map (run.yml:5) and cannot become a value: set its keys one by one"},
    {"solver.type.x=3",
     "--set: solver.type must be a map, but it is the value 'stocbio' (run.yml:6)"},
    {"abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijkl=1",
     "--set: key 'abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijkl=1' is too long"},
};

static void wrong_set_is_refused(blo_comm *comm)
{
  blo_context *ctx = blo_comm_context(comm);
  blo_conf *root = parsed(comm, sample);
  for (size_t i = 0; i < sizeof wrong_set / sizeof wrong_set[0]; i++) {
    BLO_EXPECT_STATUS(blo_conf_set(root, wrong_set[i].given), BLO_E_OPTION);
    BLO_EXPECT_MSG(strcmp(blo_error_text(ctx), wrong_set[i].message) == 0,
                   "message '%s' instead of '%s'", blo_error_text(ctx), wrong_set[i].message);
  }
  blo_conf_destroy(&root);
}

static void maps_are_made_when_needed(blo_comm *comm)
{
  blo_conf *root = parsed(comm, sample), *map = NULL;
  BLO_EXPECT_STATUS(blo_conf_need_map(root, "run", &map), BLO_OK);
  BLO_EXPECT_ALL(map == blo_conf_find(root, "run"));
  BLO_EXPECT_STATUS(blo_conf_need_map(root, "fresh", &map), BLO_OK);
  BLO_EXPECT_ALL(blo_conf_count(map) == 0 && map == blo_conf_find(root, "fresh"));
  BLO_EXPECT_ALL(strcmp(blo_conf_where(map), "run.yml") == 0);
  map = blo_conf_find(root, "solver");
  BLO_EXPECT_STATUS(blo_conf_need_map(map, "type", &map), BLO_E_OPTION);
  BLO_EXPECT_ERROR_HAS("solver.type must be a map, but it is the value 'stocbio' (run.yml:6)");
  blo_conf_destroy(&root);
}

/* ------------------------------------------------------------ round trips */

static void print_is_readable(blo_comm *comm)
{
  blo_conf *root = parsed(comm, "b: {c: 1e-3, l: [a, 2],\n  e: ''}\na: 'x: y'\n");
  char *text = NULL;
  BLO_REQUIRE_STATUS(blo_conf_print(root, &text), BLO_OK);
  BLO_EXPECT_MSG(strcmp(text, "b:\n  c: 1e-3\n  l: [a, 2]\n  e: ''\na: 'x: y'\n") == 0,
                 "printed: %s", text);
  blo_free(blo_comm_context(comm), &text);
  blo_conf_destroy(&root);
}

static void long_and_foreign_words_stay_as_they_are(blo_comm *comm)
{
  char words[320], want[330], *text = NULL;
  blo_conf *root = parsed(comm, "");
  snprintf(words, sizeof words, "a=gr\xc3\xbc\xc3\x9f%0*d and %0*d", 120, 1, 120, 2);
  snprintf(want, sizeof want, "a: %s\n", words + 2);
  BLO_REQUIRE_STATUS(blo_conf_set(root, words), BLO_OK);
  BLO_REQUIRE_STATUS(blo_conf_print(root, &text), BLO_OK);
  BLO_EXPECT_MSG(strcmp(text, want) == 0, "printed %s", text);
  blo_free(blo_comm_context(comm), &text);
  blo_conf_destroy(&root);
}

static void odd_texts_survive_print(blo_comm *comm)
{
  static const char *const odd[] = {
      "",
      " ",
      "~",
      "null",
      "NULL",
      "- a",
      "-",
      "---",
      "...",
      "? x",
      "a: b",
      "a #b",
      "#",
      "'",
      "\"",
      "it's \"so\"",
      "[a, b]",
      "{a: b}",
      "&a",
      "*a",
      "!a",
      "|",
      ">",
      "%",
      "@",
      "`",
      "\\",
      "\\n",
      "a\nb",
      "\n",
      "a\n\n b\n",
      " lead",
      "trail ",
      "\t",
      "a\tb",
      "\x01\x1f\x7f",
      "\xc2\x85",
      "a\xc2\x85z",
      "a\xe2\x80\xa8z",
      "a \xe2\x80\xa9 z",
      "\xef\xbf\xbe",
      "\xe2\x80\xa8line",
      "gr\xc3\xbc\xc3\x9f",
      "\xf0\x9f\x98\x80",
      "\xef\xbb\xbf"
      "bom",
      "a very long text with words that would be folded at eighty columns if folding were allowed "
      "here, which it is not"};
  blo_conf *root = parsed(comm, sample);
  BLO_EXPECT_ALL(survives_print(comm, root));
  for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++) {
    char assignment[256];
    snprintf(assignment, sizeof assignment, "odd.text=%s", odd[i]);
    BLO_REQUIRE_STATUS(blo_conf_set(root, assignment), BLO_OK);
    BLO_EXPECT_MSG(survives_print(comm, root), "text %zu, '%s', is not the same after printing", i,
                   odd[i]);
  }
  blo_conf_destroy(&root);
}

static void bytes_that_are_no_text_are_not_printed(blo_comm *comm)
{
  blo_conf *root = parsed(comm, "");
  char *text = NULL;
  BLO_REQUIRE_STATUS(blo_conf_set(root, "a.b=x\xffy"), BLO_OK);
  BLO_EXPECT_STATUS(blo_conf_print(root, &text), BLO_E_OPTION);
  BLO_EXPECT_ERROR_HAS("--set: 'a.b' cannot be written as YAML: not text in UTF-8");
  BLO_EXPECT_ALL(!text);
  blo_conf_destroy(&root);
}

/* ------------------------------------------------------------------ files */

static void text_files_are_read(blo_comm *comm)
{
  blo_context *ctx = blo_comm_context(comm);
  char folder[512], path[600], *text = NULL;
  blo_test_tmpdir(comm, folder, sizeof folder);
  snprintf(path, sizeof path, "%s/run.yml", folder);

  BLO_EXPECT_STATUS(blo_text_read(ctx, path, &text), BLO_E_IO);
  BLO_EXPECT_ERROR_HAS("run.yml: cannot be opened: No such file");
  BLO_EXPECT_STATUS(blo_text_read(ctx, folder, &text), BLO_E_IO);
  BLO_EXPECT_ERROR_HAS("cannot be read: Is a directory");

  FILE *file = fopen(path, "w");
  BLO_REQUIRE_ALL(file);
  for (int i = 0; i < 5000; i++) {
    fputs("k: v\n", file);
  }
  fclose(file);
  BLO_REQUIRE_STATUS(blo_text_read(ctx, path, &text), BLO_OK);
  BLO_EXPECT_ALL(strlen(text) == 25000 && memcmp(text + 24995, "k: v\n", 6) == 0);
  blo_free(ctx, &text);

  file = fopen(path, "a");
  BLO_REQUIRE_ALL(file);
  fwrite("a\0b", 1, 3, file);
  fclose(file);
  BLO_EXPECT_STATUS(blo_text_read(ctx, path, &text), BLO_E_FORMAT);
  BLO_EXPECT_ERROR_HAS("not a text file: byte 25001 is zero");

  BLO_REQUIRE_ALL(truncate(path, 0) == 0);
  BLO_REQUIRE_STATUS(blo_text_read(ctx, path, &text), BLO_OK);
  BLO_EXPECT_ALL(text[0] == '\0');
  blo_free(ctx, &text);
}

/* --------------------------------------------------------- faults and noise */

static blo_status parse_set_print(blo_comm *comm, void *arg)
{
  blo_context *ctx = blo_comm_context(comm);
  blo_status status = BLO_OK;
  blo_conf *root = NULL, *map = NULL;
  char *text = NULL;
  (void)arg;
  BLO_GO(blo_conf_parse(ctx, "run.yml", sample, &root));
  BLO_GO(blo_conf_set(root, "solver.lower.deep.step=0.5"));
  BLO_GO(blo_conf_need_map(root, "fresh", &map));
  BLO_GO(blo_conf_print(root, &text));
done:
  blo_free(ctx, &text);
  blo_conf_destroy(&root);
  return status;
}

static blo_status read_file(blo_comm *comm, void *path)
{
  char *text = NULL;
  blo_status status = blo_text_read(blo_comm_context(comm), path, &text);
  blo_free(blo_comm_context(comm), &text);
  return status;
}

static void every_fault_is_returned(blo_comm *comm)
{
  char folder[512], path[600];
  blo_test_tmpdir(comm, folder, sizeof folder);
  snprintf(path, sizeof path, "%s/run.yml", folder);
  FILE *file = fopen(path, "w");
  BLO_REQUIRE_ALL(file);
  fputs(sample, file);
  fclose(file);
  BLO_EXPECT_ALL(blo_test_sweep_faults(comm, parse_set_print, NULL) > 60);
  BLO_EXPECT_ALL(blo_test_sweep_faults(comm, read_file, path) == 2);
}

/* xorshift64 (Marsaglia 2003): any numbers will do, the same ones each time. */
static uint32_t noise(uint64_t *state)
{
  *state ^= *state << 13;
  *state ^= *state >> 7;
  *state ^= *state << 17;
  return (uint32_t)(*state >> 32);
}

/* Parse; what is accepted must also survive printing, what is refused must say why in one line. */
static bool holds_for(blo_comm *comm, const char *text)
{
  blo_context *ctx = blo_comm_context(comm);
  blo_conf *root = NULL;
  blo_status status = blo_conf_parse(ctx, "noise", text, &root);
  bool ok = status == BLO_OK ? survives_print(comm, root)
                             : status == BLO_E_OPTION && !root &&
                                   strncmp(blo_error_text(ctx), "noise:", 6) == 0 &&
                                   !strchr(blo_error_text(ctx), '\n');
  blo_conf_destroy(&root);
  return ok;
}

static void random_bytes_do_no_harm(blo_comm *comm)
{
  uint64_t state = 88172645463325252u;
  char text[64];
  int failed = 0;
  for (int round = 0; round < 20000; round++) {
    size_t n = noise(&state) % (sizeof text - 1);
    for (size_t i = 0; i < n; i++) {
      text[i] = (char)(noise(&state) % 256);
    }
    text[n] = '\0';
    failed += !holds_for(comm, text);
  }
  BLO_EXPECT_MSG(failed == 0, "%d random texts", failed);
}

static void mutations_do_no_harm(blo_comm *comm)
{
  static const char marks[] = ":-[]{}'\"\n #&*!|>?%,~\\\t ab1";
  uint64_t state = 2463534242u;
  char text[sizeof sample];
  int failed = 0, accepted = 0;
  for (int round = 0; round < 20000; round++) {
    memcpy(text, sample, sizeof sample);
    for (uint32_t edits = 1 + noise(&state) % 3; edits > 0; edits--) {
      size_t at = noise(&state) % (sizeof sample - 1);
      text[at] = noise(&state) % 8 ? marks[noise(&state) % (sizeof marks - 1)]
                                   : (char)(1 + noise(&state) % 255);
    }
    blo_conf *root = NULL;
    accepted += blo_conf_parse(blo_comm_context(comm), "noise", text, &root) == BLO_OK;
    blo_conf_destroy(&root);
    failed += !holds_for(comm, text);
  }
  BLO_EXPECT_MSG(failed == 0, "%d mutations", failed);
  BLO_EXPECT_MSG(accepted > 2000 && accepted < 18000, "%d of 20000 accepted", accepted);
}

static void random_texts_survive_print(blo_comm *comm)
{
  static const char *const pieces[] = {" ",
                                       "\n",
                                       "\t",
                                       "a",
                                       "b",
                                       "-",
                                       ":",
                                       "#",
                                       "'",
                                       "\"",
                                       "\\",
                                       ",",
                                       "[",
                                       "]",
                                       "{",
                                       "}",
                                       "&",
                                       "*",
                                       "!",
                                       "|",
                                       ">",
                                       "%",
                                       "@",
                                       "~",
                                       "null",
                                       "\r",
                                       "\x7f",
                                       "\xc2\x85",
                                       "\xc2\xa0",
                                       "\xe2\x80\xa8",
                                       "\xe2\x80\xa9",
                                       "\xef\xbb\xbf",
                                       "\xef\xbf\xbe",
                                       "\xc3\xbc",
                                       "\xf0\x9f\x98\x80"};
  enum { N_PIECES = sizeof pieces / sizeof pieces[0] };
  uint64_t state = 1181783497276652981u;
  blo_conf *root = parsed(comm, "");
  int failed = 0;
  for (int round = 0; round < 10000; round++) {
    char words[64] = "a.b=";
    for (uint32_t n = noise(&state) % 8; n > 0; n--) {
      strcat(words, pieces[noise(&state) % N_PIECES]);
    }
    BLO_REQUIRE_STATUS(blo_conf_set(root, words), BLO_OK);
    failed += !survives_print(comm, root);
  }
  BLO_EXPECT_MSG(failed == 0, "%d of 10000 texts", failed);
  blo_conf_destroy(&root);
}

static const blo_test tests[] = {
    {"YAML is read", yaml_is_read},
    {"empty files are empty maps", empty_files_are_empty_maps},
    {"wrong YAML is refused in plain words", wrong_yaml_is_refused},
    {"--set puts values over the file", set_puts_values_over_the_file},
    {"wrong --set is refused in plain words", wrong_set_is_refused},
    {"maps are made when needed", maps_are_made_when_needed},
    {"print is readable", print_is_readable},
    {"long and foreign words stay as they are", long_and_foreign_words_stay_as_they_are},
    {"odd texts survive printing", odd_texts_survive_print},
    {"bytes that are no text are not printed", bytes_that_are_no_text_are_not_printed},
    {"text files are read", text_files_are_read},
    {"every fault is returned", every_fault_is_returned},
    {"random texts survive printing", random_texts_survive_print},
    {"random bytes do no harm", random_bytes_do_no_harm},
    {"mutations of a run file do no harm", mutations_do_no_harm},
};

BLO_TEST_MAIN("conf", tests)
