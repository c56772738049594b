#define _POSIX_C_SOURCE 200809L

#include "behaviours.h"

#include "diagnostics.pb-c.h"
#include "pcs/frame/v1/frame.pb-c.h"
#include "pcs_client.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define SERVICE "pcs.host.v1.DiagnosticsService/"

enum { PROTOCOL_ERROR = 2, LIMIT_EXCEEDED = 4 };

/* Where to connect and as whom, and the failure of the step at hand. */
typedef struct {
    const char *address;
    const char *token;
    int stop;
    pcs_client *client;
    pcs_failure failure;
    const char *wrong;
} trial;

/* Notes what went wrong; for `return fail(...)`. */
static bool fail(trial *trial, const char *what) {
    if (trial->wrong == NULL) trial->wrong = what;
    return false;
}

#define CHECK(condition) do { if (!(condition)) return fail(trial, #condition); } while (0)

static int64_t now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void rest_ms(long milliseconds) {
    struct timespec wait = {milliseconds / 1000, milliseconds % 1000 * 1000000};
    nanosleep(&wait, NULL);
}

/* A connection of the trial's own; the one before is closed. */
static bool connect_anew(trial *trial) {
    pcs_close(trial->client);
    pcs_connect_options options = PCS_CONNECT_OPTIONS_INIT;
    options.access_token = trial->token;
    trial->client = pcs_connect(trial->address, &options, &trial->failure);
    CHECK(trial->client != NULL);
    return true;
}

/* The step must have failed so. */
static bool failed_so(trial *trial, bool well, pcs_code code, const char *reason) {
    CHECK(!well);
    CHECK(trial->failure.code == code);
    CHECK(strcmp(trial->failure.reason, reason) == 0);
    CHECK(trial->failure.message[0] != '\0');
    pcs_failure_clear(&trial->failure);
    return true;
}

/* Sends bytes past the client. */
static bool send_raw(trial *trial, const void *data, size_t length) {
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

/* Sends a frame past the client. */
static bool send_frame(trial *trial, const Pcs__Frame__V1__Frame *frame) {
    uint8_t bytes[1024];
    size_t size = pcs__frame__v1__frame__get_packed_size(frame);
    CHECK(size <= sizeof bytes - 5);
    memcpy(bytes, (uint8_t[]){0, 0, 0, (uint8_t)(size >> 8), (uint8_t)size}, 5);
    pcs__frame__v1__frame__pack(frame, bytes + 5);
    return send_raw(trial, bytes, size + 5);
}

/* Opens a stream of a chosen number past the client. */
static bool send_call(trial *trial, uint32_t stream, const char *method, const void *body, size_t length, bool more) {
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

/* The host must answer what was sent with GoAway of this reason, and close. */
static bool sent_away(trial *trial, int reason) {
    CHECK(!pcs_ping(trial->client, &trial->failure));
    CHECK(pcs_go_away_reason(trial->client) == reason);
    CHECK(trial->failure.message[0] != '\0');
    pcs_failure_clear(&trial->failure);
    return true;
}

static bool ping_works(trial *trial) {
    CHECK(pcs_ping(trial->client, &trial->failure));
    return true;
}

/* EchoRequest { number }: one byte a number, for numbers below 128. */
static bool echo_number(trial *trial, uint8_t number) {
    uint8_t request[] = {0x10, number};
    pcs_bytes reply;
    CHECK(pcs_unary(trial->client, SERVICE "Echo", request, sizeof request, NULL, &reply, &trial->failure));
    bool same = reply.length == sizeof request && memcmp(reply.data, request, sizeof request) == 0;
    pcs_bytes_free(&reply);
    CHECK(same);
    return true;
}

/* WaitRequest. */
static size_t wait_request(uint8_t *packed, uint32_t milliseconds) {
    Pcs__Host__V1__WaitRequest request = PCS__HOST__V1__WAIT_REQUEST__INIT;
    request.milliseconds = milliseconds;
    return pcs__host__v1__wait_request__pack(&request, packed);
}

/* Connection */

static bool handshake(trial *trial) {
    CHECK(!pcs_is_going_away(trial->client));
    return ping_works(trial);
}

static bool wrong_version(trial *trial) {
    pcs_connect_options options = PCS_CONNECT_OPTIONS_INIT;
    options.version = 2;
    pcs_client *refused = pcs_connect(trial->address, &options, &trial->failure);
    CHECK(refused == NULL);
    return failed_so(trial, false, PCS_UNAVAILABLE, "CONNECTION_REFUSED");
}

static bool nobody_there(trial *trial) {
    pcs_client *none = pcs_connect("unix:/nowhere/at/all.sock", NULL, &trial->failure);
    CHECK(none == NULL && trial->failure.progress == PCS_PROGRESS_NOT_STARTED);
    return failed_so(trial, false, PCS_UNAVAILABLE, "CONNECTION_FAILED");
}

static bool second_hello(trial *trial) {
    static const uint8_t hello[] = {0, 0, 0, 0, 4, 0x12, 2, 8, 1};
    return send_raw(trial, hello, sizeof hello) && sent_away(trial, PROTOCOL_ERROR);
}

static bool pings(trial *trial) {
    for (int index = 0; index < 20; index++) {
        if (!ping_works(trial)) return false;
    }
    return true;
}

static bool oversize(trial *trial) {
    static const uint8_t prefix[] = {0, 0x40, 0, 0, 1};
    return send_raw(trial, prefix, sizeof prefix) && sent_away(trial, LIMIT_EXCEEDED);
}

static bool truncated(trial *trial) {
    static const uint8_t half[] = {0, 0, 0, 0, 52, 8, 1, 0x1A, 48};
    for (size_t cut = 1; cut <= sizeof half; cut++) {
        if (!send_raw(trial, half, cut) || !connect_anew(trial)) return false;
    }
    return ping_works(trial);
}

static bool garbage(trial *trial) {
    static const struct {
        const char *bytes;
        size_t length;
    } all[] = {
        {"GET / HTTP/1.1\r\n\r\n", 18}, {"\1\0\0\0\0", 5}, {"\0\0\0\0\1\7", 6}, {"\0\0\0\0\3\x1a\5\n", 8},
        {"\0\0\0\0\6\x1a\4\n\2\xc3\x28", 11},
    };
    for (size_t index = 0; index < sizeof all / sizeof all[0]; index++) {
        if (!send_raw(trial, all[index].bytes, all[index].length)) return false;
        if (!sent_away(trial, PROTOCOL_ERROR) || !connect_anew(trial)) return false;
    }
    return true;
}

static bool unknown_kinds(trial *trial) {
    static const char frames[] = "\0\0\0\0\5\x62\3abc\0\0\0\0\0\0\0\0\0\7\x8\7\xa2\6\2ok";
    return send_raw(trial, frames, sizeof frames - 1) && ping_works(trial);
}

static bool stray_frames(trial *trial) {
    Pcs__Frame__V1__Cancel cancel = PCS__FRAME__V1__CANCEL__INIT;
    Pcs__Frame__V1__Frame frame = PCS__FRAME__V1__FRAME__INIT;
    frame.stream = 7;
    frame.kind_case = PCS__FRAME__V1__FRAME__KIND_CANCEL;
    frame.cancel = &cancel;
    return send_frame(trial, &frame) && sent_away(trial, PROTOCOL_ERROR);
}

static bool stream_numbers(trial *trial) {
    static const uint32_t wrong[] = {0, 2, 3, 5};
    for (size_t index = 0; index < sizeof wrong / sizeof wrong[0]; index++) {
        if (!send_call(trial, 5, "pcs.host.v1.HealthService/Check", NULL, 0, false)) return false;
        if (!send_call(trial, wrong[index], "pcs.host.v1.HealthService/Check", NULL, 0, false)) return false;
        /* The replies to stream 5 belong to no call of the client, which has opened none. */
        pcs_ping(trial->client, &trial->failure);
        CHECK(pcs_go_away_reason(trial->client) == PROTOCOL_ERROR);
        pcs_failure_clear(&trial->failure);
        if (!connect_anew(trial)) return false;
    }
    return true;
}

/* Calls */

static bool anonymous(trial *trial) {
    pcs_bytes reply;
    CHECK(pcs_unary(trial->client, "pcs.host.v1.HealthService/Check", NULL, 0, NULL, &reply, &trial->failure));
    pcs_bytes_free(&reply);
    return true;
}

static bool no_identity(trial *trial) {
    pcs_bytes reply;
    bool well = pcs_unary(trial->client, SERVICE "Echo", NULL, 0, NULL, &reply, &trial->failure);
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

/* Streaming */

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

/* Idempotency */

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

/* End */

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

typedef enum { ALWAYS, WITH_IDENTITY, WITHOUT_IDENTITY, TO_STOP } need;

static const struct {
    const char *name;
    need need;
    bool (*run)(trial *);
} behaviours[] = {
    {"the handshake is answered", ALWAYS, handshake},
    {"another version is refused", ALWAYS, wrong_version},
    {"a host that is not there is told from one that refuses", ALWAYS, nobody_there},
    {"a second Hello breaks the protocol", ALWAYS, second_hello},
    {"pings are answered", ALWAYS, pings},
    {"a frame over the limit is refused by its prefix", ALWAYS, oversize},
    {"a frame cut short harms nobody else", ALWAYS, truncated},
    {"garbage is refused", ALWAYS, garbage},
    {"unknown kinds and fields are passed over", ALWAYS, unknown_kinds},
    {"frames of a stream that never was break the protocol", ALWAYS, stray_frames},
    {"stream numbers must be odd and rise", ALWAYS, stream_numbers},
    {"the liveness check needs no identity", ALWAYS, anonymous},
    {"a call without identity is refused", WITHOUT_IDENTITY, no_identity},
    {"a made-up token is refused", ALWAYS, foreign_token},
    {"an unknown method is named so, and nothing was started", ALWAYS, unknown_method},
    {"unary calls are echoed", WITH_IDENTITY, unary},
    {"a large body comes back whole", WITH_IDENTITY, large},
    {"a refusal names the field and the rule", WITH_IDENTITY, typed_error},
    {"a body that is no encoding of the request is refused", WITH_IDENTITY, malformed_body},
    {"a deadline ends the call", WITH_IDENTITY, deadline},
    {"a cancelled call ends with CANCELLED", WITH_IDENTITY, cancel},
    {"a hundred calls run side by side", WITH_IDENTITY, pipelining},
    {"the host sends as many messages as there is credit for", WITH_IDENTITY, credit},
    {"a server stream comes to its end, or is given up", WITH_IDENTITY, server_streaming},
    {"a client stream is added up", WITH_IDENTITY, client_streaming},
    {"more messages on a unary call end that call alone", WITH_IDENTITY, message_on_unary},
    {"messages without credit pass a limit", WITH_IDENTITY, no_credit},
    {"more streams than agreed pass a limit", WITH_IDENTITY, too_many_streams},
    {"a key gives its effect once", WITH_IDENTITY, idempotency},
    {"a host that stops serves what it has taken, and nothing more", TO_STOP, drain},
};

/* One behaviour on a connection of its own; prints its line. */
static bool try_one(const char *name, bool (*run)(trial *), trial *trial) {
    trial->wrong = NULL;
    bool well = connect_anew(trial) && run(trial);
    if (well) {
        printf("ok     %s\n", name);
    } else {
        const char *reason = trial->failure.reason == NULL ? "" : trial->failure.reason;
        const char *message = trial->failure.message == NULL ? "" : trial->failure.message;
        printf("FAILED %s - not: %s %s %s\n", name, trial->wrong == NULL ? "?" : trial->wrong, reason, message);
    }
    fflush(stdout);
    pcs_failure_clear(&trial->failure);
    return well;
}

int try_behaviours(const char *address, const char *token, int stop) {
    trial trial = {.address = address, .token = token, .stop = stop};
    bool identified = token != NULL || strncmp(address, "unix:", 5) == 0;
    int passed = 0;
    int failed = 0;
    int left_out = 0;
    for (size_t index = 0; index < sizeof behaviours / sizeof behaviours[0]; index++) {
        need need = behaviours[index].need;
        if (need == TO_STOP && stop == 0) continue;
        if ((need == WITH_IDENTITY && !identified) || (need == WITHOUT_IDENTITY && identified)) {
            left_out++;
            continue;
        }
        if (try_one(behaviours[index].name, behaviours[index].run, &trial)) passed++;
        else failed++;
    }
    pcs_close(trial.client);
    if (left_out > 0) printf("%d left out: they are for callers %s an identity\n", left_out, identified ? "without" : "with");
    printf("%d passed, %d failed\n", passed, failed);
    return failed == 0 ? 0 : 1;
}
