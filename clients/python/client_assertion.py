"""Signs client assertions (docs/protocol.md, section 13) with Ed25519, on the standard library alone.

For tests and for trying things out: arithmetic in plain Python gives away its key to whoever can measure its time. Real
systems sign with a cryptographic library."""
import base64
import hashlib
import json
import os
import time
import uuid

PRIME = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, PRIME) % PRIME


def _add(left, right):
    """Sum of two points of edwards25519 as (X, Y, Z, T) with x = X/Z, y = Y/Z, xy = T/Z (RFC 8032, 5.1.4)."""
    a = (left[1] - left[0]) * (right[1] - right[0]) % PRIME
    b = (left[1] + left[0]) * (right[1] + right[0]) % PRIME
    c = 2 * D * left[3] * right[3] % PRIME
    d = 2 * left[2] * right[2] % PRIME
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % PRIME, g * h % PRIME, f * g % PRIME, e * h % PRIME


def _multiply(scalar, point):
    result = (0, 1, 1, 0)
    while scalar:
        if scalar & 1:
            result = _add(result, point)
        point = _add(point, point)
        scalar >>= 1
    return result


def _encode(point):
    inverse = pow(point[2], -1, PRIME)
    x, y = point[0] * inverse % PRIME, point[1] * inverse % PRIME
    return (y | (x & 1) << 255).to_bytes(32, "little")


def _base():
    y = 4 * pow(5, -1, PRIME) % PRIME
    square = (y * y - 1) * pow(D * y * y + 1, -1, PRIME) % PRIME
    x = pow(square, (PRIME + 3) // 8, PRIME)
    if (x * x - square) % PRIME:
        x = x * pow(2, (PRIME - 1) // 4, PRIME) % PRIME
    if x & 1:
        x = PRIME - x
    return x, y, 1, x * y % PRIME


BASE = _base()


def _number(*parts):
    return int.from_bytes(hashlib.sha512(b"".join(parts)).digest(), "little") % ORDER


class Key:
    """A key pair of a system or a person."""

    def __init__(self, seed=None):
        digest = hashlib.sha512(seed or os.urandom(32)).digest()
        self._scalar = int.from_bytes(digest[:32], "little") & ((1 << 254) - 8) | 1 << 254
        self._prefix = digest[32:]
        self.public = _encode(_multiply(self._scalar, BASE))

    def sign(self, message):
        nonce = _number(self._prefix, message)
        commitment = _encode(_multiply(nonce, BASE))
        answer = (nonce + _number(commitment, self.public, message) * self._scalar) % ORDER
        return commitment + answer.to_bytes(32, "little")

    def public_pem(self):
        """SubjectPublicKeyInfo, as RegisterKey takes it (RFC 8410)."""
        coded = base64.b64encode(bytes.fromhex("302a300506032b6570032100") + self.public).decode()
        return f"-----BEGIN PUBLIC KEY-----\n{coded}\n-----END PUBLIC KEY-----\n"

    def assertion(self, subject, key_id, audience="pcs", **claims):
        """A JWT for IssueToken; `claims` replace those that a good one has."""
        now = int(time.time())
        good = {"iss": subject, "sub": subject, "aud": audience, "iat": now, "exp": now + 120, "jti": str(uuid.uuid4())}
        header = {"alg": "EdDSA", "typ": "JWT", "kid": key_id}
        signed = ".".join(_text(json.dumps(part).encode()) for part in (header, {**good, **claims}))
        return signed + "." + _text(self.sign(signed.encode()))


def _text(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
