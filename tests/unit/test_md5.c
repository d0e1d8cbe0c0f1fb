//  MD5 of bytes and of parts of files, and base64.

#include "scratch.h"

#include "errors.h"
#include "id.h"
#include "md5.h"
#include "stream.h"

static const char *
s_hex(const artel_md5_t *md5)
{
    static char text[ARTEL_MD5_HEX];
    artel_hex(md5->at, sizeof md5->at, text);
    return text;
}

static const char *
s_base64(const char *text)
{
    static char ret[ARTEL_BASE64_TEXT(16)];
    artel_base64(text, strlen(text), ret);
    return ret;
}

Test(base64, is_that_of_rfc_4648)
{
    cr_expect_str_eq(s_base64(""), "");
    cr_expect_str_eq(s_base64("f"), "Zg==");
    cr_expect_str_eq(s_base64("fo"), "Zm8=");
    cr_expect_str_eq(s_base64("foo"), "Zm9v");
    cr_expect_str_eq(s_base64("foobar"), "Zm9vYmFy");
    cr_expect_str_eq(s_base64("\xff\xef\xbe"), "/+++");
}

Test(md5, of_bytes_is_that_of_rfc_1321)
{
    artel_md5_t md5;
    cr_assert_eq(artel_md5_bytes("", 0, &md5), 0);
    cr_expect_str_eq(s_hex(&md5), "d41d8cd98f00b204e9800998ecf8427e");
    cr_assert_eq(artel_md5_bytes("abc", 3, &md5), 0);
    cr_expect_str_eq(s_hex(&md5), "900150983cd24fb0d6963f7d28e17f72");
}

static int
s_range(int fd, uint64_t offset, uint64_t size, artel_md5_t *ret)
{
    return artel_md5_range(&(artel_md5_range_t) { .fd = fd, .offset = offset, .size = size }, NULL, ret);
}

Test(md5, of_a_range_of_a_file_is_that_of_its_bytes, .init = s_scratch_make, .fini = s_scratch_remove)
{
    size_t len = 3 * ARTEL_HASH_BUFFER + 17;
    char *noise = s_noise(len, 7);
    artel_md5_t want, got;
    s_write_bytes(s_in("file"), noise, len);
    int fd = open(s_in("file"), O_RDONLY);
    cr_assert_eq(artel_md5_bytes(noise + 5, len - 5, &want), 0);
    cr_assert_eq(s_range(fd, 5, len - 5, &got), 0);
    cr_expect_arr_eq(want.at, got.at, sizeof got.at);
    cr_expect_eq(s_range(fd, 5, len, &got), ARTEL_ECORRUPT);
    cr_assert_eq(s_range(fd, len, 0, &got), 0);
    cr_expect_str_eq(s_hex(&got), "d41d8cd98f00b204e9800998ecf8427e");
    close(fd);
    free(noise);
}

Test(md5, of_parts_comes_in_the_same_pass, .init = s_scratch_make, .fini = s_scratch_remove)
{
    size_t part = ARTEL_HASH_BUFFER + 3, len = 2 * part + 17;
    char *noise = s_noise(len, 8);
    artel_md5_t want, got, parts[3];
    s_write_bytes(s_in("file"), noise, len);
    int fd = open(s_in("file"), O_RDONLY);
    cr_assert_eq(artel_md5_range(&(artel_md5_range_t) { .fd = fd, .size = len, .part = part }, parts, &got), 0);
    cr_assert_eq(artel_md5_bytes(noise, len, &want), 0);
    cr_expect_arr_eq(want.at, got.at, sizeof got.at);
    for (size_t i = 0; i < 3; i++) {
        cr_assert_eq(artel_md5_bytes(noise + i * part, i < 2 ? part : 17, &want), 0);
        cr_expect_arr_eq(want.at, parts[i].at, sizeof want.at);
    }
    close(fd);
    free(noise);
}

Test(md5, of_a_file_can_be_canceled, .init = s_scratch_make, .fini = s_scratch_remove)
{
    atomic_bool cancel = true;
    artel_md5_t md5;
    s_write_text(s_in("file"), "abc");
    int fd = open(s_in("file"), O_RDONLY);
    cr_expect_eq(artel_md5_range(&(artel_md5_range_t) { .fd = fd, .size = 3, .cancel = &cancel }, NULL, &md5),
                 ARTEL_ECANCELED);
    close(fd);
}

Test(md5, of_pieces_is_that_of_the_whole)
{
    artel_md5_pieces_t pieces;
    artel_md5_t md5;
    cr_assert_eq(artel_md5_begin(&pieces), 0);
    artel_md5_add(&pieces, "a", 1);
    artel_md5_add(&pieces, "bc", 2);
    artel_md5_end(&pieces, &md5);
    cr_expect_str_eq(s_hex(&md5), "900150983cd24fb0d6963f7d28e17f72");
}
