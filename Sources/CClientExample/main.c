/*
 * Example of the C client: pcs-c-example ADDRESS echo TEXT shows a call, a stream and a refusal;
 * pcs-c-example ADDRESS behaviours tries the whole protocol.
 */
#include "behaviours.h"
#include "diagnostics.pb-c.h"
#include "pcs_client.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
    "pcs-c-example ADDRESS echo TEXT [--token TOKEN]\n"
    "pcs-c-example ADDRESS behaviours [--token TOKEN] [--stop PID]\n"
    "    ADDRESS is unix:/path or tcp:host:port; over TCP a token says who calls.\n";

static int show(const char *what, pcs_failure *failure) {
    fprintf(stderr, "%s: %s: %s %s\n", what, failure->reason, failure->message, failure->next_step);
    for (size_t index = 0; index < failure->violations_listed; index++) {
        const pcs_violation *violation = &failure->violations[index];
        fprintf(stderr, "    %s: %s [%s]\n", violation->field, violation->message, violation->rule);
    }
    pcs_failure_clear(failure);
    return 1;
}

/* One message, one reply. */
static bool echo(pcs_client *client, const char *text, pcs_failure *failure) {
    Pcs__Host__V1__EchoRequest request = PCS__HOST__V1__ECHO_REQUEST__INIT;
    request.text = (char *)text;
    uint8_t *packed = malloc(pcs__host__v1__echo_request__get_packed_size(&request) + 1);
    if (packed == NULL) return false;
    size_t length = pcs__host__v1__echo_request__pack(&request, packed);
    pcs_call_options options = PCS_CALL_OPTIONS_INIT;
    options.timeout_milliseconds = 2000;
    pcs_bytes reply;
    bool well = pcs_unary(
        client, "pcs.host.v1.DiagnosticsService/Echo", packed, length, &options, &reply, failure);
    free(packed);
    if (!well) return false;
    Pcs__Host__V1__EchoReply *echoed = pcs__host__v1__echo_reply__unpack(NULL, reply.length, reply.data);
    pcs_bytes_free(&reply);
    printf("echo: %s\n", echoed == NULL ? "(not readable)" : echoed->text);
    if (echoed != NULL) pcs__host__v1__echo_reply__free_unpacked(echoed, NULL);
    return true;
}

static bool print_number(const uint8_t *data, size_t length, void *context) {
    (void)context;
    Pcs__Host__V1__CountReply *reply = pcs__host__v1__count_reply__unpack(NULL, length, data);
    if (reply == NULL) return false;
    printf("count: %" PRId64 "\n", reply->number);
    pcs__host__v1__count_reply__free_unpacked(reply, NULL);
    return true;
}

/* A stream of replies. */
static bool count(pcs_client *client, int64_t number, pcs_failure *failure) {
    Pcs__Host__V1__CountRequest request = PCS__HOST__V1__COUNT_REQUEST__INIT;
    request.count = number;
    uint8_t packed[32];
    size_t length = pcs__host__v1__count_request__pack(&request, packed);
    return pcs_server_streaming(
        client, "pcs.host.v1.DiagnosticsService/Count", packed, length, NULL, print_number, NULL, failure);
}

static int demonstrate(const char *address, const char *token, const char *text) {
    pcs_connect_options options = PCS_CONNECT_OPTIONS_INIT;
    options.software = "pcs-c-example/1";
    options.access_token = token;
    pcs_failure failure = {0};
    pcs_client *client = pcs_connect(address, &options, &failure);
    if (client == NULL) return show("connect", &failure);
    int status = 0;
    if (!echo(client, text, &failure)) status = show("echo", &failure);
    if (status == 0 && !count(client, 3, &failure)) status = show("count", &failure);
    if (status == 0 && !count(client, -1, &failure)) {
        puts("and this is how a refusal looks:");
        fflush(stdout);
        show("count", &failure);
    }
    pcs_close(client);
    return status;
}

static const char *option(int count, char **words, const char *name) {
    for (int index = 3; index + 1 < count; index++) {
        if (strcmp(words[index], name) == 0) return words[index + 1];
    }
    return NULL;
}

int main(int count, char **words) {
    const char *token = count > 3 ? option(count, words, "--token") : NULL;
    if (count >= 4 && strcmp(words[2], "echo") == 0) return demonstrate(words[1], token, words[3]);
    if (count >= 3 && strcmp(words[2], "behaviours") == 0) {
        const char *stop = option(count, words, "--stop");
        return try_behaviours(words[1], token, stop == NULL ? 0 : atoi(stop));
    }
    fputs(usage, stderr);
    return 64;
}
