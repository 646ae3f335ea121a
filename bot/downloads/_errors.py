"""Why something could not be fetched.

    FetchError              the rest: no connection, broken off, too slow
    ├── FetchRefused        the address is one that is never contacted
    ├── FetchTooLarge       more than `limit` bytes
    ├── FetchStatus         the host answered with an HTTP status that is no success
    └── FetchUnkept         the bytes came, and could not be written down here

Who catches them: the callers of `Downloads`, each of which has an error of its own for people. No
error carries an address.
"""


class FetchError(Exception):
    """Nothing, or not all of it, was fetched."""


class FetchRefused(FetchError):
    """The address is not https, not public, not on an allowed host, or no address at all."""


class FetchTooLarge(FetchError):
    """There are more than `limit` bytes."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"more than {limit} bytes")
        self.limit = limit


class FetchStatus(FetchError):
    """The host answered with the HTTP status `status` instead of a file."""

    def __init__(self, status: int) -> None:
        super().__init__(f"HTTP {status}")
        self.status = status


class FetchUnkept(FetchError):
    """The file could not be written: a full disk, as a rule."""
