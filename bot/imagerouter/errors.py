"""What can go wrong with ImageRouter, and what each failure means for the ledger.

    ImageRouterError                billing, cost_micros, excerpt
    ├── BadKey                      the key is missing, wrong or switched off      (the operator)
    ├── NoCredits                   the account cannot pay for this model          (the operator)
    ├── RefusedRequest              this request cannot work; `reason`, `param`    (the person)
    ├── Moderated                   a provider's rules refused prompt or picture   (the person)
    ├── RateLimited                 too many requests; `retry_after` seconds       (try later)
    ├── DailyFreeLimit              the 50 free requests of the day are used       (another model)
    ├── ProviderFailed              a provider said no; `busy` when overloaded     (another model)
    ├── NotStarted                  the request certainly did not begin            (try later)
    ├── OutcomeUnknown              it was sent, and nobody knows how it ended     (wait)
    ├── MalformedAnswer             an answer came that makes no sense             (wait)
    ├── ChargedWithoutPicture       the money is gone, and no picture came         (say so)
    └── DownloadError               a finished picture could not be fetched        (never money)
        ├── DownloadRefused         the address is one that we never contact
        └── DownloadTooLarge        more than `limit` bytes

Who catches them: `bot.generation` reads `billing`; `cogs/ui/errors.py` writes the sentence.
No error carries the API key, a URL, or the server's text beyond `excerpt`.
"""

from enum import StrEnum
from typing import Final

from bot.errors import BotError
from bot.money import Micros

_RETRY_AFTER_S: Final = 5.0
"""For a 429 that does not say when to come back."""


class Billing(StrEnum):
    """What the ledger does with the charge."""

    FREE = "free"
    """It cost nothing: release."""
    UNKNOWN = "unknown"
    """It may have cost something, or did and the amount is not known: mark it unknown."""
    CHARGED = "charged"
    """It cost `cost_micros`: settle with that."""


class Refusal(StrEnum):
    """Why a request cannot work; the ones about images teach the catalogue what a model can do."""

    PROMPT_TOO_LONG = "prompt_too_long"
    PROMPT_UNUSABLE = "prompt_unusable"
    """A NUL or a lone surrogate."""
    PROMPT_MISSING = "prompt_missing"
    SIZE = "size"
    QUALITY = "quality"
    FORMAT = "format"
    UNKNOWN_MODEL = "unknown_model"
    NO_IMAGE_INPUT = "no_image_input"
    """The model takes no image at all."""
    MASK_UNSUPPORTED = "mask_unsupported"
    TOO_MANY_IMAGES = "too_many_images"
    """More images than this model takes (often one), or more than 16."""
    NEEDS_IMAGE = "needs_image"
    FILE_TOO_LARGE = "file_too_large"
    FILE_UNREADABLE = "file_unreadable"
    """The server could not read an input picture, or it was empty."""
    REQUEST_TOO_LARGE = "request_too_large"
    OTHER = "other"


class ImageRouterError(BotError):
    """Base of the tree.

    `cost_micros` is set when `billing` is CHARGED. `excerpt` is at most about 160 characters of the
    server's own words without URLs, markup, mentions and anything like a key; often empty.
    """

    billing: Billing = Billing.FREE

    def __init__(
        self,
        detail: str = "",
        *,
        excerpt: str = "",
        billing: Billing | None = None,
        cost_micros: Micros | None = None,
    ) -> None:
        super().__init__(detail or excerpt or type(self).__name__)
        self.excerpt = excerpt
        self.cost_micros = cost_micros
        if cost_micros is not None and cost_micros > 0:
            self.billing = Billing.CHARGED
        elif billing is not None:
            self.billing = billing


class BadKey(ImageRouterError):
    """The API key is missing, wrong, or its account is switched off."""


class NoCredits(ImageRouterError):
    """The account's balance does not cover this model's highest price.

    `free_model`: the model itself is free, yet ImageRouter wants a balance for using it.
    """

    def __init__(self, detail: str = "", *, excerpt: str = "", free_model: bool = False) -> None:
        super().__init__(detail, excerpt=excerpt)
        self.free_model = free_model


class RefusedRequest(ImageRouterError):
    """This request cannot work as it is. `param` is the field's name where it is known."""

    def __init__(
        self,
        reason: Refusal,
        *,
        detail: str = "",
        excerpt: str = "",
        param: str | None = None,
        cost_micros: Micros | None = None,
    ) -> None:
        super().__init__(detail or reason.value, excerpt=excerpt, cost_micros=cost_micros)
        self.reason = reason
        self.param = param


class Moderated(ImageRouterError):
    """The rules of ImageRouter or of a provider refused the prompt, an input or the result."""


class RateLimited(ImageRouterError):
    """Too many requests; nothing was started. `retry_after` is in seconds.

    `is_timed`: the answer itself says when to come back; else that is a guess.
    """

    def __init__(self, *, retry_after: float | None, excerpt: str = "") -> None:
        self.is_timed = retry_after is not None
        self.retry_after = retry_after or _RETRY_AFTER_S
        super().__init__(f"rate limited for {self.retry_after:g} s", excerpt=excerpt)


class DailyFreeLimit(ImageRouterError):
    """The day's requests to `:free` models are used up; trying again today is no use."""


class ProviderFailed(ImageRouterError):
    """The provider behind the model failed. `busy`: it is overloaded, so later may work."""

    def __init__(
        self,
        detail: str = "",
        *,
        excerpt: str = "",
        cost_micros: Micros | None = None,
        busy: bool = False,
    ) -> None:
        super().__init__(detail, excerpt=excerpt, cost_micros=cost_micros)
        self.busy = busy


class NotStarted(ImageRouterError):
    """ImageRouter was not reached, or a proxy before it answered: certainly nothing began."""


class OutcomeUnknown(ImageRouterError):
    """The request went out and no whole answer came back: it may have been charged."""

    billing = Billing.UNKNOWN


class MalformedAnswer(ImageRouterError):
    """A whole answer came, and it is neither an error nor a result.

    UNKNOWN for generations and edits; FREE for questions that never cost anything.
    """

    billing = Billing.UNKNOWN


class ChargedWithoutPicture(ImageRouterError):
    """The server took the money and sent no usable picture.

    CHARGED when it said how much; UNKNOWN when it only let out that the money is gone.
    """

    billing = Billing.UNKNOWN


class DownloadError(ImageRouterError):
    """A picture could not be fetched. Its cost is settled already: a download is never billed."""


class DownloadRefused(DownloadError):
    """The address is not https, not public, or no address at all; nothing was sent there."""


class DownloadTooLarge(DownloadError):
    """The picture has more than `limit` bytes."""

    def __init__(self, *, limit: int) -> None:
        super().__init__(f"more than {limit} bytes")
        self.limit = limit
