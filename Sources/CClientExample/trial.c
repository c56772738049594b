#define _POSIX_C_SOURCE 200809L

#include "trial.h"

#include "diagnostics.pb-c.h"

#include <string.h>
#include <sys/socket.h>
#include <time.h>

bool fail(trial *trial, const char *what) {
    if (trial->wrong == NULL) trial->wrong = what;
    return false;
}

int64_t now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void rest_ms(long milliseconds) {
    struct timespec wait = {milliseconds / 1000, milliseconds % 1000 * 1000000};
    nanosleep(&wait, NULL);
}

bool connect_anew(trial *trial) {
    pcs_close(trial->client);
    pcs_connect_options options = PCS_CONNECT_OPTIONS_INIT;
    options.access_token = trial->token;
    trial->client = pcs_connect(trial->address, &options, &trial->failure);
    CHECK(trial->client != NULL);
    return true;
}

bool failed_so(trial *trial, bool well, pcs_code code, const char *reason) {
    CHECK(!well);
    CHECK(trial->failure.code == code);
    CHECK(strcmp(trial->failure.reason, reason) == 0);
    CHECK(trial->failure.message[0] != '\0');
    pcs_failure_clear(&trial->failure);
    return true;
}

bool send_raw(trial *trial, const void *data, size_t length) {
    const uint8_t *at = data;
    int64_t limit = now_ms() + 5000;
    while (length > 0 && now_ms() < limit) {
        ssize_t sent = send(pcs_socket(trial->client), at, length, MSG_NOSIGNAL);
        if (sent > 0) {
            at += sent;
            length -= (size_t)sent;
        } else {
            rest_ms(1);
        }
    }
    CHECK(length == 0);
    return true;
}

bool send_frame(trial *trial, const Pcs__Frame__V1__Frame *frame) {
    uint8_t bytes[1024];
    size_t size = pcs__frame__v1__frame__get_packed_size(frame);
    CHECK(size <= sizeof bytes - 5);
    memcpy(bytes, (uint8_t[]){0, 0, 0, (uint8_t)(size >> 8), (uint8_t)size}, 5);
    pcs__frame__v1__frame__pack(frame, bytes + 5);
    return send_raw(trial, bytes, size + 5);
}

bool send_call(trial *trial, uint32_t stream, const char *method, const void *body, size_t length, bool more) {
    Pcs__Frame__V1__Call call = PCS__FRAME__V1__CALL__INIT;
    call.method = (char *)method;
    call.body.data = (uint8_t *)(uintptr_t)body;
    call.body.len = length;
    call.more = more;
    Pcs__Frame__V1__Frame frame = PCS__FRAME__V1__FRAME__INIT;
    frame.stream = stream;
    frame.kind_case = PCS__FRAME__V1__FRAME__KIND_CALL;
    frame.call = &call;
    return send_frame(trial, &frame);
}

bool sent_away(trial *trial, int reason) {
    CHECK(!pcs_ping(trial->client, &trial->failure));
    CHECK(pcs_go_away_reason(trial->client) == reason);
    CHECK(trial->failure.message[0] != '\0');
    pcs_failure_clear(&trial->failure);
    return true;
}

bool ping_works(trial *trial) {
    CHECK(pcs_ping(trial->client, &trial->failure));
    return true;
}

bool echo_number(trial *trial, uint8_t number) {
    uint8_t request[] = {0x10, number};
    pcs_bytes reply;
    CHECK(pcs_unary(trial->client, SERVICE "Echo", request, sizeof request, NULL, &reply, &trial->failure));
    bool same = reply.length == sizeof request && memcmp(reply.data, request, sizeof request) == 0;
    pcs_bytes_free(&reply);
    CHECK(same);
    return true;
}

size_t wait_request(uint8_t *packed, uint32_t milliseconds) {
    Pcs__Host__V1__WaitRequest request = PCS__HOST__V1__WAIT_REQUEST__INIT;
    request.milliseconds = milliseconds;
    return pcs__host__v1__wait_request__pack(&request, packed);
}
