//  train.c - a small language model, trained on a text and logged with artel.
//
//    train [FILE...]      default: the licence texts of Debian
//
//  Predicts the next character from the CONTEXT before it: an embedding, one
//  hidden layer of tanh, and a softmax, trained by stochastic gradient descent.
//  What belongs to artel is in log_config, train, log_model and main; the rest is
//  the model.

#include <artel.h>

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { CONTEXT = 6, EMBED = 10, HIDDEN = 64, SYMBOLS = 96, INPUT = CONTEXT * EMBED };
enum { STEPS = 1500, BATCH = 64, LOG_EVERY = 10, MAX_TEXT = 4 << 20 };

typedef struct {
    float embed[SYMBOLS][EMBED];
    float w1[HIDDEN][INPUT], b1[HIDDEN];
    float w2[SYMBOLS][HIDDEN], b2[SYMBOLS];
} model_t;

//  One example on its way through the model, and back.
typedef struct {
    const uint8_t *at;                  //  CONTEXT symbols, then the one to predict
    float input[INPUT], hidden[HIDDEN], odds[SYMBOLS];
} pass_t;

static uint8_t s_text[MAX_TEXT];        //  as symbols: 0 is the end of a line
static size_t s_len;
static uint64_t s_seed = 20250101;

static uint32_t
s_random(void)
{
    s_seed ^= s_seed << 13;
    s_seed ^= s_seed >> 7;
    s_seed ^= s_seed << 17;
    return (uint32_t) (s_seed >> 32);
}

static float
s_uniform(float scale)
{
    return scale * ((float) s_random() / 2147483648.0f - 1);
}

static void
s_fill(float *at, size_t n, float scale)
{
    for (size_t i = 0; i < n; i++)
        at[i] = s_uniform(scale);
}

//  Append a file to the text; one that is not there is passed over.
static void
s_read(const char *path)
{
    FILE *file = fopen(path, "r");
    if (!file)
        return;
    for (int c; s_len < MAX_TEXT && (c = getc(file)) != EOF; )
        if (c == '\n' || (c >= 32 && c < 127))
            s_text[s_len++] = c == '\n' ? 0 : (uint8_t) (c - 31);
    fclose(file);
}

static void
s_forward(const model_t *m, pass_t *p)
{
    for (int c = 0; c < CONTEXT; c++)
        memcpy(p->input + c * EMBED, m->embed[p->at[c]], sizeof m->embed[0]);
    for (int h = 0; h < HIDDEN; h++) {
        float sum = m->b1[h];
        for (int i = 0; i < INPUT; i++)
            sum += m->w1[h][i] * p->input[i];
        p->hidden[h] = tanhf(sum);
    }
    float total = 0;
    for (int s = 0; s < SYMBOLS; s++) {
        float sum = m->b2[s];
        for (int h = 0; h < HIDDEN; h++)
            sum += m->w2[s][h] * p->hidden[h];
        total += p->odds[s] = expf(sum);
    }
    for (int s = 0; s < SYMBOLS; s++)
        p->odds[s] /= total;
}

//  Move every weight a little against the gradient of this example's loss.
static void
s_backward(model_t *m, const pass_t *p, float rate)
{
    float d_hidden[HIDDEN] = { 0 }, d_input[INPUT] = { 0 };
    for (int s = 0; s < SYMBOLS; s++) {
        float d = rate * (p->odds[s] - (s == p->at[CONTEXT]));
        m->b2[s] -= d;
        for (int h = 0; h < HIDDEN; h++) {
            d_hidden[h] += d * m->w2[s][h];
            m->w2[s][h] -= d * p->hidden[h];
        }
    }
    for (int h = 0; h < HIDDEN; h++) {
        float d = d_hidden[h] * (1 - p->hidden[h] * p->hidden[h]);
        m->b1[h] -= d;
        for (int i = 0; i < INPUT; i++) {
            d_input[i] += d * m->w1[h][i];
            m->w1[h][i] -= d * p->input[i];
        }
    }
    for (int i = 0; i < INPUT; i++)
        m->embed[p->at[i / EMBED]][i % EMBED] -= d_input[i];
}

//  One step of the training; returns the mean loss of its examples, in nats.
static double
s_step(model_t *m, float rate)
{
    static pass_t pass;
    double loss = 0;
    for (int i = 0; i < BATCH; i++) {
        pass.at = s_text + s_random() % (s_len - CONTEXT - 1);
        s_forward(m, &pass);
        loss -= log(pass.odds[pass.at[CONTEXT]]);
        s_backward(m, &pass, rate);
    }
    return loss / BATCH;
}

//  Write the model to a file, log it as a version of "char-model", and wait
//  until the store has it. Returns 0 or a code of artel.
static int
log_model(artel_run_t *run, const model_t *m, double loss)
{
    char path[] = "/tmp/char-model-XXXXXX", metadata[64];
    int fd = mkstemp(path);
    if (fd < 0 || write(fd, m, sizeof *m) != sizeof *m || close(fd) != 0) {
        perror(path);
        return ARTEL_EIO;
    }
    snprintf(metadata, sizeof metadata, "{\"loss\": %.4f, \"hidden\": %d}", loss, HIDDEN);

    artel_artifact_t *artifact = NULL;
    artel_future_t *future = NULL;
    artel_version_info_t info = { .size = sizeof info };
    int rc = artel_artifact_new("char-model", "model", &artifact);
    if (rc == 0)
        rc = artel_artifact_add_file(artifact, path, "model.bin");
    if (rc == 0)
        rc = artel_artifact_set_metadata(artifact, metadata);
    if (rc == 0)
        rc = artel_run_log_artifact(run, artifact, &future);
    if (rc == 0)
        rc = artel_future_wait(future, 60000);
    if (rc == 0 && (rc = artel_future_info(future, &info)) == 0)
        printf("logged char-model:v%lld, %llu bytes\n", (long long) info.version,
               (unsigned long long) info.bytes);
    artel_future_destroy(&future);
    artel_artifact_destroy(&artifact);
    unlink(path);
    return rc;
}

static void
s_read_all(int argc, char **argv)
{
    static const char *const licences[] = { "Apache-2.0", "GPL-2", "GPL-3", "LGPL-2.1", "MPL-2.0" };
    for (int i = 1; i < argc; i++)
        s_read(argv[i]);
    for (size_t i = 0; argc == 1 && i < sizeof licences / sizeof *licences; i++) {
        char path[128];
        snprintf(path, sizeof path, "/usr/share/common-licenses/%s", licences[i]);
        s_read(path);
    }
}

static void
log_config(artel_run_t *run)
{
    artel_run_config(run, (artel_value_t[]) {
        { .key = "hidden", .type = ARTEL_TYPE_INT, .i64 = HIDDEN },
        { .key = "context", .type = ARTEL_TYPE_INT, .i64 = CONTEXT },
        { .key = "batch", .type = ARTEL_TYPE_INT, .i64 = BATCH },
        { .key = "text_bytes", .type = ARTEL_TYPE_INT, .i64 = (int64_t) s_len },
        { .key = "optimizer", .type = ARTEL_TYPE_STRING, .string = "sgd" },
    }, 5);
}

//  Train, and log the mean of every LOG_EVERY steps. Returns the last loss.
static double
train(artel_run_t *run, model_t *m)
{
    double loss = 0, sum = 0;
    for (int step = 0; step < STEPS; step++) {
        float rate = 0.05f * (1 - 0.9f * (float) step / STEPS);
        sum += s_step(m, rate);
        if ((step + 1) % LOG_EVERY != 0)
            continue;
        loss = sum / LOG_EVERY;
        sum = 0;
        artel_run_log_row(run, step, (artel_value_t[]) {
            { .key = "loss", .f64 = loss },
            { .key = "bits_per_char", .f64 = loss / M_LN2 },
            { .key = "rate", .f64 = rate },
        }, 3);
    }
    return loss;
}

int
main(int argc, char **argv)
{
    static model_t model;
    s_read_all(argc, argv);
    if (s_len < 1000) {
        fputs("train: no text to train on\n", stderr);
        return 1;
    }
    s_fill(model.embed[0], sizeof model.embed / sizeof(float), 0.5f);
    s_fill(model.w1[0], sizeof model.w1 / sizeof(float), 0.2f);
    s_fill(model.w2[0], sizeof model.w2 / sizeof(float), 0.1f);

    artel_run_t *run = artel_start("demo");
    log_config(run);
    double loss = train(run, &model);
    printf("trained on %zu characters, loss %.3f\n", s_len, loss);
    int rc = log_model(run, &model, loss);
    if (rc != 0)
        fprintf(stderr, "train: the model was not logged: %s\n", artel_error_text(rc));
    return artel_finish(run) != 0 || rc != 0;
}
