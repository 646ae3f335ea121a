"""Who a message would ping.

Source: Discord's documentation, "Allowed Mentions Object".
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pings:
    """Who is pinged; false when nobody is."""

    everyone: bool = False
    """`@everyone` or `@here`."""
    users: frozenset[int] = frozenset()
    roles: frozenset[int] = frozenset()
    replied_user: bool = False

    def __bool__(self) -> bool:
        return self.everyone or self.replied_user or bool(self.users or self.roles)


def pings(
    payload: Mapping[str, object], allowed_mentions: Mapping[str, object] | None = None
) -> Pings:
    """Tell whom a message body would ping.

    Text counts in `content` and in text displays at any depth, never in embeds or labels.
    `allowed_mentions` (default: the payload's own) filters; without any, everything pings.
    On the side of caution: a mention inside code or after a backslash counts, too.
    """
    raise NotImplementedError
