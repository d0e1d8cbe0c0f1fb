//  nearest.c - the distance of two words, as Damerau and Levenshtein count it.

#include "nearest.h"

#include <stdbool.h>
#include <string.h>

enum { MAX_WORD = 63 };

static size_t
s_min(size_t a, size_t b)
{
    return a < b ? a : b;
}

size_t
artel_distance(const char *a, const char *b)
{
    size_t n = strlen(a), m = strlen(b);
    if (n > MAX_WORD || m > MAX_WORD)
        return n + m;
    size_t at[MAX_WORD + 1][MAX_WORD + 1];
    for (size_t i = 0; i <= n; i++)
        at[i][0] = i;
    for (size_t j = 0; j <= m; j++)
        at[0][j] = j;
    for (size_t i = 1; i <= n; i++)
        for (size_t j = 1; j <= m; j++) {
            size_t changed = at[i - 1][j - 1] + (a[i - 1] != b[j - 1]);
            at[i][j] = s_min(changed, 1 + s_min(at[i - 1][j], at[i][j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                at[i][j] = s_min(at[i][j], at[i - 2][j - 2] + 1);
        }
    return at[n][m];
}

void
artel_nearest_offer(artel_nearest_t *self, const char *name, const char *candidate)
{
    bool begins = strlen(self->word) > 1 && strncmp(name, self->word, strlen(self->word)) == 0;
    size_t distance = begins ? 1 : artel_distance(self->word, name);
    if (distance <= 1 + strlen(self->word) / 4 && (!self->best || distance < self->distance)) {
        self->best = candidate;
        self->distance = distance;
    }
}
