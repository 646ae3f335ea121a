"""Sentences on pictures that people gave: why one can't be used, and what to do instead."""

from typing import Final

from bot.errors import InputUnreachable, NeedsMaskCheck, UnusableInput
from bot.images import Reason
from bot.inputs import JOB_BYTES
from cogs.ui.text import Explanation, plain

_NAME_SHOWN: Final = 80

_WHY: Final[dict[str, str]] = {
    Reason.EMPTY: "It has no bytes at all. Attach it again.",
    Reason.NOT_A_PICTURE: "It is no picture, whatever its name says. Send a JPEG, PNG or WebP.",
    Reason.UNSUPPORTED: "This format can't be read here: SVG may hold scripts, and for others, "
    "such as HEIC, the bot has no decoder. Send a JPEG, PNG or WebP instead.",
    Reason.DAMAGED: "It is damaged or cut off. Save or download it again, and attach that.",
    Reason.TOO_MANY_PIXELS: "It has more pixels than anybody can use. Make it smaller first.",
    Reason.UNSAFE: "It holds more than a picture. Export it as a PNG.",
    Reason.TOO_COSTLY: "Reading it takes too much time or memory. Save it as a plain PNG or JPEG.",
    Reason.NO_WORKER: "It could not be looked at, which is a fault of ours. Try again in a minute.",
    "no_background": ("It has no transparent background. Name another area, or attach a mask."),
    "too_large": "It is too large. Send one below 25 MB; 4,000 pixels a side are plenty.",
    "one_too_many": f"With it the pictures of this edit have more than {JOB_BYTES // 2**20} MB. "
    "Leave it out, or send smaller ones.",
    "gone": "It is not there any more. Attach it again.",
    "elsewhere": "It is not on Discord. Attach the file itself.",
}


def explain_input(error: UnusableInput) -> Explanation:
    """Name the picture and the reason."""
    name = plain(error.filename, most=_NAME_SHOWN) or "A picture"
    return Explanation(f"“{name}” can't be used", _WHY.get(error.reason, _WHY[Reason.DAMAGED]))


def explain_unreachable(error: InputUnreachable) -> Explanation:
    """Discord did not hand over a picture that it has."""
    name = plain(error.filename, most=_NAME_SHOWN) or "a picture"
    return Explanation("Discord did not send the picture", f"“{name}” did not come. Try again.")


def ask_mask(error: NeedsMaskCheck) -> Explanation:
    """Ask whether a mask that covers nothing or everything is meant so."""
    if error.covers == "nothing":
        return Explanation(
            "The mask marks nothing",
            "Nothing in the picture would change. Generate all the same, or swap what is kept and "
            "what is changed?",
        )
    return Explanation(
        "The mask marks everything",
        "The whole picture may change (it is tinted below). Generate all the same, or swap what is "
        "kept and what is changed?",
    )
