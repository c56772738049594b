/*
 * As much of the socket protocol (docs/protocol.md) as a yardstick and a load generator need: frames whose fields come in
 * the documented order are read and written in place, with no copy but the one into the socket's buffer.
 */
#ifndef PCS_BENCH_WIRE_H
#define PCS_BENCH_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum {
    PREFIX = 5,
    TAG_STREAM = 0x08,
    TAG_HELLO = 0x12,
    TAG_CALL = 0x1A,
    TAG_REPLY = 0x2A,
    TAG_PING = 0x42,
    TAG_GO_AWAY = 0x4A,
    TAG_BODY = 0x7A,
    /* The protocol's default. */
    MAXIMUM_FRAME = 4 << 20,
    READ_AT_ONCE = 256 << 10
};

/* Bytes on their way in or out: taken at `start`, added at `end`. */
typedef struct {
    uint8_t *data;
    size_t start;
    size_t end;
    size_t capacity;
} bytes_queue;

/* Makes room for `count` bytes at the end; exits when memory is short. */
void queue_reserve(bytes_queue *queue, size_t count);
/* Reads what the socket has, once. False when the peer has gone. */
bool queue_read(bytes_queue *queue, int socket);
/* Sends what there is. False when the peer has gone; `*blocked` when the socket took not all of it. */
bool queue_send(bytes_queue *queue, int socket, bool *blocked);

/* A frame's outer fields. */
typedef struct {
    uint32_t stream;
    /* Tag of the kind, 0 = none. */
    uint8_t kind;
    const uint8_t *content;
    size_t length;
} frame_view;

/* The next whole frame at the front of the queue: 1 and moves on, 0 when more must come, -1 when it is no frame. */
int queue_next_frame(bytes_queue *queue, frame_view *frame);
/* The last field `body` of a Call or Reply. False when the content is not well-formed. */
bool find_body(const frame_view *frame, const uint8_t **body, size_t *length);
/* A number field of a message of frame.proto; 0 when absent. */
uint64_t find_number(const uint8_t *content, size_t length, uint8_t tag);

static inline size_t varint_size(uint64_t value) {
    size_t size = 1;
    while (value >= 0x80) {
        value >>= 7;
        size++;
    }
    return size;
}

static inline uint8_t *put_varint(uint8_t *at, uint64_t value) {
    while (value >= 0x80) {
        *at++ = (uint8_t)value | 0x80;
        value >>= 7;
    }
    *at++ = (uint8_t)value;
    return at;
}

/* Prefix, stream and the beginning of a kind whose content has `length` bytes. */
static inline uint8_t *put_frame_head(uint8_t *at, uint32_t stream, uint8_t kind, size_t length) {
    size_t payload = (stream == 0 ? 0 : 1 + varint_size(stream)) + 1 + varint_size(length) + length;
    at[0] = 0;
    at[1] = (uint8_t)(payload >> 24);
    at[2] = (uint8_t)(payload >> 16);
    at[3] = (uint8_t)(payload >> 8);
    at[4] = (uint8_t)payload;
    at += PREFIX;
    if (stream != 0) {
        *at++ = TAG_STREAM;
        at = put_varint(at, stream);
    }
    *at++ = kind;
    return put_varint(at, length);
}

/* Most that put_frame_head writes. */
enum { FRAME_HEAD = PREFIX + 6 + 6 };

#endif
