#define _POSIX_C_SOURCE 200809L

#include "trial.h"

#include "diagnostics.pb-c.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool anonymous(trial *trial) {
    pcs_bytes reply;
    CHECK(pcs_unary(trial->client, "pcs.host.v1.HealthService/Check", NULL, 0, NULL, &reply, &trial->failure));
    pcs_bytes_free(&reply);
    return true;
}

static bool no_identity(trial *trial) {
    pcs_client *nobody = pcs_connect(trial->address, NULL, &trial->failure);
    CHECK(nobody != NULL);
    pcs_bytes reply;
    bool well = pcs_unary(nobody, SERVICE "Echo", NULL, 0, NULL, &reply, &trial->failure);
    pcs_close(nobody);
    CHECK(trial->failure.progress == PCS_PROGRESS_NOT_STARTED);
    return failed_so(trial, well, PCS_UNAUTHENTICATED, "UNAUTHENTICATED");
}

static bool foreign_token(trial *trial) {
    pcs_call_options options = PCS_CALL_OPTIONS_INIT;
    options.access_token = "no-such-token";
    pcs_bytes reply;
    CHECK(!pcs_unary(trial->client, SERVICE "Echo", NULL, 0, &options, &reply, &trial->failure));
    CHECK(trial->failure.code == PCS_UNAUTHENTICATED);
    return true;
}

static bool unknown_method(trial *trial) {
    pcs_bytes reply;
    bool well = pcs_unary(trial->client, SERVICE "Nothing", NULL, 0, NULL, &reply, &trial->failure);
    CHECK(trial->failure.progress == PCS_PROGRESS_NOT_STARTED);
    CHECK(trial->failure.correlation_id[0] != '\0' && trial->failure.next_step[0] != '\0');
    return failed_so(trial, well, PCS_UNIMPLEMENTED, "UNKNOWN_METHOD") && ping_works(trial);
}

static bool unary(trial *trial) {
    for (uint8_t number = 1; number < 100; number++) {
        if (!echo_number(trial, number)) return false;
    }
    return true;
}

static bool large(trial *trial) {
    enum { LENGTH = 1 << 20 };
    uint8_t *body = malloc(LENGTH);
    CHECK(body != NULL);
    /* EchoRequest { payload }: tag, length in three bytes, then content. */
    size_t content = LENGTH - 4;
    memset(body, 'x', LENGTH);
    body[0] = 0x0A;
    body[1] = (uint8_t)(content & 0x7F) | 0x80;
    body[2] = (uint8_t)(content >> 7 & 0x7F) | 0x80;
    body[3] = (uint8_t)(content >> 14);
    pcs_bytes reply;
    bool well = pcs_unary(trial->client, SERVICE "Echo", body, LENGTH, NULL, &reply, &trial->failure);
    bool same = well && reply.length == LENGTH && memcmp(reply.data, body, LENGTH) == 0;
    pcs_bytes_free(&reply);
    free(body);
    CHECK(same);
    return true;
}

static bool typed_error(trial *trial) {
    Pcs__Host__V1__CountRequest request = PCS__HOST__V1__COUNT_REQUEST__INIT;
    request.count = -1;
    uint8_t packed[32];
    size_t length = pcs__host__v1__count_request__pack(&request, packed);
    pcs_call *call = pcs_call_begin(trial->client, SERVICE "Count", packed, length, false, NULL, &trial->failure);
    CHECK(call != NULL);
    pcs_bytes message;
    int got = pcs_call_receive(call, &message, &trial->failure);
    pcs_call_free(call);
    CHECK(got == -1);
    CHECK(trial->failure.violations_listed == 1 && trial->failure.violation_count == 1);
    CHECK(strcmp(trial->failure.violations[0].field, "count") == 0);
    CHECK(trial->failure.violations[0].rule[0] != '\0');
    return failed_so(trial, false, PCS_INVALID_ARGUMENT, "FIELD_INVALID");
}

static bool malformed_body(trial *trial) {
    pcs_bytes reply;
    bool well = pcs_unary(trial->client, SERVICE "Echo", "\xff\xff", 2, NULL, &reply, &trial->failure);
    return failed_so(trial, well, PCS_INVALID_ARGUMENT, "REQUEST_MALFORMED") && echo_number(trial, 1);
}

static bool deadline(trial *trial) {
    uint8_t packed[16];
    size_t length = wait_request(packed, 9000);
    pcs_call_options options = PCS_CALL_OPTIONS_INIT;
    options.timeout_milliseconds = 60;
    /* Several times: the handler that is stopped and the deadline's own answer race inside a host. */
    for (int round = 0; round < 12; round++) {
        int64_t before = now_ms();
        pcs_bytes reply;
        bool well = pcs_unary(trial->client, SERVICE "Wait", packed, length, &options, &reply, &trial->failure);
        CHECK(now_ms() - before >= 50 && now_ms() - before < 3000);
        if (!failed_so(trial, well, PCS_DEADLINE_EXCEEDED, "DEADLINE_PASSED")) return false;
    }
    return echo_number(trial, 1);
}

static bool cancel(trial *trial) {
    uint8_t packed[16];
    size_t length = wait_request(packed, 9000);
    int64_t before = now_ms();
    pcs_call *call = pcs_call_begin(trial->client, SERVICE "Wait", packed, length, false, NULL, &trial->failure);
    CHECK(call != NULL);
    bool sent = pcs_call_cancel(call, "no longer wanted", &trial->failure);
    pcs_bytes reply;
    bool well = pcs_call_outcome(call, &reply, &trial->failure);
    pcs_call_free(call);
    CHECK(sent && now_ms() - before < 3000);
    return failed_so(trial, well, PCS_CANCELLED, "CALL_CANCELLED") && echo_number(trial, 1);
}

static bool pipelining(trial *trial) {
    enum { CALLS = 100 };
    pcs_call *calls[CALLS];
    for (int index = 0; index < CALLS; index++) {
        uint8_t request[] = {0x10, (uint8_t)(index + 1)};
        calls[index] = pcs_call_begin(
            trial->client, SERVICE "Echo", request, sizeof request, false, NULL, &trial->failure);
        CHECK(calls[index] != NULL);
    }
    bool right = true;
    for (int index = CALLS - 1; index >= 0; index--) {
        pcs_bytes reply;
        bool well = pcs_call_outcome(calls[index], &reply, right ? &trial->failure : NULL);
        right = right && well && reply.length == 2 && reply.data[1] == index + 1;
        pcs_bytes_free(&reply);
        pcs_call_free(calls[index]);
    }
    CHECK(right);
    return true;
}

static bool write_note(
    trial *trial, const char *text, const char *key, pcs_bytes *reply) {
    Pcs__Host__V1__WriteNoteRequest request = PCS__HOST__V1__WRITE_NOTE_REQUEST__INIT;
    request.text = (char *)text;
    uint8_t packed[128];
    size_t length = pcs__host__v1__write_note_request__pack(&request, packed);
    pcs_call_options options = PCS_CALL_OPTIONS_INIT;
    options.idempotency_key = key;
    return pcs_unary(trial->client, SERVICE "WriteNote", packed, length, &options, reply, &trial->failure);
}

static bool idempotency(trial *trial) {
    char key[64];
    snprintf(key, sizeof key, "c-%ld-%lld", (long)getpid(), (long long)now_ms());
    pcs_bytes first;
    pcs_bytes again;
    CHECK(write_note(trial, "a note", key, &first));
    CHECK(!first.replayed);
    if (!connect_anew(trial)) return false;
    CHECK(write_note(trial, "a note", key, &again));
    bool same = again.replayed && first.length == again.length && memcmp(first.data, again.data, first.length) == 0;
    pcs_bytes_free(&first);
    pcs_bytes_free(&again);
    CHECK(same);
    bool well = write_note(trial, "another", key, &again);
    if (!failed_so(trial, well, PCS_ALREADY_EXISTS, "IDEMPOTENCY_KEY_REUSED")) return false;
    well = write_note(trial, "never", "a\nb", &again);
    return failed_so(trial, well, PCS_INVALID_ARGUMENT, "IDEMPOTENCY_KEY_INVALID");
}

const behaviour call_behaviours[] = {
    {"the liveness check needs no identity", ALWAYS, anonymous},
    {"a call without identity is refused", OVER_TCP, no_identity},
    {"a made-up token is refused", ALWAYS, foreign_token},
    {"an unknown method is named so, and nothing was started", ALWAYS, unknown_method},
    {"unary calls are echoed", WITH_IDENTITY, unary},
    {"a large body comes back whole", WITH_IDENTITY, large},
    {"a refusal names the field and the rule", WITH_IDENTITY, typed_error},
    {"a body that is no encoding of the request is refused", WITH_IDENTITY, malformed_body},
    {"a deadline ends the call", WITH_IDENTITY, deadline},
    {"a cancelled call ends with CANCELLED", WITH_IDENTITY, cancel},
    {"a hundred calls run side by side", WITH_IDENTITY, pipelining},
    {"a key gives its effect once", WITH_IDENTITY, idempotency},
    {NULL, ALWAYS, NULL},
};
