"""The way to the services: addresses, TLS, tokens, deadlines, retries, refusals by their reason."""

import json
import pathlib
import random
import time
import urllib.parse
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import grpc
from google.rpc import error_details_pb2
from grpc_status import rpc_status

DEADLINE_S = 20
PATIENCE_S = 60
# Codes of a call that may be repeated as it is, with the same request id.
PASSING = {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED}


def request_id() -> str:
    """A new command's id. Who repeats the command gives the same one again."""
    return str(uuid.uuid4())


@dataclass(eq=False)
class Refused(Exception):
    """A call was not done: `reason` is for programs and empty when the code says it all, `message` is for people."""

    code: grpc.StatusCode
    reason: str
    message: str
    fields: dict[str, str] = field(default_factory=dict)
    facts: dict[str, str] = field(default_factory=dict)
    way_out: str = ""

    @classmethod
    def of(cls, error: grpc.RpcError) -> "Refused":
        """Takes the `google.rpc` details out of an error."""
        refused = cls(error.code(), "", error.details() or "")
        status = rpc_status.from_call(error)
        for detail in status.details if status else ():
            info, bad, help_ = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest(), error_details_pb2.Help()
            if detail.Unpack(info):
                refused.reason, refused.facts = info.reason, dict(info.metadata)
            elif detail.Unpack(bad):
                refused.fields = {fault.field: fault.description for fault in bad.field_violations}
            elif detail.Unpack(help_):
                refused.way_out = " ".join(link.description for link in help_.links)
        return refused

    @property
    def passing(self) -> bool:
        """Whether the same call may be answered in a moment."""
        busy = self.code is grpc.StatusCode.RESOURCE_EXHAUSTED and not self.reason  # with a reason it is a limit
        return busy or self.code in PASSING


class System:
    """A running system, by the `docket.json` in its home."""

    def __init__(self, home: pathlib.Path):
        self.told = json.loads((home / "docket.json").read_text())
        self.credentials = grpc.ssl_channel_credentials(pathlib.Path(self.told["ca_file"]).read_bytes())
        self.channels: dict[str, grpc.Channel] = {}

    def channel(self, service: str) -> grpc.Channel:
        """The one channel to a service; it connects when first used."""
        if service not in self.channels:
            address = urllib.parse.urlsplit(self.told["grpc"][service]).netloc
            self.channels[service] = grpc.secure_channel(address, self.credentials)
        return self.channels[service]


class Session:
    """Calls services on behalf of a person, once there is a token."""

    def __init__(self) -> None:
        self.access_token = ""
        self.refresh_token = ""
        self.renew_at = float("inf")
        self.renew: Callable[[], None] = lambda: None

    def take(self, tokens: Any) -> None:
        """Keeps new tokens. A step-up gives no refresh token: the old one goes on."""
        self.access_token = tokens.access_token
        self.refresh_token = tokens.refresh_token or self.refresh_token
        self.renew_at = time.monotonic() + tokens.expires_in_s * 0.8

    def metadata(self) -> list[tuple[str, str]]:
        """The headers of a call."""
        if time.monotonic() > self.renew_at:
            self.renew_at = float("inf")  # renewing is a call itself
            self.renew()
        return [("authorization", f"Bearer {self.access_token}")] if self.access_token else []

    def call(self, method: Callable[..., Any], message: Any) -> Any:
        """One call, patiently: what passes by itself is tried again, a refusal is raised as `Refused`.

        `message` is a request, or a function that begins a stream of requests anew for each try.
        """
        give_up, pause_s = time.monotonic() + PATIENCE_S, 0.05
        while True:
            try:
                body = message() if callable(message) else message
                return method(body, timeout=DEADLINE_S, metadata=self.metadata())
            except grpc.RpcError as error:
                refused = Refused.of(error)
                if not refused.passing or time.monotonic() > give_up:
                    raise refused from error
                time.sleep(pause_s * random.uniform(0.5, 1))
                pause_s = min(2 * pause_s, 1)

    def stream(self, method: Callable[..., Any], message: Any, deadline_s: float = DEADLINE_S) -> Any:
        """What a service streams. It ends with the service, or with `Refused`: the caller resumes where it was."""
        try:
            yield from method(message, timeout=deadline_s, metadata=self.metadata())
        except grpc.RpcError as error:
            raise Refused.of(error) from error
