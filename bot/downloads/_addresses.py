"""Which addresses may be contacted: the part below HTTP.

Addresses come from strangers, so that a download must never reach the machine's own network.
`SocketGuard` judges the very address that a socket is about to be connected to: a name that changes
its mind between a check and the connection (DNS rebinding) has nothing to gain.
"""

import ipaddress
import socket
from functools import lru_cache
from typing import Final, TypeAlias

from yarl import URL

AddrInfo: TypeAlias = tuple[
    int | socket.AddressFamily,
    int | socket.SocketKind,
    int,
    str,
    tuple[str, int] | tuple[str, int, int, int] | tuple[int, bytes],
]
"""What `getaddrinfo` gives for one address; its last part begins with the address."""

_Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address

# RFC 6052 and RFC 3056: IPv6 addresses that a gateway turns into the IPv4 address inside them.
_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")
_NAT64_LOCAL: Final = ipaddress.IPv6Network("64:ff9b:1::/48")
_SIX_TO_FOUR: Final = ipaddress.IPv6Network("2002::/16")
_IPV4_COMPATIBLE: Final = ipaddress.IPv6Network("::/96")
_TEREDO: Final = ipaddress.IPv6Network("2001::/32")
_NOT_PUBLIC: Final = "not a public address"
_SITE_LOCAL: Final = ipaddress.IPv6Network("fec0::/10")


class AddressRefused(OSError):
    """The host is, or resolves to, an address that is not public."""


def is_public(host: str) -> bool:
    """Tell whether a literal address belongs to the public internet.

    Private, loopback, link-local, carrier-grade NAT, multicast, reserved and unspecified addresses
    don't, nor do IPv6 addresses that stand for such an IPv4 address.
    """
    address = _literal(host)
    return address is not None and _is_public(address)


@lru_cache(maxsize=256)
def _literal(host: str) -> _Address | None:
    """Read a literal address; None for a name. The same few hosts are asked for all the time."""
    try:
        return ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return None


def _is_public(address: _Address) -> bool:
    if isinstance(address, ipaddress.IPv6Address):
        if address in _TEREDO or address in _NAT64_LOCAL or address in _SITE_LOCAL:
            return False
        embedded = _embedded(address)
        if embedded is not None:
            return _is_public(embedded)
    return address.is_global and not (
        address.is_multicast
        or address.is_reserved
        or address.is_link_local
        or address.is_loopback
        or address.is_unspecified
    )


def _embedded(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address in _SIX_TO_FOUR:
        return address.sixtofour
    if address in _NAT64 or address in _IPV4_COMPATIBLE:
        return ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
    return None


def is_loopback(host: str) -> bool:
    """Tell whether a literal address is this machine's own."""
    address = _literal(host)
    return address is not None and address.is_loopback


def is_loopback_url(url: URL) -> bool:
    """Tell whether a base URL names this machine: a loopback address or `localhost`."""
    host = url.host or ""
    return host == "localhost" or is_loopback(host)


def may_connect(host: str, *, allow_loopback: bool) -> bool:
    """Tell whether a literal address may be contacted."""
    return is_public(host) or (allow_loopback and is_loopback(host))


def check_url(url: URL, *, allow_loopback: bool) -> None:
    """Refuse addresses that are wrong already as text; names are judged when they are resolved.

    Raises:
        AddressRefused: for anything but https to a public host (or http to this machine where
            that is allowed), and for addresses that carry a user name.
    """
    host = url.host
    if not host or url.user is not None or url.password is not None:
        raise AddressRefused("no plain address")
    if url.scheme != "https" and not (
        url.scheme == "http" and allow_loopback and is_loopback_url(url)
    ):
        raise AddressRefused("not https")
    if _literal(host) is not None and not may_connect(host, allow_loopback=allow_loopback):
        raise AddressRefused(_NOT_PUBLIC)


class SocketGuard:
    """Opens the sockets of a connector, and only for addresses that may be contacted.

    aiohttp connects the socket to exactly the address that it hands in here.
    """

    def __init__(self, *, allow_loopback: bool) -> None:
        self._allow_loopback = allow_loopback

    def __call__(self, addr_info: AddrInfo) -> socket.socket:
        """Open a socket. Raises AddressRefused."""
        family, kind, protocol, _, address = addr_info
        if not may_connect(str(address[0]), allow_loopback=self._allow_loopback):
            raise AddressRefused(_NOT_PUBLIC)
        return socket.socket(family=family, type=kind, proto=protocol)


def refused(error: OSError) -> bool:
    """Tell whether a connection failed because no address of the host may be contacted."""
    # Several failed addresses come as one error that joins their messages.
    return isinstance(error, AddressRefused) or _NOT_PUBLIC in str(error)
