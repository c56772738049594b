#define _POSIX_C_SOURCE 200809L

#include "trial.h"

#include <string.h>

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

const behaviour connection_behaviours[] = {
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
    {NULL, ALWAYS, NULL},
};
