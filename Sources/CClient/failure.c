#define _POSIX_C_SOURCE 200809L

#include "internal.h"

#include <stdlib.h>
#include <string.h>

/* Stands for a text when memory is short, so that texts are never NULL. */
static char no_text[] = "";

char *pcs_text(const char *text) {
    if (text == NULL || text[0] == '\0') return no_text;
    char *copy = strdup(text);
    return copy == NULL ? no_text : copy;
}

static void free_text(char *text) {
    if (text != no_text) free(text);
}

void pcs_failure_clear(pcs_failure *failure) {
    if (failure == NULL) return;
    free_text(failure->reason);
    free_text(failure->message);
    free_text(failure->next_step);
    free_text(failure->correlation_id);
    for (size_t index = 0; index < failure->violations_listed; index++) {
        free_text(failure->violations[index].field);
        free_text(failure->violations[index].rule);
        free_text(failure->violations[index].message);
    }
    free(failure->violations);
    memset(failure, 0, sizeof *failure);
}

void pcs_set_failure(
    pcs_failure *failure, pcs_code code, pcs_progress progress, const char *reason, const char *message,
    const char *next_step) {
    if (failure == NULL) return;
    memset(failure, 0, sizeof *failure);
    failure->code = code;
    failure->progress = progress;
    failure->reason = pcs_text(reason);
    failure->message = pcs_text(message);
    failure->next_step = pcs_text(next_step);
    failure->correlation_id = no_text;
}

static void copy_violations(pcs_failure *to, const pcs_violation *from, size_t count) {
    if (count == 0) return;
    to->violations = calloc(count, sizeof *to->violations);
    if (to->violations == NULL) return;
    to->violations_listed = count;
    for (size_t index = 0; index < count; index++) {
        to->violations[index] = from[index];
        to->violations[index].field = pcs_text(from[index].field);
        to->violations[index].rule = pcs_text(from[index].rule);
        to->violations[index].message = pcs_text(from[index].message);
    }
}

void pcs_copy_failure(pcs_failure *to, const pcs_failure *from) {
    if (to == NULL) return;
    pcs_set_failure(to, from->code, from->progress, from->reason, from->message, from->next_step);
    to->correlation_id = pcs_text(from->correlation_id);
    to->violation_count = from->violation_count;
    copy_violations(to, from->violations, from->violations_listed);
}

static void add_detail(pcs_failure *failure, const Pcs__Common__V1__FailureDetail *detail) {
    free_text(failure->reason);
    free_text(failure->next_step);
    failure->reason = pcs_text(detail->reason);
    failure->next_step = pcs_text(detail->next_step);
    failure->correlation_id = pcs_text(detail->correlation_id);
    failure->violation_count = detail->violation_count;
    if (detail->n_violations == 0) return;
    pcs_violation *violations = calloc(detail->n_violations, sizeof *violations);
    if (violations == NULL) return;
    for (size_t index = 0; index < detail->n_violations; index++) {
        const Pcs__Common__V1__Violation *from = detail->violations[index];
        violations[index] = (pcs_violation){from->field, from->rule, from->message, from->row, from->column};
    }
    copy_violations(failure, violations, detail->n_violations);
    free(violations);
    int64_t listed = (int64_t)failure->violations_listed;
    if (failure->violation_count < listed) failure->violation_count = listed;
}

/* The first FailureDetail of a status; free it. */
static Pcs__Common__V1__FailureDetail *detail_of(const Pcs__Frame__V1__Status *status) {
    static const char type[] = "/pcs.common.v1.FailureDetail";
    if (status == NULL) return NULL;
    for (size_t index = 0; index < status->n_details; index++) {
        const Google__Protobuf__Any *any = status->details[index];
        size_t length = strlen(any->type_url);
        if (length < sizeof type - 1 || strcmp(any->type_url + length - (sizeof type - 1), type) != 0) continue;
        return pcs__common__v1__failure_detail__unpack(NULL, any->value.len, any->value.data);
    }
    return NULL;
}

void pcs_failure_of_reply(pcs_failure *failure, const Pcs__Frame__V1__Reply *reply) {
    if (failure == NULL) return;
    pcs_code code = reply->code <= PCS_UNAUTHENTICATED ? (pcs_code)reply->code : PCS_UNKNOWN;
    pcs_progress progress =
        reply->progress <= PCS__FRAME__V1__PROGRESS__PROGRESS_COMMITTED ? (pcs_progress)reply->progress
                                                                        : PCS_PROGRESS_UNSPECIFIED;
    pcs_set_failure(failure, code, progress, pcs_code_name(code), reply->message, "");
    Pcs__Common__V1__FailureDetail *detail = detail_of(reply->status);
    if (detail == NULL) return;
    add_detail(failure, detail);
    pcs__common__v1__failure_detail__free_unpacked(detail, NULL);
}

void pcs_bytes_free(pcs_bytes *bytes) {
    if (bytes == NULL) return;
    free(bytes->data);
    memset(bytes, 0, sizeof *bytes);
}

const char *pcs_code_name(pcs_code code) {
    static const char *const names[] = {
        "OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS",
        "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE",
        "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED",
    };
    size_t index = (size_t)code;
    return index < sizeof names / sizeof names[0] ? names[index] : "UNKNOWN";
}
