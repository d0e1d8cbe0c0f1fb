//  Requests over HTTP/2, to nginx.

#include "scripted.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <ftw.h>
#include <netinet/in.h>
#include <sys/socket.h>

enum { FILES = 100, SIZE = 300 * 1000 };

static char s_folder[64];
static pid_t s_nginx;
static unsigned s_nginx_port;

static const char s_config[] =
    "daemon off; %s worker_processes 1; pid %s/pid; error_log %s/errors;\n"
    "events { worker_connections 256; }\n"
    "http { log_format said '$server_protocol $connection $status $content_length'; access_log %s/log said;\n"
    "client_body_temp_path %s/b; proxy_temp_path %s/u; fastcgi_temp_path %s/u; uwsgi_temp_path %s/u; scgi_temp_path %s/u;\n"
    "client_max_body_size 0; server { listen 127.0.0.1:%u ssl http2; ssl_certificate %s/certificate.pem;\n"
    "ssl_certificate_key %s/key.pem; root %s/files; location / { dav_methods PUT; create_full_put_path on; } } }\n";

//  A socket that nginx inherits, so that it takes connections from the start.
static int
s_listen(void)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t size = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    cr_assert(fd >= 0 && bind(fd, (struct sockaddr *) &at, size) == 0 && listen(fd, 64) == 0
              && getsockname(fd, (struct sockaddr *) &at, &size) == 0);
    s_nginx_port = ntohs(at.sin_port);
    return fd;
}

static void
s_write_config(void)
{
    const char *f = s_folder;
    char path[96];
    snprintf(path, sizeof path, "%s/nginx.conf", f);
    FILE *out = fopen(path, "w");
    fprintf(out, s_config, geteuid() == 0 ? "user root;" : "", f, f, f, f, f, f, f, f, s_nginx_port, f, f, f);
    fclose(out);
}

//  False if there is no nginx or no openssl.
static bool
s_has_programs(void)
{
    char command[512];
    snprintf(command, sizeof command, "PATH=$PATH:/usr/sbin command -v nginx >/dev/null && mkdir %s/files && "
             "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout %s/key.pem "
             "-out %s/certificate.pem -days 2 -subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1 2>/dev/null",
             s_folder, s_folder, s_folder);
    return system(command) == 0;
}

static void
s_start_nginx(void)
{
    char config[96], errors[96], inherited[16], certificate[96];
    int fd = s_listen();
    s_write_config();
    snprintf(config, sizeof config, "%s/nginx.conf", s_folder);
    snprintf(errors, sizeof errors, "%s/errors", s_folder);
    snprintf(inherited, sizeof inherited, "%d;", fd);
    snprintf(certificate, sizeof certificate, "%s/certificate.pem", s_folder);
    s_nginx = fork();
    if (s_nginx == 0) {
        prctl(PR_SET_PDEATHSIG, SIGTERM);
        setenv("NGINX", inherited, 1);
        setenv("PATH", "/usr/bin:/usr/sbin:/bin:/sbin", 1);
        execlp("nginx", "nginx", "-c", config, "-e", errors, NULL);
        _exit(127);
    }
    close(fd);
    setenv("SSL_CERT_FILE", certificate, 1);
}

static int
s_unlink(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
    (void) st, (void) kind, (void) ftw;
    return remove(path);
}

//  What it has served is in its log then.
static void
s_stop_nginx(void)
{
    kill(s_nginx, SIGQUIT);
    waitpid(s_nginx, NULL, 0);
}

static void
s_end(void)
{
    nftw(s_folder, s_unlink, 16, FTW_DEPTH | FTW_PHYS);
}

//  Each line of the log says how a file came; the number of connections.
static int
s_read_log(void)
{
    char path[96], line[128], version[16];
    int connection, status, size, files = 0, connections = 0, last = -1;
    snprintf(path, sizeof path, "%s/log", s_folder);
    FILE *log = fopen(path, "r");
    while (fgets(line, sizeof line, log)) {
        cr_assert_eq(sscanf(line, "%15s %d %d %d", version, &connection, &status, &size), 4, "%s", line);
        cr_assert(strcmp(version, "HTTP/2.0") == 0 && status == 201 && size == SIZE, "%s", line);
        connections += connection != last;
        last = connection;
        files++;
    }
    fclose(log);
    cr_assert_eq(files, FILES);
    return connections;
}

static void
s_expect_file(int i, const char *data)
{
    char path[96], *got = malloc(SIZE + 1);
    snprintf(path, sizeof path, "%s/files/%d", s_folder, i);
    FILE *file = fopen(path, "r");
    cr_assert(file && fread(got, 1, SIZE + 1, file) == SIZE && memcmp(got, data, SIZE) == 0, "%s", path);
    fclose(file);
    free(got);
}

static void
s_put_files(void)
{
    static artel_http_t puts[FILES];
    static char urls[FILES][64], data[SIZE];
    for (int i = 0; i < SIZE; i++)
        data[i] = (char) (i * 2654435761u >> 13);
    for (int i = 0; i < FILES; i++) {
        snprintf(urls[i], sizeof urls[i], "https://127.0.0.1:%u/%d", s_nginx_port, i);
        puts[i] = (artel_http_t) { .method = "PUT", .url = urls[i], .tries = 3, .rule = ARTEL_HTTP_FILE,
                                   .body = { data, -1, 0, SIZE } };
        s_ask(0, &puts[i]);
    }
    for (int i = 0; i < FILES; i++) {
        artel_http_t *http = s_await_within(0, ANSWER_MS);
        S_CODE(http, 0);
        artel_http_done(http);
    }
    for (int i = 0; i < FILES; i++)
        s_expect_file(i, data);
}

Test(transfer_http2, files_share_one_connection_and_say_how_long_they_are, .timeout = 60)
{
    const char *tmp = getenv("TMPDIR");
    snprintf(s_folder, sizeof s_folder, "%.40s/artel-XXXXXX", tmp ? tmp : "/tmp");
    cr_assert(mkdtemp(s_folder));
    if (!s_has_programs()) {
        s_end();
        cr_skip("there is no nginx, or no openssl");
    }
    s_start_nginx();
    s_start_with((artel_transfer_args_t) { 0 });
    s_put_files();
    s_stop();
    s_hang_up();
    s_stop_nginx();
    cr_assert_eq(s_read_log(), 1);
    s_end();
}
