#define _POSIX_C_SOURCE 200809L

#include "modes.h"
#include "wire.h"

#include <stdio.h>
#include <stdlib.h>

static const char usage[] =
    "pcs-bench-load server-echo --port PORT\n"
    "    Echoes calls on 127.0.0.1 until killed; port 0 = any. Prints \"listening PORT\".\n"
    "pcs-bench-load load (--port PORT [--host IPV4] | --unix PATH) --method NAME\n"
    "        [--connections N] [--in-flight N] [--seconds S] [--coalesce N] [--body FILE | --hex BYTES]\n"
    "        [--token TOKEN]\n"
    "    Keeps N x N calls in flight for S seconds, at most 4 (--coalesce) of a connection\n"
    "    in one write. Prints calls, seconds, calls_per_second, p50_us, p99_us and errors.\n"
    "    The body of a method named Echo must come back as it was sent.\n";

/* Value of an option, or NULL. */
static const char *option(int count, char **words, const char *name) {
    for (int index = 2; index + 1 < count; index += 2) {
        if (strcmp(words[index], name) == 0) return words[index + 1];
    }
    return NULL;
}

static int number(int count, char **words, const char *name, int otherwise) {
    const char *text = option(count, words, name);
    return text == NULL ? otherwise : atoi(text);
}

static bool read_file(const char *path, load_settings *settings) {
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        perror(path);
        return false;
    }
    uint8_t *body = malloc(MAXIMUM_FRAME);
    settings->body_length = body == NULL ? 0 : fread(body, 1, MAXIMUM_FRAME, file);
    settings->body = body;
    fclose(file);
    return body != NULL;
}

static bool read_hex(const char *text, load_settings *settings) {
    size_t length = strlen(text) / 2;
    uint8_t *body = malloc(length + 1);
    if (body == NULL) return false;
    for (size_t index = 0; index < length; index++) {
        char pair[3] = {text[2 * index], text[2 * index + 1], 0};
        char *end = NULL;
        body[index] = (uint8_t)strtoul(pair, &end, 16);
        if (end != pair + 2) {
            free(body);
            return false;
        }
    }
    settings->body = body;
    settings->body_length = length;
    return true;
}

static int start_load(int count, char **words) {
    const char *host = option(count, words, "--host");
    const char *seconds = option(count, words, "--seconds");
    load_settings settings = {
        .unix_path = option(count, words, "--unix"),
        .host = host == NULL ? "127.0.0.1" : host,
        .port = number(count, words, "--port", 0),
        .connections = number(count, words, "--connections", 1),
        .in_flight = number(count, words, "--in-flight", 64),
        .seconds = seconds == NULL ? 1 : atof(seconds),
        .coalesce = number(count, words, "--coalesce", 4),
        .method = option(count, words, "--method"),
        .token = option(count, words, "--token"),
    };
    const char *file = option(count, words, "--body");
    const char *hex = option(count, words, "--hex");
    bool whole = settings.method != NULL && (settings.port > 0 || settings.unix_path != NULL)
        && settings.connections > 0 && settings.in_flight > 0 && settings.in_flight <= 128 && settings.seconds > 0
        && settings.coalesce > 0;
    if (whole && file != NULL) whole = read_file(file, &settings);
    if (whole && hex != NULL) whole = read_hex(hex, &settings);
    if (!whole) {
        fputs(usage, stderr);
        return 64;
    }
    return run_load(&settings);
}

int main(int count, char **words) {
    if (count >= 2 && strcmp(words[1], "load") == 0) return start_load(count, words);
    if (count >= 2 && strcmp(words[1], "server-echo") == 0) return run_echo_server(number(count, words, "--port", 0));
    fputs(usage, stderr);
    return 64;
}
