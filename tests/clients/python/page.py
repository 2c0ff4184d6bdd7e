"""Uploads as a page in a browser does them: by tus over HTTP, with a client of others (tuspy), gone on with elsewhere."""

import hashlib
import os
import pathlib
from collections.abc import Callable

import requests
from tusclient.client import TusClient

VERSION = {"Tus-Resumable": "1.0.0"}


class Page:
    """A page at the HTTP face of the filing service."""

    def __init__(self, base: str, ca_file: str, authorization: Callable[[], str]):
        self.base = base
        self.authorization = authorization
        # tuspy takes no authority of its own; requests, on which it stands, takes it from here.
        os.environ["REQUESTS_CA_BUNDLE"] = ca_file

    def headers(self) -> dict[str, str]:
        """Who calls."""
        return {"Authorization": self.authorization()}

    def client(self) -> TusClient:
        """A client that knows nothing of others."""
        return TusClient(f"{self.base}/uploads", headers=self.headers())

    def upload(self, parent: str, kind: str, file: pathlib.Path, chunk: int) -> dict[str, object]:
        """Sends one chunk, goes on with another client by the address alone, and gives what the file became."""
        metadata = {"parent": parent, "kind": kind, "filename": file.name,
                    "sha256": hashlib.sha256(file.read_bytes()).hexdigest()}
        first = self.client().uploader(str(file), chunk_size=chunk, metadata=metadata)
        first.upload_chunk()
        second = self.client().uploader(str(file), chunk_size=chunk, url=first.url)
        resumed_at = second.offset
        second.upload()
        stands = requests.head(first.url, headers=VERSION | self.headers(), timeout=30)
        return {"chunk": first.offset, "resumed_at": resumed_at, "size": second.offset,
                "status": stands.status_code, "evidence": stands.headers.get("Docket-Evidence", "")}
