//  floor_artifact_1g DIR FILE sha|copy - seconds to hash a file that is in the page
//  cache with SHA-256, or to copy it and fdatasync the copy. The floor is the
//  larger of the two.

#include "bench.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BUFFER = 1024 * 1024 };

static void
s_sha(int in, void *buffer)
{
    unsigned char digest[32];
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    BENCH_CHECK(ctx && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) == 1);
    for (ssize_t n; (n = read(in, buffer, BUFFER)) != 0; )
        BENCH_CHECK(n > 0 && EVP_DigestUpdate(ctx, buffer, (size_t) n) == 1);
    BENCH_CHECK(EVP_DigestFinal_ex(ctx, digest, NULL) == 1);
    EVP_MD_CTX_free(ctx);
}

static void
s_copy(int in, int out, void *buffer)
{
    for (ssize_t n; (n = read(in, buffer, BUFFER)) != 0; )
        BENCH_CHECK(n > 0 && write(out, buffer, (size_t) n) == n);
    BENCH_CHECK(fdatasync(out) == 0);
}

int
main(int argc, char **argv)
{
    BENCH_CHECK(argc == 4);
    int in = open(argv[2], O_RDONLY);
    void *buffer = malloc(BUFFER);
    BENCH_CHECK(in >= 0 && buffer);
    double start = bench_now();
    if (strcmp(argv[3], "sha") == 0)
        s_sha(in, buffer);
    else
        s_copy(in, open(bench_path(argv[1], "copy", 0), O_CREAT | O_WRONLY, 0600), buffer);
    printf("%.4f\n", bench_now() - start);
    free(buffer);
}
