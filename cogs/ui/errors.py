"""The one place that turns a `BotError` into a sentence and a next step.

Each explanation says what happened, what it cost, and what to do next, in words of ours. Of a
server's own text at most a short, cleaned excerpt is shown.
"""

from typing import Final

from bot.cards import Failure
from bot.errors import (
    BotError,
    ChannelNotAllowed,
    InputsFull,
    InputUnreachable,
    Interrupted,
    InvalidOption,
    LedgerUnavailable,
    NeedsMaskCheck,
    NoModelAvailable,
    NotKept,
    NotYours,
    PictureLost,
    PressedAlready,
    PrivateNotAllowed,
    PromptBlocked,
    QueueFull,
    ShuttingDown,
    UnknownModel,
    UnpricedModel,
    UnsuitableModel,
    UnusableInput,
)
from bot.imagerouter import (
    BadKey,
    ChargedWithoutPicture,
    DailyFreeLimit,
    ImageRouterError,
    MalformedAnswer,
    Moderated,
    NoCredits,
    NotStarted,
    OutcomeUnknown,
    ProviderFailed,
    RateLimited,
    Refusal,
    RefusedRequest,
)
from bot.money import format_usd
from bot.outcomes import Report
from bot.policy import ModelNotAllowed
from bot.preferences import PrivateByNow
from bot.quotas import Blocked, NeedsConfirmation, Paused, PictureTooDear, QuotaExceeded
from bot.storage import ChargeState, PolicyChanged
from cogs.ui import input_errors, limits, policy_errors
from cogs.ui.text import Explanation, plain

COST_NOTHING: Final = "This cost you nothing."

_REFUSALS: Final = {
    Refusal.PROMPT_TOO_LONG: ("The prompt is too long for this model.", "Shorten it."),
    Refusal.PROMPT_UNUSABLE: (
        "The prompt has a character that can't be sent.",
        "Type it again without special characters.",
    ),
    Refusal.PROMPT_MISSING: ("This model needs a prompt.", "Say what you would like to see."),
    Refusal.SIZE: ("This model can't make pictures of that size.", "Try `auto`."),
    Refusal.QUALITY: ("This model has no such quality setting.", "Try `auto`."),
    Refusal.FORMAT: ("This model can't answer in that format.", "Try another format."),
    Refusal.UNKNOWN_MODEL: ("ImageRouter does not have this model any more.", "Pick another one."),
    Refusal.NO_IMAGE_INPUT: ("This model takes no pictures.", "Pick one that can edit."),
    Refusal.MASK_UNSUPPORTED: ("This model takes no mask.", "Pick one that does."),
    Refusal.TOO_MANY_IMAGES: ("That is more pictures than this model takes.", "Send fewer."),
    Refusal.NEEDS_IMAGE: (
        "This model needs a picture to work on.",
        "Give it one with `/edit`, or pick another model.",
    ),
    Refusal.FILE_TOO_LARGE: ("A file is too large.", "Send a smaller one, below 25 MB."),
    Refusal.FILE_UNREADABLE: ("A file is no picture that the model can read.", "Send another."),
    Refusal.REQUEST_TOO_LARGE: ("That is more than can be sent at once.", "Shorten the prompt."),
    Refusal.OTHER: ("The model refused this request.", "Change the options or the model."),
}


_LACKS: Final = {
    "edit": "makes pictures from words alone, and takes none",
    "mask": "takes no mask, and can't change a part alone",
    "images": "takes one picture only",
    "text": "needs a picture to work on: give it one with `/edit`",
}

_FAULT: Final = Explanation("Something broke", "It is in the log, and it is our fault. Try again.")

_PLAIN: Final[dict[type[BotError], Explanation]] = {
    NoModelAvailable: Explanation("No model can do this", "Ask for less, or try again later."),
    NotKept: Explanation(
        "That is not kept any more",
        "The button is too old, or the prompt was private. Type the command again.",
    ),
    NotYours: Explanation(
        "That button is for somebody else", "Type `/imagine` for a picture of your own."
    ),
    PressedAlready: Explanation(
        "You pressed this already",
        "It runs once, and you are told what came of it. For another, type `/imagine`.",
    ),
    PrivateByNow: Explanation(
        "Your pictures are private by now",
        "You have just set so in `/settings`, and this would have been public. Run it again.",
    ),
    PrivateNotAllowed: policy_errors.PRIVATE_NOT_ALLOWED,
    PolicyChanged: policy_errors.POLICY_CHANGED,
    ShuttingDown: Explanation(
        "Restarted", "The bot was restarted before this was sent. Run it again."
    ),
    Interrupted: Explanation(
        "Restarted", "The bot was restarted while it fetched your pictures. Run it again."
    ),
    PictureLost: Explanation(
        "Your private picture is lost",
        "It was made, but the bot was interrupted before it could be sent, and private pictures "
        "are never kept.",
    ),
    InputsFull: Explanation(
        "Too many pictures wait to be edited just now", "Try again in a few minutes."
    ),
    LedgerUnavailable: Explanation(
        "The books can't be written just now",
        "Without them nothing is generated. Try again in a few minutes.",
    ),
    BadKey: Explanation("Pictures are paused", "The owner knows. Try again later."),
    NoCredits: Explanation("Pictures are paused", "The owner knows. Try again later."),
    DailyFreeLimit: Explanation(
        "The free pictures of today are used up",
        "Free models allow 50 requests a day for everybody together. Take a paid model, or come "
        "back tomorrow.",
    ),
    NotStarted: Explanation("ImageRouter can't be reached", "Try again in a few minutes."),
    OutcomeUnknown: Explanation(
        "Nobody knows how this ended",
        "The request was sent, and no answer came. It may have been charged, so what it costs at "
        "most is kept aside for 15 minutes and then counted.",
    ),
    MalformedAnswer: Explanation(
        "Nobody knows how this ended",
        "The request was sent, and the answer made no sense. It may have been charged, so what it "
        "costs at most is kept aside for 15 minutes and then counted.",
    ),
}
"""What needs no figure and no name."""

_SAID: Final[dict[type[ImageRouterError], Explanation]] = {
    Moderated: Explanation(
        "Refused by the provider's rules",
        "A safety filter stopped this. Change the prompt and try again.",
    ),
    ProviderFailed: Explanation("The model failed", "Its provider is down or overloaded just now."),
    ChargedWithoutPicture: Explanation(
        "Charged, but no picture came",
        "The provider took the money and sent nothing. The owner can claim it back.",
    ),
}
"""What is followed by the server's own words, where there are any."""


def explain(error: BotError | None) -> Explanation:
    """Return the sentence and the next step for `error`; None is a fault without a name."""
    if error is None:
        return _FAULT
    if (plainly := _PLAIN.get(type(error))) is not None:
        return plainly
    if isinstance(error, ImageRouterError):
        return _explain_upstream(error)
    return _explain_request(error)


def _explain_request(error: BotError) -> Explanation:
    match error:
        case InvalidOption():
            return Explanation(
                f"`{error.option}` can't be used like that", f"It takes {error.hint}."
            )
        case UnknownModel():
            name = plain(error.name, most=80)
            todo = "Did you mean one of these?" if error.suggestions else "Pick one from the list."
            return Explanation("No such model", f"There is no model “{name}”. {todo}")
        case UnsuitableModel():
            lacks = _LACKS.get(error.ability, f"has no {error.ability} support")
            return Explanation("This model can't do that", f"{plain(error.model)} {lacks}.")
        case UnpricedModel():
            return Explanation(
                "Nobody knows what this model costs",
                f"ImageRouter names no highest price for {plain(error.model)}, so it isn't run. "
                "Pick another one.",
            )
        case QueueFull():
            return Explanation(
                "Too many pictures are waiting",
                f"{_jobs_wait(error.waiting)} Try again in a minute.",
            )
        case UnusableInput():
            return input_errors.explain_input(error)
        case InputUnreachable():
            return input_errors.explain_unreachable(error)
        case NeedsMaskCheck():
            return input_errors.ask_mask(error)
        case _:
            return _explain_limit(error)


def _explain_limit(error: BotError) -> Explanation:
    match error:
        case QuotaExceeded():
            return limits.explain_exceeded(error)
        case PictureTooDear():
            return limits.explain_too_dear(error)
        case Blocked():
            return limits.explain_blocked(error)
        case Paused():
            return limits.explain_paused(error)
        case NeedsConfirmation():
            return limits.ask_confirmation(error)
        case _:
            return _explain_policy(error)


def _explain_policy(error: BotError) -> Explanation:
    match error:
        case ModelNotAllowed():
            return policy_errors.explain_model(error)
        case ChannelNotAllowed():
            return policy_errors.explain_channel(error)
        case PromptBlocked():
            return policy_errors.explain_prompt(error)
        case _:
            return _FAULT


def _jobs_wait(waiting: int) -> str:
    match waiting:
        case 0:
            return "Every place is taken, and nobody may wait."
        case 1:
            return "One job waits already, and no more may."
        case _:
            return f"{waiting} jobs wait already, and no more may."


def _explain_upstream(error: ImageRouterError) -> Explanation:
    said = f"\n-# The provider said: {plain(error.excerpt, most=200)}" if error.excerpt else ""
    match error:
        case RefusedRequest():
            what, todo = _REFUSALS[error.reason]
            return Explanation("The model can't do this", f"{what} {todo}{said}")
        case RateLimited():
            wait = max(1, round(error.retry_after))
            return Explanation(
                "ImageRouter is very busy",
                f"It asks for a pause. Try again in {wait} s.",
            )
        case _:
            told = _SAID.get(type(error))
            if told is None:
                return Explanation("The model failed", f"Try again, or take another model.{said}")
            return Explanation(told.title, told.body + said)


def tell_cost(report: Report | None) -> str:
    """Say what a job without pictures cost."""
    if report is None:
        return COST_NOTHING
    told = []
    if report.cost:
        told.append(f"This cost {format_usd(report.cost)}.")
    if report.uncertain:
        told.append(f"Outcome unknown; up to {format_usd(report.uncertain)} counts against you.")
    return " ".join(told) or ("Restarted; this cost nothing." if report.restarted else COST_NOTHING)


def tell_missing(report: Report) -> str:
    """Say what the pictures that did not come cost; nothing while nobody knows."""
    failed = report.failed_parts
    what = "The missing one" if len(failed) == 1 else f"The missing {len(failed)}"
    cost = sum(part.actual for part in failed if part.state is ChargeState.SETTLED)
    if cost:
        return f"{what} cost {format_usd(cost)} all the same. "
    if all(part.state is ChargeState.RELEASED for part in failed):
        return f"{what} cost nothing. "
    return ""


def explain_failure(card: Failure) -> Explanation:
    """Return what is said of a job or a request that brought no picture."""
    report = card.report
    lost = isinstance(card.error, PictureLost)
    if report is not None and report.restarted and report.uncertain and not lost:
        return Explanation("Restarted", "The bot was restarted while the request was on its way.")
    if report is None and isinstance(card.error, ShuttingDown):
        return Explanation(
            "The bot is restarting", "It takes nothing new meanwhile. Run it again in a minute."
        )
    return explain(card.error)
