//  request.c - a question to the node that one caller waits for.

#include "client.h"
#include "link.h"

static void
s_unlink(artel_t *client, const artel_request_t *request)
{
    for (artel_request_t **at = &client->requests; *at; at = &(*at)->next)
        if (*at == request) {
            *at = request->next;
            return;
        }
}

int
artel_request(artel_t *client, artel_request_t *request, artel_deadline_t deadline)
{
    artel_id_t token = artel_id_new();
    memcpy(&request->token, token.at, sizeof request->token);
    pthread_mutex_lock(&client->lock);
    request->next = client->requests;
    client->requests = request;
    artel_link_wake(client);
    bool in_time = true;
    while (in_time && !request->done && !client->stopped)
        in_time = artel_wait(&client->changed, &client->lock, deadline);
    s_unlink(client, request);
    int rc = request->done ? 0 : in_time ? ARTEL_ECLOSED : ARTEL_ETIMEOUT;
    pthread_mutex_unlock(&client->lock);
    return rc;
}
