//  msgs.c - pack, unpack and print, written once for every message.

#include "msgs.h"

#include "errors.h"
#include "bounds.h"
#include "scan.h"

#include <assert.h>
#include <inttypes.h>
#include <msgpack.h>
#include <string.h>

artel_str_t
artel_str(const char *text)
{
    return (artel_str_t) { text, text ? strlen(text) : 0 };
}

bool
artel_str_equal(artel_str_t a, artel_str_t b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.at, b.at, a.len) == 0);
}

//  A buffer that remembers whether it could grow each time.
typedef struct {
    msgpack_sbuffer *out;
    int rc;
} sink_t;

static inline int
s_append(sink_t *sink, const void *at, size_t len)
{
    if (len && sink->rc == 0 && msgpack_sbuffer_write(sink->out, at, len) != 0)
        sink->rc = ARTEL_ENOMEM;
    return 0;
}

//  msgpack-c's packing functions over a sink, s_put_int and so on. Its own go
//  through a pointer for each few bytes, which costs as much as the packing.
#define msgpack_pack_inline_func(name) static inline int s_put##name
#define msgpack_pack_inline_func_cint(name) static inline int s_put##name
#define msgpack_pack_inline_func_fixint(name) static inline int s_put_fix##name
#define msgpack_pack_user sink_t *
#define msgpack_pack_append_buffer(sink, at, len) return s_append(sink, at, len)
#include <msgpack/pack_template.h>

//  The field types: how each is packed, read and shown. A reader's zone is
//  where lists go.

static void
s_pack_str(sink_t *sink, artel_str_t v)
{
    s_put_str(sink, v.len);
    s_put_str_body(sink, v.at, v.len);
}

static void
s_pack_bin(sink_t *sink, artel_bin_t v)
{
    s_put_bin(sink, v.len);
    s_put_bin_body(sink, v.at, v.len);
}

static void
s_pack_strs(sink_t *sink, artel_strs_t v)
{
    s_put_array(sink, v.n);
    for (size_t i = 0; i < v.n; i++)
        s_pack_str(sink, v.at[i]);
}

static void
s_pack_cell(sink_t *sink, const artel_cell_t *cell)
{
    s_put_uint32(sink, cell->key);
    switch (cell->kind) {
    case ARTEL_F64: s_put_double(sink, cell->f64); break;
    case ARTEL_I64: s_put_int64(sink, cell->i64); break;
    case ARTEL_BOOL: cell->flag ? s_put_true(sink) : s_put_false(sink); break;
    case ARTEL_STR: s_pack_str(sink, cell->str); break;
    }
}

static void
s_pack_row(sink_t *sink, artel_row_t v)
{
    s_put_map(sink, v.n);
    for (size_t i = 0; i < v.n; i++)
        s_pack_cell(sink, &v.at[i]);
}

static void s_pack_u64(sink_t *sink, uint64_t v) { s_put_uint64(sink, v); }
static void s_pack_i64(sink_t *sink, int64_t v) { s_put_int64(sink, v); }
static void s_pack_flag(sink_t *sink, bool v) { v ? s_put_true(sink) : s_put_false(sink); }
static void s_pack_id(sink_t *sink, artel_id_t v) { s_pack_bin(sink, (artel_bin_t) { (char *) v.at, sizeof v.at }); }
static void s_pack_digest(sink_t *sink, artel_digest_t v) { s_pack_bin(sink, (artel_bin_t) { (char *) v.at, sizeof v.at }); }

static bool
s_read_str(const msgpack_object *o, msgpack_zone *zone, artel_str_t *ret)
{
    (void) zone;
    if (o->type != MSGPACK_OBJECT_STR)
        return false;
    *ret = (artel_str_t) { o->via.str.ptr, o->via.str.size };
    return true;
}

static bool
s_read_bin(const msgpack_object *o, msgpack_zone *zone, artel_bin_t *ret)
{
    (void) zone;
    if (o->type != MSGPACK_OBJECT_BIN)
        return false;
    *ret = (artel_bin_t) { o->via.bin.ptr, o->via.bin.size };
    return true;
}

static bool
s_read_u64(const msgpack_object *o, msgpack_zone *zone, uint64_t *ret)
{
    (void) zone;
    if (o->type != MSGPACK_OBJECT_POSITIVE_INTEGER)
        return false;
    *ret = o->via.u64;
    return true;
}

static bool
s_read_i64(const msgpack_object *o, msgpack_zone *zone, int64_t *ret)
{
    (void) zone;
    if (o->type == MSGPACK_OBJECT_NEGATIVE_INTEGER)
        *ret = o->via.i64;
    else if (o->type == MSGPACK_OBJECT_POSITIVE_INTEGER && o->via.u64 <= INT64_MAX)
        *ret = (int64_t) o->via.u64;
    else
        return false;
    return true;
}

static bool
s_read_flag(const msgpack_object *o, msgpack_zone *zone, bool *ret)
{
    (void) zone;
    if (o->type != MSGPACK_OBJECT_BOOLEAN)
        return false;
    *ret = o->via.boolean;
    return true;
}

static bool
s_read_fixed(const msgpack_object *o, void *ret, size_t size)
{
    if (o->type != MSGPACK_OBJECT_BIN || o->via.bin.size != size)
        return false;
    memcpy(ret, o->via.bin.ptr, size);
    return true;
}

static bool
s_read_id(const msgpack_object *o, msgpack_zone *zone, artel_id_t *ret)
{
    (void) zone;
    return s_read_fixed(o, ret->at, sizeof ret->at);
}

static bool
s_read_digest(const msgpack_object *o, msgpack_zone *zone, artel_digest_t *ret)
{
    (void) zone;
    return s_read_fixed(o, ret->at, sizeof ret->at);
}

static bool
s_read_strs(const msgpack_object *o, msgpack_zone *zone, artel_strs_t *ret)
{
    if (o->type != MSGPACK_OBJECT_ARRAY)
        return false;
    size_t n = o->via.array.size;
    artel_str_t *at = n ? msgpack_zone_malloc(zone, n * sizeof *at) : NULL;
    if (n && !at)
        return false;
    for (size_t i = 0; i < n; i++)
        if (!s_read_str(&o->via.array.ptr[i], zone, &at[i]))
            return false;
    *ret = (artel_strs_t) { at, n };
    return true;
}

static bool
s_read_cell(const msgpack_object_kv *kv, msgpack_zone *zone, artel_cell_t *ret)
{
    const msgpack_object *o = &kv->val;
    uint64_t key;
    if (!s_read_u64(&kv->key, zone, &key) || key >= ARTEL_MAX_KEYS)
        return false;
    ret->key = (uint32_t) key;
    switch (o->type) {
    case MSGPACK_OBJECT_FLOAT64: ret->kind = ARTEL_F64; ret->f64 = o->via.f64; return true;
    case MSGPACK_OBJECT_BOOLEAN: ret->kind = ARTEL_BOOL; ret->flag = o->via.boolean; return true;
    case MSGPACK_OBJECT_STR: ret->kind = ARTEL_STR; return s_read_str(o, zone, &ret->str);
    default: ret->kind = ARTEL_I64; return s_read_i64(o, zone, &ret->i64);
    }
}

static bool
s_read_row(const msgpack_object *o, msgpack_zone *zone, artel_row_t *ret)
{
    if (o->type != MSGPACK_OBJECT_MAP)
        return false;
    size_t n = o->via.map.size;
    artel_cell_t *at = n ? msgpack_zone_malloc(zone, n * sizeof *at) : NULL;
    if (n && !at)
        return false;
    for (size_t i = 0; i < n; i++)
        if (!s_read_cell(&o->via.map.ptr[i], zone, &at[i]))
            return false;
    *ret = (artel_row_t) { at, n };
    return true;
}

static void s_show_str(FILE *out, artel_str_t v) { fprintf(out, "'%.*s'", (int) v.len, v.at ? v.at : ""); }
static void s_show_bin(FILE *out, artel_bin_t v) { fprintf(out, "(%zu bytes)", v.len); }
static void s_show_u64(FILE *out, uint64_t v) { fprintf(out, "%" PRIu64, v); }
static void s_show_i64(FILE *out, int64_t v) { fprintf(out, "%" PRId64, v); }
static void s_show_flag(FILE *out, bool v) { fputs(v ? "true" : "false", out); }

static void
s_show_id(FILE *out, artel_id_t v)
{
    char text[ARTEL_ID_TEXT];
    artel_hex(v.at, sizeof v.at, text);
    fputs(text, out);
}

static void
s_show_digest(FILE *out, artel_digest_t v)
{
    char text[ARTEL_DIGEST_TEXT];
    artel_hex(v.at, sizeof v.at, text);
    fputs(text, out);
}

static void
s_show_strs(FILE *out, artel_strs_t v)
{
    for (size_t i = 0; i < v.n; i++) {
        fputc(i ? ',' : '[', out);
        s_show_str(out, v.at[i]);
    }
    fputs(v.n ? "]" : "[]", out);
}

static void
s_show_cell(FILE *out, const artel_cell_t *cell)
{
    fprintf(out, "%" PRIu32 ":", cell->key);
    switch (cell->kind) {
    case ARTEL_F64: fprintf(out, "%.17g", cell->f64); break;
    case ARTEL_I64: s_show_i64(out, cell->i64); break;
    case ARTEL_BOOL: s_show_flag(out, cell->flag); break;
    case ARTEL_STR: s_show_str(out, cell->str); break;
    }
}

static void
s_show_row(FILE *out, artel_row_t v)
{
    for (size_t i = 0; i < v.n; i++) {
        fputc(i ? ',' : '{', out);
        s_show_cell(out, &v.at[i]);
    }
    fputs(v.n ? "}" : "{}", out);
}

//  The messages: each expands to three functions over its fields.

#define COUNT(type, field) +1
#define PACK(type, field)  s_pack_##type(sink, m->field);
#define READ(type, field)  if (o < end && !s_read_##type(o++, zone, &m->field)) return false;
#define SHOW(type, field)  fputs(" " #field "=", out); s_show_##type(out, m->field);

#define M(id, NAME, name)                                                       \
    static_assert(id < 128, "an id must pack as one byte");                     \
    static_assert((ARTEL_##NAME##_FIELDS(COUNT)) < 15, "a message is a fixarray"); \
    static void s_pack_##name(sink_t *sink, const artel_msg_##name##_t *m)      \
    {                                                                           \
        s_put_array(sink, 1 ARTEL_##NAME##_FIELDS(COUNT));                      \
        s_put_int(sink, id);                                                    \
        ARTEL_##NAME##_FIELDS(PACK)                                             \
    }                                                                           \
    static bool s_read_##name(const msgpack_object *o, const msgpack_object *end, \
                              msgpack_zone *zone, artel_msg_##name##_t *m)          \
    {                                                                           \
        ARTEL_##NAME##_FIELDS(READ)                                             \
        return true;                                                            \
    }                                                                           \
    static void s_show_##name(FILE *out, const artel_msg_##name##_t *m)             \
    {                                                                           \
        fputs(#name, out);                                                      \
        ARTEL_##NAME##_FIELDS(SHOW)                                             \
    }
ARTEL_MSGS(M)
#undef M

int
artel_msg_pack(const artel_msg_t *msg, msgpack_sbuffer *out)
{
    sink_t sink = { .out = out };
    size_t before = out->size;
    switch (msg->id) {
#define M(id, NAME, name) case ARTEL_MSG_##NAME: s_pack_##name(&sink, &msg->name); break;
        ARTEL_MSGS(M)
#undef M
    }
    if (sink.rc != 0)
        out->size = before;
    return sink.rc;
}

static int
s_read(const msgpack_object *root, msgpack_zone *zone, artel_msg_t *ret)
{
    if (root->type != MSGPACK_OBJECT_ARRAY || root->via.array.size == 0
        || root->via.array.ptr[0].type != MSGPACK_OBJECT_POSITIVE_INTEGER)
        return ARTEL_EPROTO;

    const msgpack_object *o = root->via.array.ptr, *end = o + root->via.array.size;
    artel_msg_t msg;
    memset(&msg, 0, sizeof msg);
    bool ok = false;
    switch (o++->via.u64) {
#define M(id_, NAME, name) \
    case id_: msg.id = ARTEL_MSG_##NAME; ok = s_read_##name(o, end, zone, &msg.name); break;
        ARTEL_MSGS(M)
#undef M
    }
    if (!ok)
        return ARTEL_EPROTO;
    *ret = msg;
    return 0;
}

int
artel_msg_unpack(const void *data, size_t len, msgpack_zone *zone,
                 artel_msg_t *ret, size_t *ret_used)
{
    size_t used, off = 0;
    int rc = artel_scan(data, len, &used);
    if (rc != 0)
        return rc;
    msgpack_object root;
    msgpack_unpack_return got = msgpack_unpack(data, used, &off, zone, &root);
    if (got != MSGPACK_UNPACK_SUCCESS && got != MSGPACK_UNPACK_EXTRA_BYTES)
        return got == MSGPACK_UNPACK_NOMEM_ERROR ? ARTEL_ENOMEM : ARTEL_EPROTO;
    rc = s_read(&root, zone, ret);
    if (rc == 0)
        *ret_used = used;
    return rc;
}

int
artel_msg_unpack_all(const void *data, size_t len, msgpack_zone *zone, artel_msg_t *ret)
{
    artel_msg_t msg;
    size_t used;
    int rc = artel_msg_unpack(data, len, zone, &msg, &used);
    if (rc == 0 && used != len)
        rc = ARTEL_EPROTO;
    if (rc == 0)
        *ret = msg;
    return rc;
}

int
artel_msg_peek(const void *data, size_t len)
{
    const unsigned char *at = data;
    bool ours = len >= 2 && at[0] > 0x90 && at[0] <= 0x9f && artel_msg_name(at[1]);
    return ours ? at[1] : 0;
}

const char *
artel_msg_name(int id)
{
    switch (id) {
#define M(id_, NAME, name) case id_: return #name;
        ARTEL_MSGS(M)
#undef M
    default: return NULL;
    }
}

const artel_id_t *
artel_msg_xid(const artel_msg_t *msg)
{
    switch (msg->id) {
    case ARTEL_MSG_ARTIFACT_SEND: return &msg->artifact_send.xid;
    case ARTEL_MSG_ARTIFACT: return &msg->artifact.xid;
    case ARTEL_MSG_ARTIFACT_SEND_RESPONSE: return &msg->artifact_send_response.xid;
    case ARTEL_MSG_ARTIFACT_POLL: return &msg->artifact_poll.xid;
    case ARTEL_MSG_ARTIFACT_POLL_RESPONSE: return &msg->artifact_poll_response.xid;
    case ARTEL_MSG_ARTIFACT_CANCEL: return &msg->artifact_cancel.xid;
    case ARTEL_MSG_ARTIFACT_DONE: return &msg->artifact_done.xid;
    default: return NULL;
    }
}

void
artel_msg_print(const artel_msg_t *msg, FILE *out)
{
    switch (msg->id) {
#define M(id, NAME, name) case ARTEL_MSG_##NAME: s_show_##name(out, &msg->name); break;
        ARTEL_MSGS(M)
#undef M
    }
}
