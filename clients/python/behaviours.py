"""Tries every behaviour of docs/protocol.md against a running host: one line each, then `N passed, N failed`.

    behaviours.py ADDRESS [--operator ADDRESS] [--stop PID]

ADDRESS is "unix:/path" or "tcp:host:port". Over TCP a caller needs a token: `--operator` names the Unix socket of the
same host, through which a system is registered that then gets one. `--stop` ends the host's process at last, to see it
drain. Behaviours that need an operator are left out without one, and the last line says how many.
Writes two notes of DiagnosticsService (and registers a system), nothing else. Status 0 = all passed."""
import argparse
import os
import select
import signal
import socket
import sys
import time
import uuid

from client_assertion import Key
from pcs_client import CONTRACT, Client, ConnectionEnded, Failure, Frame

D = "pcs.host.v1.DiagnosticsService/"
I = "pcs.host.v1.IdentityService/"
CANCELLED, INVALID, DEADLINE, EXISTS, EXHAUSTED, UNIMPLEMENTED, UNAUTHENTICATED = 1, 3, 4, 6, 8, 12, 16
DRAINING, PROTOCOL_ERROR, UNSUPPORTED_VERSION, LIMIT_EXCEEDED = 1, 2, 3, 4
NOT_STARTED, STARTED = 1, 2

BEHAVIOURS = []


def behaviour(name, needs=None):
    """Registers a behaviour; `needs` is "token" or "operator" or "tcp", when it cannot be tried without."""
    def register(function):
        BEHAVIOURS.append((name, needs, function))
        return function
    return register


class Host:
    """Where to connect, and as whom."""

    def __init__(self, address, operator):
        self.address, self.operator, self.token, self.key = address, operator, "", None
        self.subject = "behaviours-" + uuid.uuid4().hex[:12]
        self.is_tcp = address.startswith("tcp:")
        if operator:
            self.register()

    def register(self):
        """A system of this run's own, with a key, a role and a token."""
        client, self.key = Client(self.operator), Key()
        client.unary(I + "CreateClient", {
            "client_id": self.subject, "name": "Protocol behaviours", "purpose": "Tries the protocol.",
            "owner": "Tests", "scopes": ["pcs.host.v1.*"]})
        client.unary(I + "RegisterKey", {
            "subject_id": self.subject, "key_id": "k1", "public_key_pem": self.key.public_pem()})
        client.unary(I + "GrantRole", {
            "subject_id": self.subject, "role": "ROLE_HOST_OPERATOR", "organisation_code": "PCS", "reason": "Test."})
        self.token = self.new_token()

    def new_token(self, **claims):
        assertion = self.key.assertion(self.subject, "k1", **claims)
        return Client(self.address).unary(I + "IssueToken", {"client_assertion": assertion}).access_token

    def has(self, need):
        return {None: True, "tcp": self.is_tcp, "operator": bool(self.operator),
                "token": bool(self.token) or not self.is_tcp}[need]

    def client(self, **options):
        return Client(self.address, token=self.token if self.is_tcp else "", **options)

    def raw(self, *frames):
        """A connection that has shaken hands, and has then sent these bytes."""
        client = self.client()
        client.socket.sendall(b"".join(frames))
        return client


def framed(payload, flags=0):
    return bytes([flags]) + len(payload).to_bytes(4, "big") + payload


def frame(stream=0, **kind):
    return framed(Frame(stream=stream, **kind).SerializeToString())


def check(condition, what):
    if not condition:
        raise AssertionError(what)


def refused(code, reason, call, progress=None):
    """Makes a call that must fail so; returns the Failure."""
    try:
        call()
    except Failure as failure:
        check(failure.code == code, f"code {failure.code}: {failure}")
        check(failure.reason == reason, f"reason {failure.reason}")
        check(progress in (None, failure.progress), f"progress {failure.progress}")
        check(failure.message and failure.detail.next_step and failure.detail.correlation_id, "an empty detail")
        return failure
    raise AssertionError("it succeeded")


def sent_away(client, reason):
    """The host must send GoAway with this reason, and close."""
    try:
        while True:
            client.pump()
    except ConnectionEnded as ended:
        check(ended.args[0] is not None, "closed without GoAway")
        check(ended.args[0].reason == reason, f"GoAway reason {ended.args[0].reason}: {ended.args[0].message}")
        check(ended.args[0].message, "GoAway without a sentence")
    client.socket.settimeout(5)
    while client.socket.recv(4096):
        pass


def works(client):
    check(client.unary(D + "Echo", {"number": 5}).number == 5, "the connection no longer serves")


def quiet(client, seconds=0.3):
    """Nothing more may come for a while."""
    check(not client.bytes and not select.select([client.socket], [], [], seconds)[0], "something came")


# Handshake

@behaviour("the handshake states version and limits")
def handshake(host):
    hello = host.client().hello
    check(hello.version == 1 and hello.software, "version or software")
    check(hello.max_frame_bytes >= 16384 and hello.max_streams and hello.initial_credit, "limits")


@behaviour("another version is refused")
def wrong_version(host):
    for version in (0, 2, 99):
        try:
            Client(host.address, version=version)
        except ConnectionEnded as ended:
            check(ended.args[0] and ended.args[0].reason == UNSUPPORTED_VERSION, "reason")
        else:
            raise AssertionError(f"version {version} was accepted")


def bare(host, data):
    """Sends bytes without a handshake."""
    client = Client.__new__(Client)
    kind, place = host.address.split(":", 1)
    if kind == "unix":
        client.socket = socket.socket(socket.AF_UNIX)
        client.socket.connect(place)
    else:
        client.socket = socket.create_connection((place.rsplit(":", 1)[0], int(place.rsplit(":", 1)[1])))
    client.socket.settimeout(15)
    client.bytes, client.kept, client.credit, client.draining, client.hello = b"", {}, {}, None, None
    client.next_stream = 1
    client.socket.sendall(data)
    return client


@behaviour("the first frame must be Hello")
def hello_first(host):
    sent_away(bare(host, frame(1, call={"method": D + "Echo"})), PROTOCOL_ERROR)
    sent_away(bare(host, frame(1, hello={"version": 1})), PROTOCOL_ERROR)


@behaviour("a second Hello breaks the protocol")
def hello_twice(host):
    sent_away(host.raw(frame(hello={"version": 1})), PROTOCOL_ERROR)


@behaviour("a Hello may be as small as its version, and arrive byte by byte")
def slow_hello(host):
    client = bare(host, b"")
    for byte in frame(hello={"version": 1}) + frame(1, call={"method": "pcs.host.v1.HealthService/Check"}):
        client.socket.sendall(bytes([byte]))
    client.pump()
    check(client.hello.version == 1, "no Hello")
    check(client.next(1).code == 0, "no reply")


# Calls

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


# Streaming

@behaviour("the host sends as many messages as there is credit for", "token")
def credit(host):
    client = host.client()
    stream = client.begin(D + "Count", {"count": 10}, credit=3)
    check([len(client.next(stream)) > 0 for _ in range(3)], "messages")
    quiet(client)
    client.send(stream, credit={"messages": 2})
    check([len(client.next(stream)) > 0 for _ in range(2)], "messages")
    quiet(client)
    client.send(stream, credit={"messages": 100})
    rest = [client.next(stream) for _ in range(6)]
    check(all(isinstance(message, bytes) for message in rest[:5]) and rest[5].code == 0, "the rest")


@behaviour("a server stream comes in order and ends", "token")
def server_streaming(host):
    numbers = [message.number for message in host.client().server_streaming(D + "Count", {"count": 500})]
    check(numbers == list(range(1, 501)), "order")
    check(list(host.client().server_streaming(D + "Count", {"count": 0})) == [], "not empty")


@behaviour("a cancelled stream stops", "token")
def cancel_stream(host):
    client = host.client()
    stream = client.begin(D + "Count", {"count": 1000000})
    client.next(stream)
    client.send(stream, cancel={})
    try:
        while isinstance(client.next(stream), bytes):
            pass
        raise AssertionError("it ended well")
    except Failure as failure:
        check(failure.code == CANCELLED, str(failure))
    works(client)


@behaviour("a client stream is added up", "token")
def client_streaming(host):
    client = host.client()
    reply = client.client_streaming(D + "Collect", [{"number": number} for number in range(1, 301)])
    check((reply.messages, reply.sum) == (300, 45150), f"{reply}")
    check(client.client_streaming(D + "Collect", [{"number": 7}]).sum == 7, "a single message")


@behaviour("the last message may close the stream, and one message needs no stream", "token")
def last_message(host):
    client, (kind, reply) = host.client(), CONTRACT.method(D + "Collect")
    stream = client.begin(D + "Collect", {"number": 1}, more=True)
    client.send(stream, message={"last": True, "body": kind(number=2).SerializeToString()})
    check(reply.FromString(client.next(stream).body).sum == 3, "sum")
    check(client.unary(D + "Collect", {"number": 4}).sum == 4, "sum of one")


@behaviour("messages without credit pass a limit", "token")
def no_credit(host):
    client = host.client()
    stream = client.begin(D + "Collect", {}, more=True)
    client.socket.sendall(frame(stream, message={"body": b"\x08\x01"}) * 5000)
    sent_away(client, LIMIT_EXCEEDED)


@behaviour("a message on a unary call ends that call alone", "token")
def message_on_unary(host):
    client = host.client()
    stream = client.begin(D + "Wait", {"milliseconds": 3000})
    client.send(stream, message={"body": b"\x08\x01"})
    refused(INVALID, "STREAM_PROTOCOL", lambda: client.next(stream))
    refused(INVALID, "STREAM_PROTOCOL", lambda: client.next(client.begin(D + "Echo", {}, more=True)))
    works(client)


# Connection

@behaviour("a ping is answered with its token")
def ping(host):
    client = host.client()
    client.send(ping={"token": 0x1122334455667788})
    answer = client.pump()
    check(answer.ping.acknowledge and answer.ping.token == 0x1122334455667788, f"{answer}")
    client.send(ping={"token": 1, "acknowledge": True})
    quiet(client)


@behaviour("a frame over the limit is refused by its prefix")
def oversize(host):
    client = host.client()
    client.socket.sendall(b"\0" + (client.hello.max_frame_bytes + 1).to_bytes(4, "big"))
    sent_away(client, LIMIT_EXCEEDED)
    sent_away(bare(host, b"\0\xff\xff\xff\xff"), LIMIT_EXCEEDED)


@behaviour("a frame cut short harms nobody else")
def truncated(host):
    whole = frame(1, call={"method": D + "Echo", "body": b"\0" * 100})
    for cut in (1, 4, 5, 6, 20, len(whole) - 1):
        host.raw(whole[:cut]).socket.close()
    check(host.client().unary("pcs.host.v1.HealthService/Check", {}).serving, "the host no longer serves")


@behaviour("garbage is refused")
def garbage(host):
    sent_away(bare(host, b"GET / HTTP/1.1\r\nHost: pcs\r\n\r\n"), PROTOCOL_ERROR)
    for payload in (b"\xff" * 12, b"\x1a\x05\x0a", b"\x07", b"\x03", b"\x1a\x04\x0a\x02\xc3\x28"):
        sent_away(host.raw(framed(payload)), PROTOCOL_ERROR)


@behaviour("compressed frames are refused")
def compressed(host):
    sent_away(host.raw(framed(b"", flags=1)), PROTOCOL_ERROR)


@behaviour("unknown fields and kinds are passed over", "token")
def unknown_fields(host):
    client = host.client()
    client.socket.sendall(framed(b"\x62\x03abc") + framed(b"") + framed(b"\x08\x07\xa2\x06\x02ok"))
    call = frame(1, call={"method": D + "Echo", "body": b"\x10\x05"})[5:]
    # Field 1999 in the call, field 100 in the frame, and a group.
    inner = call[4:] + b"\xf8\x7c\x2a"
    outer = b"\xa2\x06\x02ok" + b"\x53\x08\x01\x54"
    client.socket.sendall(framed(b"\x08\x01\x1a" + bytes([len(inner)]) + inner + outer))
    check(client.next(1).body == b"\x10\x05", "not echoed")


@behaviour("fields may come in any order, and the last of a kind counts", "token")
def field_order(host):
    client = host.client()
    method = (D + "Echo").encode()
    inner = b"\x7a\x02\x10\x05" + b"\x0a\x01x" + b"\x0a" + bytes([len(method)]) + method
    client.socket.sendall(framed(b"\x08\x63\x1a" + bytes([len(inner)]) + inner + b"\x08\x01"))
    check(client.next(1).body == b"\x10\x05", "not echoed")


@behaviour("stream numbers must be odd and rise", "token")
def stream_numbers(host):
    for wrong in (0, 2, 3, 5):
        client = host.client()
        client.send(5, call={"method": D + "Echo"})
        check(client.next(5).code == 0, "stream 5")
        client.send(wrong, call={"method": D + "Echo"})
        sent_away(client, PROTOCOL_ERROR)


@behaviour("frames of a stream that never was break the protocol; late ones do not", "token")
def stray_frames(host):
    for kind in ({"cancel": {}}, {"credit": {"messages": 1}}, {"message": {"body": b"x"}}):
        sent_away(host.raw(frame(7, **kind)), PROTOCOL_ERROR)
        client = host.client()
        works(client)
        client.send(1, **kind)
        works(client)


@behaviour("frames that only a host sends are refused", "token")
def reply_from_client(host):
    sent_away(host.raw(frame(1, reply={})), PROTOCOL_ERROR)


@behaviour("more streams than agreed pass a limit", "token")
def too_many_streams(host):
    client = host.client()
    for _ in range(client.hello.max_streams + 1):
        client.begin(D + "Wait", {"milliseconds": 3000})
    sent_away(client, LIMIT_EXCEEDED)
    client = host.client(max_streams=2)
    for _ in range(3):
        client.begin(D + "Wait", {"milliseconds": 3000})
    sent_away(client, LIMIT_EXCEEDED)


@behaviour("a client may say goodbye, and is served to the end", "token")
def goodbye(host):
    client = host.client()
    stream = client.begin(D + "Wait", {"milliseconds": 200})
    client.send(go_away={"reason": DRAINING})
    check(client.next(stream).code == 0, "the open call failed")
    try:
        while True:
            client.pump()
    except ConnectionEnded:
        pass


# Idempotency

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


# Identity

@behaviour("a signed assertion gives a token, and the host knows who calls", "operator")
def issued_token(host):
    who = Client(host.address).unary(I + "WhoAmI", {}, access_token=host.new_token())
    check(who.client_id == host.subject and who.authentication == "token", f"{who}")


@behaviour("expired, foreign, replayed and wrongly signed assertions are refused alike", "operator")
def refused_assertions(host):
    now = int(time.time())
    good = host.key.assertion(host.subject, "k1")
    client = Client(host.address)
    client.unary(I + "IssueToken", {"client_assertion": good})
    wrong = [
        good, "", "a.b.c", good[:-4] + "AAAA", Key().assertion(host.subject, "k1"),
        host.key.assertion(host.subject, "k2"), host.key.assertion("nobody-" + host.subject, "k1"),
        host.key.assertion(host.subject, "k1", exp=now - 60), host.key.assertion(host.subject, "k1", exp=now + 400),
        host.key.assertion(host.subject, "k1", aud="another-host"), host.key.assertion(host.subject, "k1", jti=""),
        host.key.assertion(host.subject, "k1", iss="someone-else"),
    ]
    for assertion in wrong:
        call = lambda: client.unary(I + "IssueToken", {"client_assertion": assertion})
        refused(UNAUTHENTICATED, "ASSERTION_REFUSED", call)


@behaviour("a revoked token no longer works", "operator")
def revoked_token(host):
    client, token = Client(host.address), host.new_token()
    client.unary(I + "WhoAmI", {}, access_token=token)
    client.unary(I + "RevokeToken", {}, access_token=token)
    refused(UNAUTHENTICATED, "TOKEN_EXPIRED", lambda: client.unary(I + "WhoAmI", {}, access_token=token), NOT_STARTED)


def drain(host, process):
    """Last of all: the host is told to stop while a call runs."""
    client = host.client()
    stream = client.begin(D + "Wait", {"milliseconds": 800})
    works(client)
    os.kill(process, signal.SIGTERM)
    while not client.draining:
        client.pump()
    check(client.draining.reason == DRAINING and client.draining.last_stream >= stream, f"{client.draining}")
    late = client.begin(D + "Echo", {})
    try:
        client.next(late)
        raise AssertionError("a new call was served")
    except Failure as failure:
        check(failure.code == 14 and failure.progress == NOT_STARTED, str(failure))
    check(client.next(stream).code == 0, "the open call was not served to its end")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("address")
    parser.add_argument("--operator", help="Unix socket of the same host, of a local operator")
    parser.add_argument("--stop", type=int, metavar="PID", help="end this process at last, and see it drain")
    options = parser.parse_args()
    host = Host(options.address, options.operator)
    tried = [(name, function) for name, needs, function in BEHAVIOURS if host.has(needs)]
    if options.stop:
        tried.append(("a host that stops serves what it has taken, and nothing more", lambda h: drain(h, options.stop)))
    failed = 0
    for name, function in tried:
        try:
            function(host)
            print("ok    ", name, flush=True)
        except Exception as problem:  # Whatever it is, the next behaviour is tried.
            failed += 1
            print("FAILED", name, "-", type(problem).__name__, problem, flush=True)
    left_out = sum(not host.has(needs) for _, needs, _ in BEHAVIOURS)
    if left_out:
        print(f"{left_out} left out for want of a token, an operator or TCP")
    print(f"{len(tried) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
