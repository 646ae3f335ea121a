"""The errors that people may meet. They carry data; `cogs/ui/errors.py` alone writes sentences.

BotError
├── RequestError                the person can mend it; nothing was sent, nothing was charged
│   ├── InvalidOption           an option's value cannot work
│   ├── UnknownModel            no such model; carries the nearest names
│   ├── UnsuitableModel         the model cannot do this; carries models that can
│   ├── UnpricedModel           nobody knows what it costs at most, so it is not run
│   ├── NoModelAvailable        the catalogue has no model that can do the job
│   ├── UnusableInput           a picture that was given can't be used; carries which and why
│   ├── NeedsMaskCheck          the mask covers nothing or everything; carries how that looks
│   ├── NotKept                 what a button would run is not kept any more
│   ├── NotYours                a button that was offered to somebody else
│   ├── QuotaExceeded           a limit would be passed; carries which one (bot.quotas)
│   ├── PictureTooDear          one picture may cost more than a limit allows (bot.quotas)
│   ├── ModelNotAllowed         the guild keeps this model from this person or place (bot.policy)
│   ├── ChannelNotAllowed       the guild has pictures made in other channels
│   ├── PrivateNotAllowed       the guild has switched private results off
│   ├── PromptBlocked           the prompt has words that the guild or the operator blocks
│   ├── PrivateByNow            answered in public, and should not have been (bot.preferences)
│   ├── Blocked                 an admin has blocked this member in this guild (bot.quotas)
│   ├── Paused                  nothing new is made, in this guild or anywhere (bot.quotas)
│   ├── NeedsConfirmation       it may cost more than may be spent unasked (bot.quotas)
│   └── PressedAlready          the button was pressed before, and its job runs once
├── ShuttingDown                the bot takes no new jobs just now
├── Interrupted                 its process ended while the pictures for it were fetched
├── QueueFull                   more jobs wait than the bot accepts
├── InputUnreachable            Discord did not hand over a picture that it has
├── InputsFull                  there is no room for more pictures that wait to be edited
├── LedgerUnavailable           the database cannot record money, so nothing is generated
├── PictureLost                 a private picture was made, and its process ended before sending it
├── PictureError                bytes that are no usable picture (bot.images)
└── ImageRouterError            the tree in bot.imagerouter.errors
"""

from collections.abc import Sequence
from typing import Literal


class BotError(Exception):
    """Base of every error that has a sentence of its own."""


class RequestError(BotError):
    """The request cannot work as it is; it cost nothing."""


class InvalidOption(RequestError):
    """`value` cannot be used for `option`; `hint` says in a few words what can."""

    def __init__(self, option: str, value: str, hint: str) -> None:
        super().__init__(f"{option}: {hint}")
        self.option = option
        self.value = value
        self.hint = hint


class UnknownModel(RequestError):
    """The catalogue has no model of that name; `suggestions` are the nearest ids, best first."""

    def __init__(self, name: str, suggestions: Sequence[str] = ()) -> None:
        super().__init__(name)
        self.name = name
        self.suggestions = tuple(suggestions)


class UnsuitableModel(RequestError):
    """`model` lacks `ability` (`edit`, `mask`, `size`, ...); `alternatives` have it."""

    def __init__(self, model: str, ability: str, alternatives: Sequence[str] = ()) -> None:
        super().__init__(f"{model} lacks {ability}")
        self.model = model
        self.ability = ability
        self.alternatives = tuple(alternatives)


class UnpricedModel(RequestError):
    """The catalogue names no highest price for `model`, and the operator set none."""

    def __init__(self, model: str) -> None:
        super().__init__(model)
        self.model = model


class NoModelAvailable(RequestError):
    """No model in the catalogue can do this job."""


class UnusableInput(RequestError):
    """The picture `filename` can't be used.

    `reason` is a `bot.images.Reason`, or `too_large`, `one_too_many` (the others of its job leave
    no room for it), `gone` (its link is dead, and nothing renews it) or `elsewhere` (it is not on
    Discord's hosts).
    """

    def __init__(self, filename: str, reason: str) -> None:
        super().__init__(reason)
        self.filename = filename
        self.reason = reason


class NeedsMaskCheck(RequestError):
    """The mask covers `nothing` or `everything`, so the person is asked.

    `preview` is the picture with the area tinted: the bytes of a WebP or PNG.
    """

    def __init__(self, covers: Literal["nothing", "everything"], preview: bytes) -> None:
        super().__init__(covers)
        self.covers = covers
        self.preview = preview


class ChannelNotAllowed(RequestError):
    """Pictures are made in `channels` only (ids of the guild's)."""

    def __init__(self, channels: Sequence[int]) -> None:
        super().__init__()
        self.channels = tuple(channels)


class PrivateNotAllowed(RequestError):
    """The guild has every result shown in its channel."""


class PromptBlocked(RequestError):
    """`found` is what the prompt says and may not, as the person wrote it.

    `by_operator`: the operator's own list has it; else the guild's.
    """

    def __init__(self, found: str, *, by_operator: bool) -> None:
        super().__init__("a blocked prompt")  # never the words: errors may be logged
        self.found = found
        self.by_operator = by_operator


class NotKept(RequestError):
    """What the button would run has expired, or was private and the bot has restarted."""


class NotYours(RequestError):
    """The button was offered to another person."""


class PressedAlready(RequestError):
    """The same button was pressed before; its job runs once."""


class ShuttingDown(BotError):
    """The bot is stopping and takes no new jobs."""


class Interrupted(BotError):
    """The bot ended before the job was there; a later process tells."""


class QueueFull(BotError):
    """`waiting` jobs wait already, as many as the bot accepts."""

    def __init__(self, waiting: int) -> None:
        super().__init__(str(waiting))
        self.waiting = waiting


class InputUnreachable(BotError):
    """Discord did not hand over the picture `filename`; trying again may work."""

    def __init__(self, filename: str) -> None:
        super().__init__(filename)
        self.filename = filename


class InputsFull(BotError):
    """As many pictures wait to be edited as the bot has room for, or its disk is full."""


class LedgerUnavailable(BotError):
    """The database did not take the record, so nothing may be spent."""


class PictureLost(BotError):
    """The picture was made, and is nowhere: private ones are never kept."""


class PictureError(BotError):
    """The bytes are no picture that can be used."""
