#!/usr/bin/env python3
"""Checks what was signed, with nothing but Python's standard library.

    verify_signed.py FILE...

A file is JSON: filing (UUID), key (the office's root key, 32 bytes), sheet (what was signed, as it is kept with the
signature), hash (of the signature), and optionally text (what the signer saw); bytes are hexadecimal. Written from
docs/reference/signed-text.md, not from the Rust code.
"""
import hashlib
import hmac
import json
import sys
import uuid

PARTS = ("line1", "unit", "city", "state", "province", "postal_code", "country")


def money(cents):
    """1234567 as $12,345.67."""
    dollars, rest = divmod(abs(cents), 100)
    return f"{'-' if cents < 0 else ''}${dollars:,}.{rest:02}"


def plain(kind, value):
    """An answer as the text has it."""
    if value is None:
        return "(not answered)"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return money(value) if kind == "money" else str(value)
    if isinstance(value, str):
        return value.replace("\n", "\n     | ")
    if isinstance(value, list):
        return ", ".join(word for word in value if isinstance(word, str)) or "none"
    return "; ".join(value[part] for part in PARTS if isinstance(value.get(part), str))


def row_text(row):
    items = row.get("items")
    if items is None:
        return f"- {row['label']}: {plain(row['kind'], row.get('value'))}\n"
    lines = f"- {row['label']}:" + (" none" if not items else "")
    for number, item in enumerate(items, start=1):
        lines += f"\n  {number}."
        for part in item:
            lines += f"\n     {part['label']}: {plain(part['kind'], part.get('value'))}"
    return lines + "\n"


def section_text(section):
    return f"\n{section['title']}\n" + "".join(map(row_text, section["rows"]))


def file_text(file):
    language = ", not in English" if file["foreign_language"] else ""
    about = f"({file['media_type']}, {file['size']} bytes{language})"
    return f"- {file['kind']}: {file['name']} {about}, commitment {file['commitment']}\n"


def text(sheet):
    """The canonical text of a sheet."""
    lines = f"{sheet['number']} {sheet['title']}\n"
    lines += f"Edition {sheet['edition']}, catalogue {sheet['catalogue_version']}\n"
    lines += "".join(map(section_text, sheet["sections"]))
    lines += "\nEvidence\n" + ("".join(map(file_text, sheet["evidence"])) or "- none\n")
    if sheet["lacking"]:
        lines += "\nEvidence that cannot be provided\n"
        for one in sheet["lacking"]:
            lines += f"- {one['kind']}, {one['title']}: {plain('long_text', one.get('words'))}\n"
    if sheet.get("waiver"):
        lines += section_text(sheet["waiver"])
    return lines


def keyed(key, data):
    return hmac.new(key, data, hashlib.sha256).digest()


def content_hash(root, filing, signed):
    """The keyed hash of the signature."""
    return keyed(keyed(root, b"filing.content"), uuid.UUID(filing).bytes + signed.encode())


def faults(path):
    with open(path, encoding="utf-8", newline="") as file:
        kept = json.load(file)
    signed = text(kept["sheet"])
    if "text" in kept and kept["text"] != signed:
        return "the sheet does not give the text"
    if content_hash(bytes.fromhex(kept["key"]), kept["filing"], signed).hex() != kept["hash"]:
        return "this is not what was signed"
    return None


def main(paths):
    if not paths:
        print(__doc__, file=sys.stderr)
        return 2
    found = [(path, faults(path)) for path in paths]
    for path, fault in found:
        print(f"{path}: {fault or 'as it was signed'}")
    return 1 if any(fault for _, fault in found) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
