//  credit.c - counting what is under way, and sharing what may be.

#include "credit.h"

#include "bounds.h"
#include "errors.h"

#include <stdlib.h>
#include <string.h>

enum { PERIOD_MS = 1000, FIRST_CAP = 16 };

static void
s_begin_period(artel_credit_t *self, int64_t now_ms)
{
    int64_t period = 1 + now_ms / PERIOD_MS;
    if (period == self->period)
        return;
    self->before = period == self->period + 1 ? self->active : 0;
    self->active = 0;
    self->period = period;
}

void
artel_credit_begin(artel_credit_t *self, artel_account_t *of, int64_t now_ms)
{
    s_begin_period(self, now_ms);
    self->active += of->period != self->period;
    of->period = self->period;
}

uint64_t
artel_credit_tell(artel_credit_t *self, artel_account_t *of, int64_t now_ms)
{
    s_begin_period(self, now_ms);
    unsigned n = self->active > self->before ? self->active : self->before;
    uint64_t share = n ? ARTEL_TOTAL_CREDIT / n : ARTEL_CREDIT, least = ARTEL_MAX_MESSAGE + ARTEL_BATCH_COST;
    share = share > ARTEL_CREDIT ? ARTEL_CREDIT : share < least ? least : share;
    if (of->told_in != self->period || of->before < of->told)
        of->before = of->told;
    of->told_in = self->period;
    of->told = share;
    return share;
}

bool
artel_credit_has_room(const artel_credit_t *self, const artel_account_t *of, size_t size)
{
    uint64_t cost = size + ARTEL_BATCH_COST;
    uint64_t credit = of->told > of->before ? of->told : of->before;
    if (of->n == 0)
        return self->bytes + cost <= 2 * ARTEL_TOTAL_CREDIT;
    return of->bytes + cost <= credit && self->bytes + cost <= ARTEL_TOTAL_CREDIT;
}

static int
s_grow(artel_account_t *of)
{
    size_t cap = of->cap ? 2 * of->cap : FIRST_CAP;
    uint32_t *costs = malloc(cap * sizeof *costs);
    if (!costs)
        return ARTEL_ENOMEM;
    for (size_t i = 0; i < of->n; i++)
        costs[i] = of->costs[(of->first + i) % of->cap];
    free(of->costs);
    of->costs = costs;
    of->first = 0;
    of->cap = cap;
    return 0;
}

int
artel_credit_take(artel_credit_t *self, artel_account_t *of, size_t size, int64_t now_ms)
{
    size_t cost = size + ARTEL_BATCH_COST;
    artel_credit_begin(self, of, now_ms);
    if (of->n == of->cap && s_grow(of) != 0)
        return ARTEL_ENOMEM;
    of->costs[(of->first + of->n++) % of->cap] = (uint32_t) cost;
    of->bytes += cost;
    self->bytes += cost;
    return 0;
}

void
artel_credit_give(artel_credit_t *self, artel_account_t *of, uint64_t n)
{
    for (; n && of->n; n--, of->n--) {
        of->bytes -= of->costs[of->first];
        self->bytes -= of->costs[of->first];
        of->first = (of->first + 1) % of->cap;
    }
    if (of->n || of->cap == FIRST_CAP)
        return;
    free(of->costs);                            //  a thousand idle ones hold none
    of->costs = NULL;
    of->cap = of->first = 0;
}

void
artel_credit_done(artel_credit_t *self, artel_account_t *of)
{
    artel_credit_give(self, of, UINT64_MAX);
    free(of->costs);
    memset(of, 0, sizeof *of);
}
