//  A manifest of anyone's bytes: the paths it gives are legal, and each is above the last.

#include "bounds.h"
#include "errors.h"
#include "fuzz.h"
#include "manifest.h"

#include <string.h>

typedef struct {
    char last[ARTEL_MAX_PATH];
    size_t len;
    unsigned entries;
} seen_t;

static int
s_compare(const char *a, size_t a_len, const char *b, size_t b_len)
{
    int order = memcmp(a, b, a_len < b_len ? a_len : b_len);
    return order ? order : (a_len > b_len) - (a_len < b_len);
}

static int
s_entry(void *arg, const artel_msg_entry_t *entry)
{
    seen_t *seen = arg;
    const char *why;
    char shown[4 * ARTEL_MAX_PATH + 1];
    REQUIRE(artel_path_legal(entry->path, &why));
    REQUIRE(entry->path.len <= sizeof seen->last);
    REQUIRE(!seen->entries || s_compare(seen->last, seen->len, entry->path.at, entry->path.len) < 0);
    artel_path_escape(entry->path, shown, sizeof shown);
    REQUIRE(strlen(shown) >= entry->path.len);
    memcpy(seen->last, entry->path.at, entry->path.len);
    seen->len = entry->path.len;
    seen->entries++;
    return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    seen_t seen = { .entries = 0 };
    int rc = artel_manifest_each(data, size, s_entry, &seen);
    REQUIRE(rc == 0 || rc == ARTEL_EPROTO || rc == ARTEL_EVERSION);
    return 0;
}
