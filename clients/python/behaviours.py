"""Tries every behaviour of docs/protocol.md against a running host: one line each, then `N passed, N failed`.

    behaviours.py ADDRESS [--operator ADDRESS] [--stop PID]

ADDRESS is "unix:/path" or "tcp:host:port". Over TCP a caller needs a token: `--operator` names the Unix socket of the
same host, through which a system is registered that then gets one. `--stop` ends the host's process at last, to see it
drain. Behaviours that need an operator are left out without one, and the last line says how many.
Writes two notes of DiagnosticsService (and registers a system), nothing else. Status 0 = all passed."""
import argparse
import os
import signal
import sys

from pcs_client import Failure
from protocol_trial import BEHAVIOURS, D, DRAINING, NOT_STARTED, Host, check, works

# Each registers its behaviours; they are tried in this order.
import connection_behaviours
import call_behaviours
import stream_behaviours
import identity_behaviours


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
