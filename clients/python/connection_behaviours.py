"""Behaviours of the connection: handshake, limits, broken frames, numbers of streams, the end."""
import socket

from pcs_client import Client, ConnectionEnded
from protocol_trial import (
    D, DRAINING, LIMIT_EXCEEDED, PROTOCOL_ERROR, UNSUPPORTED_VERSION, behaviour, check, frame, framed,
    quiet, sent_away, works)


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
