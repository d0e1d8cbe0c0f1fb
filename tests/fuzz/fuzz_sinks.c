//  A list of sinks: at most ARTEL_MAX_SINKS, each found by its name, or a
//  sentence why not.

#include "fuzz.h"
#include "sinks.h"

#include <string.h>

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *list = malloc(size + 1), why[128] = "";
    REQUIRE(list);
    memcpy(list, data, size);
    list[size] = '\0';
    artel_sinks_t sinks;
    if (artel_sinks_parse(list, &sinks, why, sizeof why) == 0) {
        REQUIRE(sinks.n > 0 && sinks.n <= ARTEL_MAX_SINKS && sinks.primary < sinks.n);
        for (size_t i = 0; i < sinks.n; i++)
            REQUIRE(artel_sinks_find(&sinks, sinks.at[i].name, strlen(sinks.at[i].name)) == (int) i);
        artel_sinks_done(&sinks);
    } else {
        REQUIRE(why[0] && memchr(why, '\0', sizeof why));
    }
    free(list);
    return 0;
}
