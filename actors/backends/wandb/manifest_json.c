//  manifest_json.c - W&B's manifest of an artifact: written from ours.

#include "manifest_json.h"

#include "errors.h"
#include "referral.h"

#include <inttypes.h>
#include <string.h>

//  Appends; a buffer that could not grow once stays as it is and says so in the end.
typedef struct {
    msgpack_sbuffer *buffer;
    bool failed;
} out_t;

static void
s_put(out_t *out, const char *data, size_t len)
{
    if (!out->failed && len > 0)
        out->failed = msgpack_sbuffer_write(out->buffer, data, len) != 0;
}

static void
s_puts(out_t *out, const char *text)
{
    s_put(out, text, strlen(text));
}

static size_t
s_plain(artel_str_t text, size_t from)
{
    while (from < text.len && text.at[from] != '"' && text.at[from] != '\\' && (unsigned char) text.at[from] >= 0x20)
        from++;
    return from;
}

//  As a JSON string. What is not ASCII stays as it is.
static void
s_quote(out_t *out, artel_str_t text)
{
    char escape[8];
    s_puts(out, "\"");
    for (size_t i = 0; i < text.len; i++) {
        size_t end = s_plain(text, i);
        s_put(out, text.at + i, end - i);
        if ((i = end) == text.len)
            break;
        snprintf(escape, sizeof escape, "\\u%04x", (unsigned char) text.at[i]);
        s_puts(out, escape);
    }
    s_puts(out, "\"");
}

static void
s_field(out_t *out, const char *name, artel_str_t value)
{
    s_puts(out, ",\"");
    s_puts(out, name);
    s_puts(out, "\":");
    s_quote(out, value);
}

//  {"etag": ..., "versionID": ...}, or nothing if neither is known.
static void
s_extra(out_t *out, const artel_referral_t *reference)
{
    bool both = reference->etag.len && reference->version.len;
    if (!reference->etag.len && !reference->version.len)
        return;
    s_puts(out, ",\"extra\":{");
    if (reference->etag.len) {
        s_puts(out, "\"etag\":");
        s_quote(out, reference->etag);
    }
    if (reference->version.len) {
        s_puts(out, both ? ",\"versionID\":" : "\"versionID\":");
        s_quote(out, reference->version);
    }
    s_puts(out, "}");
}

//  What the manifest says of an entry; text is for the digest of a file.
static artel_referral_t
s_describe(const artel_flat_entry_t *entry, const artel_mark_t *mark, char text[ARTEL_MD5_TEXT])
{
    artel_referral_t ret = { .digest = { text, ARTEL_MD5_TEXT - 1 } };
    if (entry->uri.len)
        artel_referral_read(entry->uri, entry->target, &ret);
    else
        artel_md5_text(&mark->md5, text);
    return ret;
}

static void
s_entry(out_t *out, const artel_flat_entry_t *entry, const artel_mark_t *mark)
{
    char digest[ARTEL_MD5_TEXT], number[32];
    artel_referral_t reference = s_describe(entry, mark, digest);
    s_quote(out, entry->path);
    s_puts(out, ":{\"digest\":");
    s_quote(out, reference.digest);
    snprintf(number, sizeof number, ",\"size\":%" PRIu64, entry->size);
    s_puts(out, number);
    if (entry->uri.len) {
        s_field(out, "ref", reference.ref);
        s_extra(out, &reference);
    } else
        s_field(out, "birthArtifactID", artel_str(mark->birth));
    s_puts(out, "}");
}

int
artel_manifest_json_write(const artel_flat_t *flat, const artel_mark_t *marks, msgpack_sbuffer *buffer)
{
    out_t out = { .buffer = buffer };
    s_puts(&out, "{\"version\":1,\"storagePolicy\":\"wandb-storage-policy-v1\","
                 "\"storagePolicyConfig\":{\"storageLayout\":\"V2\"},\"contents\":{");
    for (size_t i = 0; i < flat->n; i++) {
        s_puts(&out, i ? "," : "");
        s_entry(&out, &flat->entries[i], &marks[i]);
    }
    s_puts(&out, "}}");
    return out.failed ? ARTEL_ENOMEM : 0;
}

int
artel_digest_begin(artel_md5_pieces_t *pieces)
{
    static const char head[] = "wandb-artifact-manifest-v1\n";
    int rc = artel_md5_begin(pieces);
    if (rc == 0)
        artel_md5_add(pieces, head, sizeof head - 1);
    return rc;
}

void
artel_digest_add(artel_md5_pieces_t *pieces, artel_str_t path, artel_str_t digest)
{
    artel_md5_add(pieces, path.at, path.len);
    artel_md5_add(pieces, ":", 1);
    artel_md5_add(pieces, digest.at, digest.len);
    artel_md5_add(pieces, "\n", 1);
}

void
artel_digest_end(artel_md5_pieces_t *pieces, char ret[ARTEL_MD5_HEX])
{
    artel_md5_t md5;
    artel_md5_end(pieces, &md5);
    artel_hex(md5.at, sizeof md5.at, ret);
}

int
artel_manifest_json_digest(const artel_flat_t *flat, const artel_mark_t *marks, char ret[ARTEL_MD5_HEX])
{
    artel_md5_pieces_t pieces;
    int rc = artel_digest_begin(&pieces);
    for (size_t i = 0; rc == 0 && i < flat->n; i++) {
        char text[ARTEL_MD5_TEXT];
        artel_digest_add(&pieces, flat->entries[i].path, s_describe(&flat->entries[i], &marks[i], text).digest);
    }
    if (rc == 0)
        artel_digest_end(&pieces, ret);
    return rc;
}
