"""An authenticator app: one-time codes by time (RFC 6238), each used once."""

import base64
import hmac
import struct
import time

STEP_S = 30


def code_at(secret: str, step: int) -> str:
    """The code of a base32 secret in a step of 30 seconds."""
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    digest = hmac.digest(key, struct.pack(">Q", step), "sha1")
    (number,) = struct.unpack_from(">I", digest, digest[-1] & 0x0F)
    return f"{(number & 0x7FFF_FFFF) % 1_000_000:06}"


class Authenticator:
    """Gives codes that were not used yet: a service takes the step before, now or after, and each once."""

    def __init__(self, secret: str):
        self.secret = secret
        self.last = 0

    def code(self) -> str:
        """The next code; waits when this one and its neighbours were used."""
        now = int(time.time()) // STEP_S
        self.last = max(self.last + 1, now - 1)
        if self.last > now + 1:
            time.sleep((self.last - 1) * STEP_S - time.time())
        return code_at(self.secret, self.last)
