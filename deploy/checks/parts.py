"""The parts of the system as the code has them: services, databases, logs, who reads and who calls whom."""

import os
import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BIN = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "debug"
TABLE = ROOT / "services/docket/src/up/place.rs"
PART = re.compile(
    r'Part \{\s*name: "([a-z-]+)",\s*database: "([a-z_]*)",\s*keys: (true|false),\s*grpc: \d+,\s*admin: \d+,'
    r'\s*http: (\d+),\s*log: "([a-z0-9-]*)",\s*reads: &\[([^\]]*)\]'
)
# `case-status` has two faces in one crate.
FACES = {"case-status": "services/case-status/src/command", "status-projection": "services/case-status/src/status"}


class Part:
    """A service with its database, its log, the logs it reads and the services it calls."""

    def __init__(self, name: str, database: str, keys: str, http: str, log: str, granted: str):
        self.name, self.log = name, log
        self.keys, self.http = keys == "true", http != "0"
        self.databases = [database, f"{database}_keys"] if self.keys else [database]
        self.granted = set(re.findall(r'"([a-z0-9-]+)"', granted))
        code = sources(name)
        named = re.findall(r'\.subscriber\(\s*("[a-z0-9-]+"|LOG)', code)
        # Every server reads identity's log for the roles, and asks identity for the keys of tokens.
        self.reads = sorted({"identity"} | {"cases-0" if log == "LOG" else log.strip('"') for log in named})
        called = set(re.findall(r'channel\("([a-z-]+)"\)', code)) | {owner_of(log) for log in self.reads}
        self.calls = sorted((called | {"identity"}) - {name})


def pod_of(one: dict) -> dict | None:
    """The pod's specification of a workload; none of another object."""
    spec = one.get("spec", {})
    spec = spec.get("jobTemplate", {}).get("spec", spec)
    return spec["template"]["spec"] if "template" in spec else None


def owner_of(log: str) -> str:
    """The service that owns a log, as `owner_of` of libs/service/src/base.rs says."""
    return "case-status" if log.startswith("cases-") else log


def sources(name: str) -> str:
    """The Rust sources of a part, without the tests beside its `src`."""
    folder = ROOT / FACES.get(name, f"services/{name}/src")
    files = [*folder.rglob("*.rs"), *(file for file in [folder.with_suffix(".rs")] if file.is_file())]
    return "\n".join(file.read_text() for file in sorted(files))


def all_parts() -> list[Part]:
    """The table that `docket up` starts from, with what the sources say of each."""
    text = TABLE.read_text()
    parts = [Part(*found) for found in PART.findall(text)]
    if not parts or len(parts) != len(re.findall(r"^    Part \{", text, re.MULTILINE)):
        raise SystemExit(f"deploy/checks/parts.py no longer understands {TABLE.relative_to(ROOT)}")
    for part in parts:
        if missing := set(part.reads) - part.granted:
            raise SystemExit(f"{part.name} subscribes to {sorted(missing)}, which {TABLE.name} does not grant")
    return parts
