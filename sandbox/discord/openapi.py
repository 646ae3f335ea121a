"""Checks request bodies against Discord's published OpenAPI file, where there is one.

The file is named by `DISCORD_OPENAPI`; it and `jsonschema` are for developers, users need neither.
"""

from pathlib import Path
from typing import Self


class RequestBodyChecker:
    """Finds a request's schema and tells where its JSON body departs from it."""

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read the OpenAPI file at `path`.

        Raises RuntimeError with a clear sentence when `jsonschema` is missing or the file is no OpenAPI document.
        """
        raise NotImplementedError

    def check(self, method: str, path: str, body: object) -> list[str]:
        """Return one sentence for each fault of `body`, empty when it is fine.

        `path` is concrete and without `/api/v10`, e.g. `/webhooks/1/abc/messages/@original`; the
        `payload_json` of a multipart body is checked as JSON. Unknown routes, and routes without a
        body, have nothing to check: an unknown route is a fault, a missing body is None.
        """
        raise NotImplementedError
