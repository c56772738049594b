#define _POSIX_C_SOURCE 200809L

#include "wire.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

void queue_reserve(bytes_queue *queue, size_t count) {
    if (queue->start == queue->end) queue->start = queue->end = 0;
    if (queue->capacity - queue->end >= count) return;
    if (queue->start > 0) {
        memmove(queue->data, queue->data + queue->start, queue->end - queue->start);
        queue->end -= queue->start;
        queue->start = 0;
        if (queue->capacity - queue->end >= count) return;
    }
    size_t capacity = queue->capacity == 0 ? 16384 : queue->capacity;
    while (capacity - queue->end < count) capacity *= 2;
    queue->data = realloc(queue->data, capacity);
    if (queue->data == NULL) {
        fputs("out of memory\n", stderr);
        exit(1);
    }
    queue->capacity = capacity;
}

bool queue_read(bytes_queue *queue, int socket) {
    queue_reserve(queue, READ_AT_ONCE);
    ssize_t got = recv(socket, queue->data + queue->end, queue->capacity - queue->end, 0);
    if (got > 0) {
        queue->end += (size_t)got;
        return true;
    }
    return got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR);
}

bool queue_send(bytes_queue *queue, int socket, bool *blocked) {
    *blocked = false;
    while (queue->start < queue->end) {
        ssize_t sent = send(socket, queue->data + queue->start, queue->end - queue->start, MSG_NOSIGNAL);
        if (sent > 0) {
            queue->start += (size_t)sent;
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            *blocked = true;
            return true;
        } else if (errno != EINTR) {
            return false;
        }
    }
    return true;
}

/* NULL when the bytes end inside the number. */
static const uint8_t *get_varint(const uint8_t *at, const uint8_t *end, uint64_t *value) {
    uint64_t result = 0;
    for (unsigned shift = 0; at < end && shift < 64; shift += 7) {
        uint8_t byte = *at++;
        result |= (uint64_t)(byte & 0x7F) << shift;
        if (byte < 0x80) {
            *value = result;
            return at;
        }
    }
    return NULL;
}

/* Steps over the content of a field. NULL when it is not well-formed. */
static const uint8_t *skip_field(const uint8_t *at, const uint8_t *end, uint8_t tag) {
    uint64_t value = 0;
    switch (tag & 7) {
    case 0: return get_varint(at, end, &value);
    case 1: return end - at >= 8 ? at + 8 : NULL;
    case 2:
        at = get_varint(at, end, &value);
        return at != NULL && value <= (uint64_t)(end - at) ? at + value : NULL;
    case 5: return end - at >= 4 ? at + 4 : NULL;
    default: return NULL;
    }
}

int queue_next_frame(bytes_queue *queue, frame_view *frame) {
    size_t held = queue->end - queue->start;
    if (held < PREFIX) return 0;
    const uint8_t *at = queue->data + queue->start;
    size_t length = (size_t)at[1] << 24 | (size_t)at[2] << 16 | (size_t)at[3] << 8 | at[4];
    if (at[0] != 0 || length > MAXIMUM_FRAME) return -1;
    if (held < PREFIX + length) return 0;
    queue->start += PREFIX + length;
    at += PREFIX;
    const uint8_t *end = at + length;
    *frame = (frame_view){0, 0, at, 0};
    while (at < end) {
        uint8_t tag = *at++;
        uint64_t value = 0;
        const uint8_t *next = skip_field(at, end, tag);
        if (next == NULL) return -1;
        if (tag == TAG_STREAM) {
            get_varint(at, end, &value);
            frame->stream = (uint32_t)value;
        } else if ((tag & 7) == 2) {
            frame->kind = tag;
            frame->content = get_varint(at, end, &value);
            frame->length = (size_t)value;
        }
        at = next;
    }
    return 1;
}

bool find_body(const frame_view *frame, const uint8_t **body, size_t *length) {
    const uint8_t *at = frame->content;
    const uint8_t *end = at + frame->length;
    *body = end;
    *length = 0;
    while (at < end) {
        uint8_t tag = *at++;
        const uint8_t *next = skip_field(at, end, tag);
        if (next == NULL) return false;
        if (tag == TAG_BODY) {
            uint64_t value = 0;
            *body = get_varint(at, end, &value);
            *length = (size_t)value;
        }
        at = next;
    }
    return true;
}

uint64_t find_number(const uint8_t *content, size_t length, uint8_t wanted) {
    const uint8_t *at = content;
    const uint8_t *end = at + length;
    uint64_t value = 0;
    while (at < end) {
        uint8_t tag = *at++;
        const uint8_t *next = skip_field(at, end, tag);
        if (next == NULL) return 0;
        if (tag == wanted) get_varint(at, end, &value);
        at = next;
    }
    return value;
}
