"""Client of the socket protocol (docs/protocol.md) in a hundred lines: standard library and `protobuf` only.
Client("unix:/run/pcs/pcs.sock").unary("pcs.host.v1.DiagnosticsService/Echo", {"text": "hello"})"""
import os, socket, subprocess, tempfile
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

PROTO = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "proto")

class Contract:
    """Message classes by full name, made from files in proto/ by protoc."""
    def __init__(self, *files):
        with tempfile.NamedTemporaryFile() as out:
            subprocess.run(["protoc", "-I", PROTO, "--include_imports", "-o", out.name, *files], check=True)
            self.pool, found = descriptor_pool.DescriptorPool(), descriptor_pb2.FileDescriptorSet.FromString(out.read())
        for file in found.file: self.pool.Add(file)
    def __getitem__(self, name):
        return message_factory.GetMessageClass(self.pool.FindMessageTypeByName(name))
    def method(self, path):
        """Request and reply class of "package.Service/Method"."""
        found = self.pool.FindServiceByName(path.split("/")[0]).FindMethodByName(path.split("/")[1])
        return self[found.input_type.full_name], self[found.output_type.full_name]

CONTRACT = Contract("pcs/frame/v1/frame.proto", "pcs/host/v1/control.proto", "pcs/host/v1/identity.proto")
Frame, Detail = CONTRACT["pcs.frame.v1.Frame"], CONTRACT["pcs.common.v1.FailureDetail"]

class Failure(Exception):
    """A call that failed: `code` (gRPC status code), `reason`, `progress` (1 not started, 2 started, 3 committed)."""
    def __init__(self, reply):
        self.code, self.message, self.progress, self.detail = reply.code, reply.message, reply.progress, Detail()
        for packed in reply.status.details: packed.Unpack(self.detail)
        self.reason = self.detail.reason
        super().__init__(f"{self.reason or self.code}: {self.message} {self.detail.next_step}")

class ConnectionEnded(Exception):
    """The host closed the connection; the one argument is its GoAway, or None."""

class Client:
    def __init__(self, address, token="", tls=None, timeout=10, **hello):
        """`address`: "unix:/path" or "tcp:host:port"; `tls`: an ssl.SSLContext; `hello`: further fields of Hello."""
        kind, place = address.split(":", 1)
        host, port = (place, 0) if kind == "unix" else place.rsplit(":", 1)
        self.socket = socket.socket(socket.AF_UNIX) if kind == "unix" else socket.create_connection((host, int(port)))
        self.socket.settimeout(timeout)
        if kind == "unix": self.socket.connect(place)
        if tls: self.socket = tls.wrap_socket(self.socket, server_hostname=host)
        self.bytes, self.hello, self.next_stream, self.kept, self.credit, self.draining = b"", None, 1, {}, {}, None
        self.send(hello={"version": 1, "software": "pcs-python/1", "access_token": token, **hello})
        while not self.hello: self.pump()
    def send(self, stream=0, **kind):
        frame = Frame(stream=stream, **kind).SerializeToString()
        self.socket.sendall(b"\0" + len(frame).to_bytes(4, "big") + frame)
    def pump(self):
        """Takes in one frame: keeps messages and replies for their streams, answers pings, notes the rest."""
        while len(self.bytes) < 5 or len(self.bytes) < 5 + int.from_bytes(self.bytes[1:5], "big"):
            more = self.socket.recv(65536)
            if not more: raise ConnectionEnded(self.draining)
            self.bytes += more
        end = 5 + int.from_bytes(self.bytes[1:5], "big")
        frame, self.bytes = Frame.FromString(self.bytes[5:end]), self.bytes[end:]
        kind, stream = frame.WhichOneof("kind"), frame.stream
        if kind in ("message", "reply"): self.kept.setdefault(stream, []).append(frame)
        elif kind == "credit": self.credit[stream] = self.credit.get(stream, 0) + frame.credit.messages
        elif kind == "ping":
            if not frame.ping.acknowledge: self.send(ping={"token": frame.ping.token, "acknowledge": True})
        elif kind == "hello": self.hello = frame.hello
        elif kind == "go_away": self.draining = frame.go_away
        if kind == "go_away" and frame.go_away.reason != 1: raise ConnectionEnded(frame.go_away)
        return frame
    def begin(self, method, request, **options):
        """Opens a call and returns its stream; several may be open. `options`: further fields of Call."""
        stream, self.next_stream = self.next_stream, self.next_stream + 2
        self.credit[stream] = self.hello.initial_credit or 16
        body = CONTRACT.method(method)[0](**request).SerializeToString() if isinstance(request, dict) else request
        self.send(stream, call={"method": method, "body": body, **options})
        return stream
    def next(self, stream):
        """The next message (bytes) of a stream, or its Reply; raises Failure when that is not OK."""
        while not self.kept.get(stream): self.pump()
        frame = self.kept[stream].pop(0)
        if frame.WhichOneof("kind") == "reply" and frame.reply.code: raise Failure(frame.reply)
        return frame.message.body if frame.WhichOneof("kind") == "message" else frame.reply
    def unary(self, method, request, **options):
        return CONTRACT.method(method)[1].FromString(self.next(self.begin(method, request, **options)).body)
    def server_streaming(self, method, request, **options):
        """Yields the messages; gives credit for one whenever one has been taken."""
        stream = self.begin(method, request, **options)
        while isinstance(message := self.next(stream), bytes):
            yield CONTRACT.method(method)[1].FromString(message)
            self.send(stream, credit={"messages": 1})
    def client_streaming(self, method, requests, **options):
        """Sends all of `requests`, as fast as the host gives credit, until it replies."""
        (first, *rest), (kind, reply) = requests, CONTRACT.method(method)
        stream = self.begin(method, first, more=True, **options)
        for request in rest:
            while not self.credit[stream] and not self.kept.get(stream): self.pump()
            if self.kept.get(stream): break
            self.send(stream, message={"body": kind(**request).SerializeToString()})
            self.credit[stream] -= 1
        self.send(stream, message={"last": True})
        return reply.FromString(self.next(stream).body)
