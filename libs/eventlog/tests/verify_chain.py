#!/usr/bin/env python3
"""Checks an export of a log, or the test vectors, with nothing but Python's standard library.

    verify_chain.py EXPORT [--root HEX]     one JSON object a line, in order of position
    verify_chain.py --vectors FILE          tests/vectors.json

An exported event has: position, log, stream, version, kind, event_id (UUID), recorded_at_us, metadata, payload,
sealed (a list), link; bytes are hexadecimal. Written from docs/reference/event-format.md, not from the Rust code.
"""
import hashlib
import json
import sys
import uuid


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


def root(leaves):
    """RFC 6962, section 2.1."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    half = 1
    while half * 2 < len(leaves):
        half *= 2
    return hashlib.sha256(b"\x01" + root(leaves[:half]) + root(leaves[half:])).digest()


def check_export(path, expected_root):
    streams, leaves, recorded_at_us = {}, [], None
    for line in open(path, encoding="utf-8"):
        event = json.loads(line)
        position = len(leaves) + 1
        if event["position"] != position:
            return f"position {position}: missing"
        version, previous = streams.get(event["stream"], (0, bytes(32)))
        if event["version"] != version + 1:
            return f"position {position}: version {event['version']} follows {version}"
        if recorded_at_us is not None and event["recorded_at_us"] < recorded_at_us:
            return f"position {position}: recorded before the event before it"
        here = link(previous, event)
        if here.hex() != event["link"]:
            return f"position {position}: the link is wrong"
        recorded_at_us = event["recorded_at_us"]
        streams[event["stream"]] = (version + 1, here)
        leaves.append(leaf(position, here))
    found = root(leaves).hex()
    if expected_root is not None and found != expected_root:
        return f"the root is {found}, not {expected_root}"
    print(f"{len(leaves)} events sound, root {found}")
    return None


def check_vectors(path):
    vectors = json.load(open(path, encoding="utf-8"))
    leaves = []
    for event in vectors["events"]:
        here = link(bytes.fromhex(event["previous"]), event)
        if here.hex() != event["link"]:
            return f"{event['name']}: link {here.hex()}"
        leaves.append(leaf(event["position"], here))
        if leaves[-1].hex() != event["leaf"]:
            return f"{event['name']}: leaf {leaves[-1].hex()}"
    for size, expected in enumerate(vectors["roots"]):
        if root(leaves[:size]).hex() != expected:
            return f"root of {size}: {root(leaves[:size]).hex()}"
    print(f"{len(leaves)} vectors and {len(vectors['roots'])} roots agree")
    return None


def main(arguments):
    if len(arguments) == 2 and arguments[0] == "--vectors":
        return check_vectors(arguments[1])
    if len(arguments) == 3 and arguments[1] == "--root":
        return check_export(arguments[0], arguments[2])
    if len(arguments) == 1:
        return check_export(arguments[0], None)
    return __doc__


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
