#!/usr/bin/env python3
"""Checks an export of a log, or the test vectors, with nothing but Python's standard library.

    verify_chain.py EXPORT [--root HEX]                       a log: one JSON object a line, in order of position
    verify_chain.py EXPORT --checkpoint FILE --key HEX        the same, against a signed checkpoint
    verify_chain.py EXPORT --statement FILE --key HEX         one stream, whole, in order of version
    verify_chain.py --vectors FILE                            tests/vectors.json

An exported event has: position, log, stream, version, kind, event_id (UUID), recorded_at_us, metadata, payload,
sealed (a list), link; in the export of a stream also proof (a list); bytes are hexadecimal. A checkpoint has: log,
size, root, epoch, signed_at_us, signature. A statement has: stream, version, link, signature, and its checkpoint.
The key is the public one, known from elsewhere. Written from docs/reference/event-format.md, not from the Rust code.
"""
import hashlib
import json
import sys
import uuid


class Refused(Exception):
    """What is wrong with the export."""


def refuse_unless(good, why):
    if not good:
        raise Refused(why)


# --- The event's link and the tree ---


def sized(part):
    """The part with its length before it: u64, big-endian."""
    return len(part).to_bytes(8, "big") + part


def number(value):
    """A number as 8 bytes, big-endian, two's complement."""
    return (value & (2**64 - 1)).to_bytes(8, "big")


def link(previous, event):
    parts = [
        previous,
        event["log"].encode(),
        event["stream"].encode(),
        number(event["version"]),
        event["kind"].encode(),
        uuid.UUID(event["event_id"]).bytes,
        number(event["recorded_at_us"]),
        bytes.fromhex(event["metadata"]),
        bytes.fromhex(event["payload"]),
    ] + [bytes.fromhex(part) for part in event["sealed"]]
    return hashlib.sha256(b"docket.event.v1" + b"".join(map(sized, parts))).digest()


def leaf(position, link_of_event):
    return hashlib.sha256(b"\x00" + number(position) + link_of_event).digest()


def node(left, right):
    return hashlib.sha256(b"\x01" + left + right).digest()


def root(leaves):
    """RFC 6962, section 2.1."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    half = 1
    while half * 2 < len(leaves):
        half *= 2
    return node(root(leaves[:half]), root(leaves[half:]))


def root_from_proof(hash_of_leaf, index, size, proof):
    """The root to which a proof of inclusion leads, by the definition of RFC 6962, section 2.1.1, read backwards."""
    if size == 1:
        refuse_unless(not proof, "the proof is too long")
        return hash_of_leaf
    refuse_unless(proof, "the proof is too short")
    half = 1
    while half * 2 < size:
        half *= 2
    if index < half:
        return node(root_from_proof(hash_of_leaf, index, half, proof[:-1]), proof[-1])
    return node(proof[-1], root_from_proof(hash_of_leaf, index - half, size - half, proof[:-1]))


# --- Ed25519, RFC 8032, section 5.1: verification alone ---

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
SQRT_M1 = pow(2, (P - 1) // 4, P)


def recover_x(y, sign):
    """The x of a point by its y and the lowest bit of x (section 5.1.3); none when there is no such point."""
    if y >= P:
        return None
    x2 = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    if x2 == 0:
        return None if sign else 0
    x = pow(x2, (P + 3) // 8, P)
    if (x * x - x2) % P != 0:
        x = x * SQRT_M1 % P
    if (x * x - x2) % P != 0:
        return None
    return P - x if x & 1 != sign else x


def add(a, b):
    """The sum of two points (X, Y, Z, T) in extended coordinates (section 5.1.4)."""
    e = (a[1] - a[0]) * (b[1] - b[0]) % P
    f = (a[1] + a[0]) * (b[1] + b[0]) % P
    g = 2 * a[3] * b[3] * D % P
    h = 2 * a[2] * b[2] % P
    e, f, g, h = f - e, h - g, h + g, f + e
    return (e * f % P, g * h % P, f * g % P, e * h % P)


def multiply(scalar, point):
    total = (0, 1, 1, 0)
    while scalar:
        if scalar & 1:
            total = add(total, point)
        point = add(point, point)
        scalar >>= 1
    return total


def equal(a, b):
    return (a[0] * b[2] - b[0] * a[2]) % P == 0 and (a[1] * b[2] - b[1] * a[2]) % P == 0


def decompress(encoded):
    y = int.from_bytes(encoded, "little")
    sign, y = y >> 255, y & (2**255 - 1)
    x = recover_x(y, sign)
    return None if x is None else (x, y, 1, x * y % P)


BASE_Y = 4 * pow(5, P - 2, P) % P
BASE = (recover_x(BASE_Y, 0), BASE_Y, 1, recover_x(BASE_Y, 0) * BASE_Y % P)


def signed(public_key, message, signature):
    """Whether the signature over the message is that of the key (section 5.1.7)."""
    if len(public_key) != 32 or len(signature) != 64:
        return False
    a, r = decompress(public_key), decompress(signature[:32])
    s = int.from_bytes(signature[32:], "little")
    if a is None or r is None or s >= L:
        return False
    k = int.from_bytes(hashlib.sha512(signature[:32] + public_key + message).digest(), "little") % L
    return equal(multiply(s, BASE), add(r, multiply(k, a)))


# --- What is signed ---


def check_checkpoint(checkpoint, key):
    message = b"docket.checkpoint.v1" + b"".join(
        map(
            sized,
            [
                checkpoint["log"].encode(),
                number(checkpoint["size"]),
                bytes.fromhex(checkpoint["root"]),
                number(checkpoint["epoch"]),
                number(checkpoint["signed_at_us"]),
            ],
        )
    )
    refuse_unless(signed(key, message, bytes.fromhex(checkpoint["signature"])), "the checkpoint is not signed by this key")


def check_statement(statement, key):
    checkpoint = statement["checkpoint"]
    check_checkpoint(checkpoint, key)
    message = b"docket.statement.v1" + b"".join(
        map(
            sized,
            [
                checkpoint["log"].encode(),
                statement["stream"].encode(),
                number(statement["version"]),
                bytes.fromhex(statement["link"]),
                number(checkpoint["size"]),
                bytes.fromhex(checkpoint["root"]),
            ],
        )
    )
    refuse_unless(signed(key, message, bytes.fromhex(statement["signature"])), "the statement is not signed by this key")


# --- Exports ---


def events_of(path):
    with open(path, encoding="utf-8") as lines:
        return [json.loads(line) for line in lines if line.strip()]


def check_log(events, log=None):
    """Checks the events of a log and gives their leaves."""
    streams, leaves, recorded_at_us = {}, [], None
    for event in events:
        position = len(leaves) + 1
        at = f"position {position}"
        refuse_unless(event["position"] == position, f"{at}: missing")
        refuse_unless(log is None or event["log"] == log, f"{at}: of another log")
        version, previous = streams.get(event["stream"], (0, bytes(32)))
        refuse_unless(event["version"] == version + 1, f"{at}: version {event['version']} follows {version}")
        in_order = recorded_at_us is None or event["recorded_at_us"] >= recorded_at_us
        refuse_unless(in_order, f"{at}: recorded before the event before it")
        here = link(previous, event)
        refuse_unless(here.hex() == event["link"], f"{at}: the link is wrong")
        recorded_at_us = event["recorded_at_us"]
        streams[event["stream"]] = (version + 1, here)
        leaves.append(leaf(position, here))
    return leaves


def check_whole_log(path, expected_root):
    leaves = check_log(events_of(path))
    found = root(leaves).hex()
    refuse_unless(expected_root in (None, found), f"the root is {found}, not {expected_root}")
    return f"{len(leaves)} events sound, root {found}"


def check_signed_log(path, checkpoint, key):
    check_checkpoint(checkpoint, key)
    leaves = check_log(events_of(path), checkpoint["log"])
    size = checkpoint["size"]
    refuse_unless(len(leaves) >= size, f"position {len(leaves) + 1}: missing")
    refuse_unless(root(leaves[:size]).hex() == checkpoint["root"], f"positions 1 to {size} are not what was signed")
    return f"{len(leaves)} events sound, {size} of them signed"


def check_stream(path, statement, key):
    check_statement(statement, key)
    checkpoint, previous, version, position = statement["checkpoint"], bytes(32), 0, 0
    for event in events_of(path):
        version += 1
        at = f"version {version}"
        refuse_unless(event["version"] == version, f"{at}: missing")
        of_stream = event["stream"] == statement["stream"] and event["log"] == checkpoint["log"]
        refuse_unless(of_stream, f"{at}: of another stream")
        refuse_unless(position < event["position"] <= checkpoint["size"], f"{at}: at position {event['position']}")
        position = event["position"]
        previous = link(previous, event)
        refuse_unless(previous.hex() == event["link"], f"{at}: the link is wrong")
        proof = [bytes.fromhex(hash) for hash in event["proof"]]
        found = root_from_proof(leaf(position, previous), position - 1, checkpoint["size"], proof)
        refuse_unless(found.hex() == checkpoint["root"], f"{at}: not in the signed log at its position")
    refuse_unless(version == statement["version"], f"version {version + 1}: missing, or beyond what was stated")
    refuse_unless(previous.hex() == statement["link"], "the stream does not end in the stated link")
    return f"{version} events sound: {statement['stream']} is whole up to position {checkpoint['size']}"


def check_vectors(path):
    with open(path, encoding="utf-8") as file:
        vectors = json.load(file)
    leaves = []
    for event in vectors["events"]:
        here = link(bytes.fromhex(event["previous"]), event)
        refuse_unless(here.hex() == event["link"], f"{event['name']}: link {here.hex()}")
        leaves.append(leaf(event["position"], here))
        refuse_unless(leaves[-1].hex() == event["leaf"], f"{event['name']}: leaf {leaves[-1].hex()}")
    for size, expected in enumerate(vectors["roots"]):
        refuse_unless(root(leaves[:size]).hex() == expected, f"root of {size}: {root(leaves[:size]).hex()}")
    for case in vectors["signatures"]:
        key, message, signature = (bytes.fromhex(case[part]) for part in ("key", "message", "signature"))
        refuse_unless(signed(key, message, signature), f"{case['name']}: the signature is not accepted")
        refuse_unless(not signed(key, message + b"x", signature), f"{case['name']}: it is accepted for another message")
    return f"{len(leaves)} vectors, {len(vectors['roots'])} roots and {len(vectors['signatures'])} signatures agree"


def read(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def main(arguments):
    match arguments:
        case ["--vectors", path]:
            return check_vectors(path)
        case [path]:
            return check_whole_log(path, None)
        case [path, "--root", expected]:
            return check_whole_log(path, expected)
        case [path, "--checkpoint", checkpoint, "--key", key]:
            return check_signed_log(path, read(checkpoint), bytes.fromhex(key))
        case [path, "--statement", statement, "--key", key]:
            return check_stream(path, read(statement), bytes.fromhex(key))
    raise Refused(__doc__)


if __name__ == "__main__":
    try:
        print(main(sys.argv[1:]))
    except Refused as why:
        sys.exit(str(why))
