"""What the behaviours share: the host that is tried, frames made by hand, and checks of what comes back."""
import select
import uuid

from client_assertion import Key
from pcs_client import Client, ConnectionEnded, Failure, Frame


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
