//  floor_artifact_10k_files DIR FOLDER - milliseconds to read every file of FOLDER
//  (each smaller than 64 KiB), hash it with SHA-256 and write it into one packed
//  file, with one fdatasync at the end.

#include "bench.h"

#include <dirent.h>
#include <fcntl.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <unistd.h>

static void
s_pack_file(int folder, const char *name, FILE *pack)
{
    static unsigned char data[64 * 1024];
    unsigned char digest[32];
    int fd = openat(folder, name, O_RDONLY);
    BENCH_CHECK(fd >= 0);
    ssize_t n = read(fd, data, sizeof data);
    BENCH_CHECK(n > 0 && read(fd, data + n, sizeof data - (size_t) n) == 0 && close(fd) == 0);
    SHA256(data, (size_t) n, digest);
    BENCH_CHECK(fwrite(digest, sizeof digest, 1, pack) == 1
                && fwrite(data, (size_t) n, 1, pack) == 1);
}

int
main(int argc, char **argv)
{
    BENCH_CHECK(argc == 3);
    double start = bench_now();
    FILE *pack = fopen(bench_path(argv[1], "pack", 0), "wx");
    DIR *folder = opendir(argv[2]);
    BENCH_CHECK(pack && folder);
    for (struct dirent *entry; (entry = readdir(folder)); )
        if (entry->d_name[0] != '.')
            s_pack_file(dirfd(folder), entry->d_name, pack);
    BENCH_CHECK(fflush(pack) == 0 && fdatasync(fileno(pack)) == 0);
    printf("%.2f\n", (bench_now() - start) * 1e3);
    closedir(folder);
    fclose(pack);
}
