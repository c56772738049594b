"""Behaviours of assertions and tokens."""
import time

from client_assertion import Key
from pcs_client import Client
from protocol_trial import I, NOT_STARTED, UNAUTHENTICATED, behaviour, check, refused


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
