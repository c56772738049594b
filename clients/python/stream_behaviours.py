"""Behaviours of streams of messages, and of credit."""
from pcs_client import CONTRACT, Failure
from protocol_trial import (
    CANCELLED, D, INVALID, LIMIT_EXCEEDED, behaviour, check, frame, quiet, refused, sent_away, works)


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
