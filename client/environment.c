//  environment.c - variables that describe a run.

#include "environment.h"

static bool
s_delivers_to_wandb(artel_t *client)
{
    bool found = false;
    pthread_mutex_lock(&client->lock);
    for (size_t i = 0; client->targets && i < client->targets->sinks.n; i++)
        found |= strcmp(client->targets->sinks.at[i].kind, "wandb") == 0;
    pthread_mutex_unlock(&client->lock);
    return found;
}

const char *
artel_environment(artel_t *client, const char *given, const char *ours, const char *wandbs)
{
    if (given && *given)
        return given;
    const char *value = ours ? getenv(ours) : NULL;
    if (value && *value)
        return value;
    value = s_delivers_to_wandb(client) ? getenv(wandbs) : NULL;
    return value && *value ? value : NULL;
}

const char **
artel_environment_list(const char *text, size_t max, char **ret_text)
{
    const char **list = calloc(max, sizeof *list);
    char *copy = strdup(text), *rest = copy;
    if (!list || !copy) {
        free(list);
        free(copy);
        return NULL;
    }
    for (size_t n = 0; rest && n + 1 < max; ) {
        char *item = strsep(&rest, ",");
        if (*item)
            list[n++] = item;
    }
    *ret_text = copy;
    return list;
}
