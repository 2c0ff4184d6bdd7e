#!/usr/bin/env python3
"""Checks an export of a log, a proof, or the test vectors, with nothing but Python's standard library.

    verify_chain.py --export FILE --key HEX                   a file of `docket log export`, of a log or of a stream
    verify_chain.py --proof FILE --key HEX                    a file of `docket log prove`: one event in a signed log
    verify_chain.py EXPORT [--root HEX]                       a log: one JSON object a line, in order of position
    verify_chain.py EXPORT --checkpoint FILE --key HEX        the same, against a signed checkpoint
    verify_chain.py EXPORT --statement FILE --key HEX         one stream, whole, in order of version
    verify_chain.py --vectors FILE                            tests/vectors.json

In a file of lines an event has: position, log, stream, version, kind, event_id (UUID), recorded_at_us, metadata, payload,
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
    events, checkpoint = events_of(path), statement["checkpoint"]
    leaves = check_events_of_stream(events, statement, key)
    for event, hash_of_leaf in zip(events, leaves):
        proof = [bytes.fromhex(hash) for hash in event["proof"]]
        found = root_from_proof(hash_of_leaf, event["position"] - 1, checkpoint["size"], proof)
        at = f"version {event['version']}"
        refuse_unless(found.hex() == checkpoint["root"], f"{at}: not in the signed log at its position")
    return f"{len(events)} events sound: {statement['stream']} is whole up to position {checkpoint['size']}"


def check_events_of_stream(events, statement, key):
    """Checks the events of a stream against what is stated about it, and gives their leaves."""
    check_statement(statement, key)
    checkpoint, previous, version, position, leaves = statement["checkpoint"], bytes(32), 0, 0, []
    for event in events:
        version += 1
        at = f"version {version}"
        refuse_unless(event["version"] == version, f"{at}: missing")
        of_stream = event["stream"] == statement["stream"] and event["log"] == checkpoint["log"]
        refuse_unless(of_stream, f"{at}: of another stream")
        refuse_unless(position < event["position"] <= checkpoint["size"], f"{at}: at position {event['position']}")
        position = event["position"]
        previous = link(previous, event)
        refuse_unless(previous.hex() == event["link"], f"{at}: the link is wrong")
        leaves.append(leaf(position, previous))
    refuse_unless(version == statement["version"], f"version {version + 1}: missing, or beyond what was stated")
    refuse_unless(previous.hex() == statement["link"], "the stream does not end in the stated link")
    return leaves


# --- The file of `docket log export`: messages of protocol buffers, each with its length before it ---


def varint(data, at):
    """A number as protocol buffers write it, and where what follows begins."""
    value = 0
    for shift in range(0, 70, 7):
        refuse_unless(at < len(data), "the file was cut off, or is no export")
        byte, at = data[at], at + 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & (2**64 - 1), at
    raise Refused("a number that is none: this is no export")


def sized_at(data, at):
    """Bytes with their length before them, and where what follows begins."""
    length, at = varint(data, at)
    refuse_unless(at + length <= len(data), "the file was cut off, or is no export")
    return data[at : at + length], at + length


def fields(message):
    """The fields of a message by their numbers, each with all its values: numbers or bytes."""
    found, at = {}, 0
    while at < len(message):
        tag, at = varint(message, at)
        refuse_unless(tag & 7 in (0, 2), "a field of a kind that no export has")
        value, at = varint(message, at) if tag & 7 == 0 else sized_at(message, at)
        found.setdefault(tag >> 3, []).append(value)
    return found


def last(found, number, absent):
    """The value of a field that stands once; what is not written is the absent one."""
    value = found.get(number, [absent])[-1]
    refuse_unless(isinstance(value, type(absent)), f"field {number} is of another kind")
    return value


def text(found, number):
    try:
        return last(found, number, b"").decode()
    except UnicodeDecodeError:
        raise Refused(f"field {number} is no text") from None


def instant(found, number):
    """Microseconds since 1970, which may be before."""
    value = last(found, number, 0)
    return value - 2**64 if value >= 2**63 else value


def stored_event(message):
    """An event of an export as the lines have it."""
    found = fields(message)
    event_id, sealed = last(found, 5, b""), found.get(10, [])
    refuse_unless(len(event_id) == 16, "the id of an event is no UUID")
    refuse_unless(last(found, 12, 0) == 1, "an event of another format")
    refuse_unless(all(isinstance(part, bytes) for part in sealed), "a sealed part that is none")
    return {
        "log": text(found, 1),
        "position": last(found, 2, 0),
        "stream": text(found, 3),
        "version": last(found, 4, 0),
        "event_id": str(uuid.UUID(bytes=event_id)),
        "kind": text(found, 6),
        "recorded_at_us": instant(found, 7),
        "metadata": last(found, 8, b"").hex(),
        "payload": last(found, 9, b"").hex(),
        "sealed": [part.hex() for part in sealed],
        "link": last(found, 11, b"").hex(),
    }


def read_export(path):
    """Header, events and end of an export."""
    with open(path, "rb") as file:
        data = file.read()
    header, events, end, at = None, [], None, 0
    while at < len(data):
        refuse_unless(end is None, "there is more after the end")
        record, at = sized_at(data, at)
        parts = [(kind, value) for kind, values in fields(record).items() for value in values]
        refuse_unless(len(parts) == 1 and isinstance(parts[0][1], bytes), "a record that is none")
        kind, message = parts[0]
        refuse_unless((kind == 1) == (header is None) and kind in (1, 2, 3), "the records are in another order")
        if kind == 1:
            header = fields(message)
        elif kind == 2:
            events.append(stored_event(message))
        else:
            end = fields(message)
    refuse_unless(header is not None and end is not None, "the file ends before its end")
    refuse_unless(last(header, 1, 0) == 1, "a file of another format")
    return header, events, end


def exported_checkpoint(log, end):
    found = fields(last(end, 2, b""))
    return {
        "log": log,
        "size": last(found, 1, 0),
        "root": last(found, 2, b"").hex(),
        "epoch": last(found, 3, 0),
        "signed_at_us": instant(found, 4),
        "signature": last(found, 6, b"").hex(),
    }


def check_export(path, key):
    header, events, end = read_export(path)
    log, stream = text(header, 2), text(header, 3)
    refuse_unless(last(header, 5, b"") == key, "the file names another key")
    refuse_unless(last(end, 1, 0) == len(events), f"{len(events)} events, and the end says {last(end, 1, 0)}")
    checkpoint = exported_checkpoint(log, end)
    if not stream:
        check_checkpoint(checkpoint, key)
        leaves = check_log(events, log)
        refuse_unless(len(leaves) == checkpoint["size"], f"{len(leaves)} events, and {checkpoint['size']} are signed")
        refuse_unless(root(leaves).hex() == checkpoint["root"], "these events are not those that were signed")
        return f"{len(leaves)} events of the log {log} sound, all of them signed"
    found = fields(last(end, 3, b""))
    statement = {
        "stream": stream,
        "version": last(found, 1, 0),
        "link": last(found, 2, b"").hex(),
        "signature": last(found, 3, b"").hex(),
        "checkpoint": checkpoint,
    }
    check_events_of_stream(events, statement, key)
    return f"{len(events)} events sound: {stream} is whole up to position {checkpoint['size']}"


def check_proof(path, key):
    """One event: its bytes give its link, the link its leaf, leaf and path the root, and the root is signed."""
    proof = read(path)
    event, checkpoint = proof["event"], proof["checkpoint"]
    refuse_unless(proof["format"] == 1, "a proof of another format")
    refuse_unless(bytes.fromhex(proof["public_key"]) == key, "the proof names another key")
    check_checkpoint(checkpoint, key)
    refuse_unless(event["log"] == checkpoint["log"], "the event is of another log")
    previous = bytes.fromhex(proof["previous"])
    first = event["version"] == 1
    refuse_unless(len(previous) == 32 and (not first or previous == bytes(32)), "the link before it is none")
    here = link(previous, event)
    refuse_unless(here.hex() == event["link"], "the link is wrong")
    position, size = event["position"], checkpoint["size"]
    refuse_unless(1 <= position <= size, f"position {position} is not among the {size} that were signed")
    hash_of_leaf = leaf(position, here)
    refuse_unless(hash_of_leaf.hex() == proof["leaf"], "the leaf is wrong")
    path = [bytes.fromhex(hash) for hash in proof["path"]]
    refuse_unless(all(len(hash) == 32 for hash in path), "a hash of the path is none")
    found = root_from_proof(hash_of_leaf, position - 1, size, path)
    refuse_unless(found.hex() == checkpoint["root"], "the path does not lead to the signed root")
    return f"position {position}, version {event['version']} of {event['stream']}, is one of the {size} events signed"


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
        case ["--export", path, "--key", key]:
            return check_export(path, bytes.fromhex(key))
        case ["--proof", path, "--key", key]:
            return check_proof(path, bytes.fromhex(key))
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
