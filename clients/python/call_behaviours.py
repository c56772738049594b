"""Behaviours of calls: replies, refusals, deadlines, cancellation, idempotency keys."""
import os
import time
import uuid

from pcs_client import CONTRACT, Client, Failure
from protocol_trial import (
    CANCELLED, D, DEADLINE, EXHAUSTED, EXISTS, INVALID, NOT_STARTED, UNAUTHENTICATED, UNIMPLEMENTED,
    behaviour, check, refused, works)


@behaviour("a unary call is echoed", "token")
def unary(host):
    sent = {"payload": bytes(range(256)), "number": -1, "text": "Grüße – 日本"}
    reply = host.client().unary(D + "Echo", sent, timeout_milliseconds=5000)
    check((reply.payload, reply.number, reply.text) == (sent["payload"], sent["number"], sent["text"]), "changed")


@behaviour("an empty request is a request", "token")
def empty(host):
    client = host.client()
    check(client.next(client.begin(D + "Echo", b"")).body == b"", "not empty")


@behaviour("a large body comes back whole", "token")
def large(host):
    payload = os.urandom(1 << 20)
    check(host.client().unary(D + "Echo", {"payload": payload}).payload == payload, "changed")


@behaviour("a hundred calls run side by side", "token")
def pipelining(host):
    client = host.client()
    streams = [client.begin(D + "Echo", {"number": number}) for number in range(100)]
    kind = CONTRACT.method(D + "Echo")[1]
    for number, stream in reversed(list(enumerate(streams))):
        check(kind.FromString(client.next(stream).body).number == number, f"reply of stream {stream}")


@behaviour("a fast call overtakes a slow one", "token")
def overtaking(host):
    client = host.client()
    slow = client.begin(D + "Wait", {"milliseconds": 400})
    works(client)
    check(not client.kept.get(slow), "the slow call was first")
    check(client.next(slow).code == 0, "the slow call failed")


@behaviour("an unknown method is named so, and nothing was started", "token")
def unknown_method(host):
    client = host.client()
    for method in ("pcs.host.v1.DiagnosticsService/Nothing", "", "x" * 1000):
        stream = client.next_stream
        client.next_stream += 2
        client.send(stream, call={"method": method})
        refused(UNIMPLEMENTED, "UNKNOWN_METHOD", lambda: client.next(stream), NOT_STARTED)
    works(client)


@behaviour("a call without identity is refused", "tcp")
def no_identity(host):
    client = Client(host.address)
    refused(UNAUTHENTICATED, "UNAUTHENTICATED", lambda: client.unary(D + "Echo", {}), NOT_STARTED)
    check(client.unary("pcs.host.v1.HealthService/Check", {}).serving, "the liveness check needs none")


@behaviour("a made-up token is refused")
def foreign_token(host):
    client = host.client()
    for token in ("no-such-token", "x" * 5000):
        try:
            client.unary(D + "Echo", {}, access_token=token)
        except Failure as failure:
            check(failure.code == UNAUTHENTICATED and failure.progress == NOT_STARTED, str(failure))
        else:
            raise AssertionError("it was accepted")


@behaviour("a refusal names the field and the rule", "token")
def typed_error(host):
    call = lambda: list(host.client().server_streaming(D + "Count", {"count": -1}))
    failure = refused(INVALID, "FIELD_INVALID", call)
    (violation,) = failure.detail.violations
    check(violation.field == "count" and violation.rule and violation.message, "violation")
    check(failure.detail.violation_count == 1, "violation_count")


@behaviour("a body that is no encoding of the request is refused", "token")
def malformed_body(host):
    client = host.client()
    refused(INVALID, "REQUEST_MALFORMED", lambda: client.next(client.begin(D + "Echo", b"\xff\xff")), NOT_STARTED)
    works(client)


@behaviour("a request over the method's limit is refused", "token")
def too_large_for_method(host):
    client = host.client()
    refused(EXHAUSTED, "REQUEST_TOO_LARGE", lambda: client.next(client.begin(D + "Wait", b"\0" * 70000)), NOT_STARTED)
    works(client)


@behaviour("a deadline ends the call", "token")
def deadline(host):
    client = host.client()
    # Several times: the handler that is stopped and the deadline's own answer race each other inside a host.
    for _ in range(12):
        before = time.monotonic()
        call = lambda: client.unary(D + "Wait", {"milliseconds": 9000}, timeout_milliseconds=60)
        refused(DEADLINE, "DEADLINE_PASSED", call)
        check(0.05 < time.monotonic() - before < 3, "not at its time")
    works(client)


@behaviour("a cancelled call ends with CANCELLED", "token")
def cancel(host):
    client, before = host.client(), time.monotonic()
    stream = client.begin(D + "Wait", {"milliseconds": 9000})
    client.send(stream, cancel={"reason": "no longer wanted"})
    refused(CANCELLED, "CALL_CANCELLED", lambda: client.next(stream))
    check(time.monotonic() - before < 3, "it took too long")
    client.send(stream, cancel={})
    works(client)


@behaviour("a key gives its effect once", "token")
def idempotency(host):
    client, key = host.client(), "behaviours-" + uuid.uuid4().hex
    kind = CONTRACT.method(D + "WriteNote")[1]
    first = client.next(client.begin(D + "WriteNote", {"text": "a note"}, idempotency_key=key))
    check(not first.replayed, "replayed at first")
    again = host.client()
    second = again.next(again.begin(D + "WriteNote", {"text": "a note"}, idempotency_key=key))
    check(second.replayed and second.body == first.body, "not the stored reply")
    number = kind.FromString(first.body).note_number
    check(client.unary(D + "ReadNote", {"note_number": number}).text == "a note", "not written")
    other = lambda: client.unary(D + "WriteNote", {"text": "another"}, idempotency_key=key)
    refused(EXISTS, "IDEMPOTENCY_KEY_REUSED", other, NOT_STARTED)


@behaviour("a key must be 1 to 128 printable characters", "token")
def malformed_key(host):
    client = host.client()
    for key in ("x" * 129, "a\nb", "é"):
        call = lambda: client.unary(D + "WriteNote", {"text": "never"}, idempotency_key=key)
        refused(INVALID, "IDEMPOTENCY_KEY_INVALID", call, NOT_STARTED)
