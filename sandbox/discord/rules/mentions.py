"""Who a message would ping, and which `allowed_mentions` Discord takes.

Source: Discord's documentation, "Allowed Mentions Object".
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from sandbox.discord.rules.components import displayed_texts
from sandbox.discord.rules.fields import Fields, as_list, as_object, as_snowflake

_USER: Final = re.compile(r"<@!?([0-9]{1,20})>")
_ROLE: Final = re.compile(r"<@&([0-9]{1,20})>")
_EVERYONE: Final = re.compile(r"@(?:everyone|here)")
_KINDS: Final = ("everyone", "roles", "users")
_MOST_IDS: Final = 100


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
    On the side of caution: a mention inside code or after a backslash counts, too, and so does
    everything when `allowed_mentions` names neither `parse` nor any list.
    """
    components = [each for each in as_list(payload.get("components")) if isinstance(each, dict)]
    text = "\n".join([str(payload.get("content") or ""), *displayed_texts(components)])
    users = frozenset(map(int, _USER.findall(text)))
    roles = frozenset(map(int, _ROLE.findall(text)))
    everyone = _EVERYONE.search(text) is not None
    replies = as_object(payload.get("message_reference")) is not None
    allowed = allowed_mentions
    if allowed is None:
        allowed = as_object(payload.get("allowed_mentions"))
    if allowed is None or all(allowed.get(key) is None for key in ("parse", "users", "roles")):
        replied = replies and (allowed is None or allowed.get("replied_user") is not False)
        return Pings(everyone=everyone, users=users, roles=roles, replied_user=replied)
    parse = as_list(allowed.get("parse"))
    return Pings(
        everyone=everyone and "everyone" in parse,
        users=users if "users" in parse else users & _ids(allowed, "users"),
        roles=roles if "roles" in parse else roles & _ids(allowed, "roles"),
        replied_user=replies and allowed.get("replied_user") is True,
    )


def _ids(allowed: Mapping[str, object], key: str) -> frozenset[int]:
    found = (as_snowflake(each) for each in as_list(allowed.get(key)))
    return frozenset(number for number in found if number is not None)


def check_allowed_mentions(owner: Fields) -> dict[str, object] | None:
    """Check `allowed_mentions` of a message and return it, or None when it is absent."""
    if not owner.has("allowed_mentions"):
        return None
    fields = Fields(
        owner.raw["allowed_mentions"],
        path=(*owner.path, "allowed_mentions"),
        problems=owner.problems,
    )
    parse = fields.items("parse", high=len(_KINDS))
    for index, kind in enumerate(parse):
        if kind not in _KINDS:
            fields.problems.add(
                (*fields.path, "parse", index),
                "BASE_TYPE_CHOICES",
                f"Value must be one of {_KINDS}.",
            )
    for key in ("users", "roles"):
        named = fields.items(key, high=_MOST_IDS)
        for index, each in enumerate(named):
            if as_snowflake(each) is None:
                fields.problems.add(
                    (*fields.path, key, index),
                    "NUMBER_TYPE_COERCE",
                    f'Value "{each}" is not snowflake.',
                )
        if named and key in parse:
            fields.problems.add(
                fields.path,
                "MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE",
                f'parse:["{key}"] and {key}: [ids...] are mutually exclusive.',
            )
    fields.boolean("replied_user")
    return fields.raw
