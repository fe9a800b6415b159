/**
 * @file
 * The known name nearest to a mistyped one: the edit distance that counts an insertion, deletion,
 * substitution or swap of neighbors as one (Damerau, Comm. ACM 7(3), 1964; Levenshtein, Soviet
 * Physics Doklady 10(8), 1966), in the form where no part is edited twice.
 */
#include <blo/options.h>
#include <ctype.h>
#include <string.h>

enum { LONGEST = 63 };

/* Case and the kind of dash are not what anyone mistook. */
static int folded(char c)
{
  return c == '-' ? '_' : tolower((unsigned char)c);
}

static int least(int a, int b)
{
  return a < b ? a : b;
}

/* row[i][j]: distance of a's first i to b's first j characters; three rows are kept, i modulo 3. */
static int distance(const char *a, int n_a, const char *b, int n_b)
{
  int row[3][LONGEST + 1];
  for (int j = 0; j <= n_b; j++) {
    row[0][j] = j;
  }
  for (int i = 1; i <= n_a; i++) {
    int *now = row[i % 3];
    const int *last = row[(i + 2) % 3], *before = row[(i + 1) % 3];
    now[0] = i;
    for (int j = 1; j <= n_b; j++) {
      int differs = folded(a[i - 1]) != folded(b[j - 1]);
      now[j] = least(last[j - 1] + differs, least(last[j], now[j - 1]) + 1);
      if (i > 1 && j > 1 && folded(a[i - 1]) == folded(b[j - 2]) &&
          folded(a[i - 2]) == folded(b[j - 1])) {
        now[j] = least(now[j], before[j - 2] + 1);
      }
    }
  }
  return row[n_a % 3][n_b];
}

const char *blo_nearest(const char *word, const char *const *names)
{
  size_t length = strlen(word);
  if (length > LONGEST) {
    return NULL;
  }
  int best = ((int)length + 2) / 3 + 1; /* more than a third mistyped is another word */
  const char *nearest = NULL;
  for (blo_int i = 0; names[i]; i++) {
    size_t n = strlen(names[i]);
    int d = n > LONGEST ? best : distance(word, (int)length, names[i], (int)n);
    if (d < best) {
      best = d;
      nearest = names[i];
    }
  }
  return nearest;
}
