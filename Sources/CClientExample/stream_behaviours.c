#define _POSIX_C_SOURCE 200809L

#include "trial.h"

#include "diagnostics.pb-c.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* Whole frames that lie in the socket, unread. */
static int waiting_frames(int socket) {
    static uint8_t bytes[65536];
    ssize_t got = recv(socket, bytes, sizeof bytes, MSG_PEEK | MSG_DONTWAIT);
    int frames = 0;
    for (ssize_t at = 0; at + 5 <= got; frames++) {
        at += 5 + ((ssize_t)bytes[at + 3] << 8 | bytes[at + 4]);
    }
    return frames;
}

static bool credit(trial *trial) {
    pcs_call_options options = PCS_CALL_OPTIONS_INIT;
    options.credit = 3;
    static const uint8_t ten[] = {8, 10};
    pcs_call *call =
        pcs_call_begin(trial->client, SERVICE "Count", ten, sizeof ten, false, &options, &trial->failure);
    CHECK(call != NULL);
    rest_ms(300);
    CHECK(waiting_frames(pcs_socket(trial->client)) == 3);
    pcs_bytes message;
    int got = 0;
    uint8_t number = 0;
    while ((got = pcs_call_receive(call, &message, &trial->failure)) == 1) {
        number++;
        bool right = message.length == 2 && message.data[1] == number;
        pcs_bytes_free(&message);
        CHECK(right);
    }
    pcs_call_free(call);
    CHECK(got == 0 && number == 10);
    return true;
}

static bool count_message(const uint8_t *data, size_t length, void *context) {
    (void)data;
    (void)length;
    return ++*(int *)context < 500;
}

static bool server_streaming(trial *trial) {
    /* 499 and 1,000,000: to the end, and given up on the way. */
    static const uint8_t few[] = {8, 0xF3, 3};
    static const uint8_t many[] = {8, 0xC0, 0x84, 0x3D};
    int count = 0;
    CHECK(pcs_server_streaming(
        trial->client, SERVICE "Count", few, sizeof few, NULL, count_message, &count, &trial->failure));
    CHECK(count == 499);
    count = 0;
    bool well = pcs_server_streaming(
        trial->client, SERVICE "Count", many, sizeof many, NULL, count_message, &count, &trial->failure);
    CHECK(count == 500);
    return failed_so(trial, well, PCS_CANCELLED, "CALL_CANCELLED") && echo_number(trial, 2);
}

static bool client_streaming(trial *trial) {
    Pcs__Host__V1__CollectRequest request = PCS__HOST__V1__COLLECT_REQUEST__INIT;
    uint8_t packed[32];
    request.number = 1;
    size_t length = pcs__host__v1__collect_request__pack(&request, packed);
    pcs_call *call = pcs_call_begin(trial->client, SERVICE "Collect", packed, length, true, NULL, &trial->failure);
    CHECK(call != NULL);
    for (int64_t number = 2; number <= 300; number++) {
        request.number = number;
        length = pcs__host__v1__collect_request__pack(&request, packed);
        CHECK(pcs_call_send(call, packed, length, &trial->failure));
    }
    CHECK(pcs_call_finish_sending(call, &trial->failure));
    CHECK(!pcs_call_send(call, packed, length, NULL));
    pcs_bytes reply;
    bool well = pcs_call_outcome(call, &reply, &trial->failure);
    pcs_call_free(call);
    CHECK(well);
    Pcs__Host__V1__CollectReply *sum = pcs__host__v1__collect_reply__unpack(NULL, reply.length, reply.data);
    pcs_bytes_free(&reply);
    bool right = sum != NULL && sum->messages == 300 && sum->sum == 45150;
    if (sum != NULL) pcs__host__v1__collect_reply__free_unpacked(sum, NULL);
    CHECK(right);
    return true;
}

static bool message_on_unary(trial *trial) {
    pcs_bytes reply;
    pcs_call *call = pcs_call_begin(trial->client, SERVICE "Echo", NULL, 0, true, NULL, &trial->failure);
    CHECK(call != NULL);
    bool well = pcs_call_outcome(call, &reply, &trial->failure);
    pcs_call_free(call);
    return failed_so(trial, well, PCS_INVALID_ARGUMENT, "STREAM_PROTOCOL") && echo_number(trial, 3);
}

static bool no_credit(trial *trial) {
    /* Message { body: number 1 } on stream 1, five thousand times at once. */
    static const uint8_t message[] = {0, 0, 0, 0, 8, 8, 1, 0x22, 4, 0x7A, 2, 8, 1};
    enum { MESSAGES = 5000 };
    uint8_t *all = malloc(MESSAGES * sizeof message);
    CHECK(all != NULL);
    for (int index = 0; index < MESSAGES; index++) memcpy(all + index * sizeof message, message, sizeof message);
    bool opened = send_call(trial, 1, SERVICE "Collect", NULL, 0, true);
    /* The host may close before it has read all. */
    if (opened) send_raw(trial, all, MESSAGES * sizeof message);
    trial->wrong = NULL;
    free(all);
    CHECK(opened);
    return sent_away(trial, LIMIT_EXCEEDED);
}

static bool too_many_streams(trial *trial) {
    uint8_t packed[16];
    size_t length = wait_request(packed, 3000);
    for (uint32_t number = 0; number <= 128; number++) {
        if (!send_call(trial, 2 * number + 1, SERVICE "Wait", packed, length, false)) return false;
    }
    return sent_away(trial, LIMIT_EXCEEDED);
}

static bool drain(trial *trial) {
    uint8_t packed[16];
    size_t length = wait_request(packed, 800);
    pcs_call *call = pcs_call_begin(trial->client, SERVICE "Wait", packed, length, false, NULL, &trial->failure);
    CHECK(call != NULL);
    if (!ping_works(trial)) return false;
    kill(trial->stop, SIGTERM);
    pcs_bytes reply;
    bool well = pcs_call_outcome(call, &reply, &trial->failure);
    pcs_call_free(call);
    CHECK(well && pcs_is_going_away(trial->client));
    pcs_bytes_free(&reply);
    CHECK(pcs_call_begin(trial->client, SERVICE "Wait", packed, length, false, NULL, &trial->failure) == NULL);
    CHECK(trial->failure.code == PCS_UNAVAILABLE && trial->failure.progress == PCS_PROGRESS_NOT_STARTED);
    return true;
}

const behaviour stream_behaviours[] = {
    {"the host sends as many messages as there is credit for", WITH_IDENTITY, credit},
    {"a server stream comes to its end, or is given up", WITH_IDENTITY, server_streaming},
    {"a client stream is added up", WITH_IDENTITY, client_streaming},
    {"more messages on a unary call end that call alone", WITH_IDENTITY, message_on_unary},
    {"messages without credit pass a limit", WITH_IDENTITY, no_credit},
    {"more streams than agreed pass a limit", WITH_IDENTITY, too_many_streams},
    {"a host that stops serves what it has taken, and nothing more", TO_STOP, drain},
    {NULL, ALWAYS, NULL},
};
