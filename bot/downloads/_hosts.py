"""Which hosts something may be fetched from."""

import re
from typing import Final

from yarl import URL

from bot.downloads._addresses import is_loopback_url

_HTTPS_PORT: Final = 443
_STAR: Final = "[a-z0-9]+"


class Hosts:
    """A list of hosts, each a name, a name with `*`, or the beginning of an address.

    `cdn.example` and `images-ext-*.example` stand for https on the usual port; a `*` is letters and
    digits, never a dot. `http://127.0.0.1:8080/cdn` stands for what lies below it, by that
    scheme and port alone; http is for this machine only.

    Raises:
        ValueError: a beginning that is neither https nor on this machine.
    """

    def __init__(self, *allowed: str) -> None:
        names = [name for name in allowed if "://" not in name]
        escaped = (re.escape(name.lower()).replace(r"\*", _STAR) for name in names)
        self._names = re.compile("|".join(escaped))
        self._bases = [URL(base) for base in allowed if "://" in base]
        for base in self._bases:
            if base.scheme != "https" and not (base.scheme == "http" and is_loopback_url(base)):
                raise ValueError("a host of pictures must begin with https://")

    @property
    def on_this_machine(self) -> bool:
        """Whether one of them is this machine."""
        return any(is_loopback_url(base) for base in self._bases)

    def allow(self, url: URL) -> bool:
        """Tell whether `url` may be fetched; a user name in it never may."""
        if url.user is not None or url.password is not None or not url.host:
            return False
        if any(_below(url, base) for base in self._bases):
            return True
        return (
            url.scheme == "https"
            and url.port == _HTTPS_PORT
            and self._names.fullmatch(url.host) is not None
        )


def _below(url: URL, base: URL) -> bool:
    """Tell whether `url` has the scheme, host, port and path of `base`, and more path."""
    return url.origin() == base.origin() and url.path.startswith(f"{base.path.rstrip('/')}/")
