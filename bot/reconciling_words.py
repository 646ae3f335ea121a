"""What is said of a comparison with ImageRouter, in Discord and in a terminal alike.

Both say it in the same sentences; a `Voice` says moments, places and names in its own way.
"""

from collections.abc import Callable, Iterator
from typing import Final

from msgspec import Struct

from bot.money import format_usd
from bot.reconciling import UNIT, Beginning, CannotReconcile, Finding, Obstacle, Verdict
from bot.storage import WHOLE_ACCOUNT, ChargeState, Check, Doubtful

_MOST_KEYS: Final = 10

_OBSTACLES: Final = {
    Obstacle.UNREACHABLE: "ImageRouter could not be asked just now. Try again in a few minutes.",
    Obstacle.BAD_KEY: (
        "ImageRouter refuses the key. Make a new one at https://imagerouter.io/api-keys, put it "
        "into IMAGEROUTER_API_KEY and restart the bot."
    ),
    Obstacle.NO_USAGE: "ImageRouter's answer does not say how much has been used.",
}


class Voice(Struct, frozen=True):
    """How moments (epoch ms), guilds (0: none), others' words, and commands are written."""

    when: Callable[[int], str]
    place: Callable[[int], str]
    safe: Callable[[str], str]
    command: Callable[[str], str]


class Told(Struct, frozen=True):
    """What is said of a comparison."""

    title: str
    facts: tuple[str, ...]
    reasons: tuple[str, ...] = ()
    """What could explain a difference."""
    charges: tuple[str, ...] = ()
    """A line for each charge that is worth a look."""
    advice: tuple[str, ...] = ()


def tell(found: Finding, voice: Voice) -> Told:
    """Say what a comparison came to."""
    if found.beginning is not None:
        return Told(_BEGUN[found.beginning], (*_begun(found, voice), *_in_flight(found)))
    is_listed = found.drift or found.now.ledger.unknown_charges
    return Told(
        _title(found),
        facts=(*_compared(found, voice), *_in_flight(found)),
        reasons=tuple(_reasons(found)) if found.drift else (),
        charges=tuple(_charge(each, voice) for each in found.doubts.listed) if is_listed else (),
        advice=tuple(_advice(found, voice)),
    )


def tell_obstacle(error: CannotReconcile, voice: Voice) -> str:
    """Say why nothing could be compared."""
    if error.obstacle is Obstacle.WHICH_KEY:
        return (
            "This ImageRouter account has several keys, and ImageRouter does not say which one is "
            f"the bot's. Say it once, with {voice.command('key')}: {_keys(error, voice)}."
        )
    if error.obstacle is Obstacle.NO_SUCH_KEY:
        there_are = f"There are {_keys(error, voice)}." if error.keys else "It names none."
        return f"No single key of this ImageRouter account is called so. {there_are}"
    return _OBSTACLES[error.obstacle]


def _keys(error: CannotReconcile, voice: Voice) -> str:
    """List keys by their names, with the id where two have the same."""
    names = [key.name for key in error.keys]
    told = [
        voice.safe(key.id if not key.name or names.count(key.name) > 1 else key.name)
        for key in error.keys[:_MOST_KEYS]
    ]
    more = len(error.keys) - len(told)
    return ", ".join(told) + (f" and {more} more" if more > 0 else "")


_BEGUN: Final = {
    Beginning.FIRST: "A first reading of the books",
    Beginning.OTHER_KEY: "Another key, another beginning",
    Beginning.WENT_DOWN: "ImageRouter counts anew",
    Beginning.WANTED: "Begun anew",
}


def _begun(found: Finding, voice: Voice) -> Iterator[str]:
    match found.beginning, found.last:
        case Beginning.WENT_DOWN, Check() as last:
            yield (
                f"ImageRouter said that {format_usd(last.used)} had been used by "
                f"{voice.when(last.checked_ms)}, and now it says less, so it has begun to count "
                "anew. What happened in between can't be compared."
            )
        case Beginning.OTHER_KEY, Check() as last:
            yield (
                f"The check before this one, {voice.when(last.checked_ms)}, was about another key. "
                "What happened in between can't be compared."
            )
        case Beginning.WANTED, Check() if found.drift:
            yield f"A difference of {format_usd(abs(found.drift))} is left as it is."
        case _:
            pass
    yield (
        f"ImageRouter says that {format_usd(found.now.used)} has been used {_by(found, voice)}; "
        f"the ledger counts {format_usd(found.now.ledger.recorded)} in all."
    )
    yield "Later checks compare what is added to both from here on."


def _by(found: Finding, voice: Voice) -> str:
    if found.now.key_id == WHOLE_ACCOUNT:
        return "by the whole account (it tells no keys apart)"
    return f"with the key {voice.safe(found.key_name or found.now.key_id)}"


def _title(found: Finding) -> str:
    match found.verdict:
        case Verdict.AGREES:
            return "The books agree"
        case Verdict.ROUNDED:
            return "The books agree, but for rounding"
        case Verdict.EXPLAINABLE | Verdict.UNEXPLAINED:
            return f"The books differ by {format_usd(abs(found.drift))}"


def _compared(found: Finding, voice: Voice) -> Iterator[str]:
    base, last = found.base, found.last
    if base is None or last is None:
        return
    yield (
        f"Since the first reading, {voice.when(base.checked_ms)}, ImageRouter has charged "
        f"{format_usd(found.charged)} {_by(found, voice)}, and the ledger has counted "
        f"{format_usd(found.recorded)}."
    )
    if found.drift > 0:
        yield f"So {format_usd(found.drift)} was charged that the ledger does not count."
    elif found.drift < 0:
        yield f"So the ledger counts {format_usd(-found.drift)} that ImageRouter did not charge."
    if last.checked_ms != base.checked_ms and (found.drift or found.came):
        came = format_usd(abs(found.came))
        way = "more" if found.came > 0 else "less"
        change = f"{came} {way} was charged than counted" if found.came else "nothing has changed"
        yield f"Since the last check, {voice.when(last.checked_ms)}, {change}."


def _in_flight(found: Finding) -> Iterator[str]:
    ledger = found.now.ledger
    if ledger.open_charges:
        are = "charge is" if ledger.open_charges == 1 else "charges are"
        yield (
            f"{ledger.open_charges} {are} open just now, up to {format_usd(ledger.open_amount)}: "
            "ImageRouter may have charged that already. A check when nothing runs is exact."
        )
    if found.now.moved:
        yield (
            f"While ImageRouter was asked, the ledger recorded {format_usd(found.now.moved)}, "
            "which may be missing on the other side."
        )


def _reasons(found: Finding) -> Iterator[str]:
    doubts, ledger = found.doubts, found.now.ledger
    if ledger.unknown_charges:
        yield (
            f"{_count(ledger.unknown_charges, 'unknown outcome')}, up to "
            f"{format_usd(ledger.unknown_amount)}: perhaps charged, and not counted yet"
        )
    if doubts.presumed_charges:
        yield (
            f"{_count(doubts.presumed_charges, 'presumed outcome')}, "
            f"{format_usd(doubts.presumed)}: counted without an answer; less or nothing may have "
            "been charged"
        )
    if doubts.late_charges:
        yield (
            f"{_count(doubts.late_charges, 'late truth')}: a cost that became known after its "
            "charge had been given up"
        )
    if doubts.overruns:
        yield (
            f"{_count(doubts.overruns, 'overrun')}, {format_usd(doubts.overrun)} above what was "
            "held; the ledger has them in full"
        )
    base = found.base
    if base is not None and base.ledger.unsettled:
        many = base.ledger.open_charges + base.ledger.unknown_charges
        yield (
            f"{_count(many, 'charge')} without an outcome at the first reading, up to "
            f"{format_usd(base.ledger.unsettled)}: perhaps charged before it, and counted after it"
        )
    if found.drift > 0 and found.rounding:
        yield (
            f"rounding, up to {format_usd(found.rounding)}: ImageRouter takes whole units of "
            f"{format_usd(UNIT)}, and {_count(doubts.paid_charges, 'charge')} cost something"
        )


def _advice(found: Finding, voice: Voice) -> Iterator[str]:
    if found.verdict is Verdict.UNEXPLAINED:
        amount = format_usd(found.unexplained)
        if found.drift > 0:
            dear = " Or did an unknown outcome cost more than was held for it?"
            yield (
                f"At least {amount} is explained by no charge of this bot. Does anything else use "
                f"this key?{dear if found.now.ledger.unknown_charges else ''}"
            )
        else:
            yield (
                f"At least {amount} is explained by no charge of this bot. Did ImageRouter give "
                "money back? Or does another process of this bot use another key?"
            )
    if found.verdict in {Verdict.EXPLAINABLE, Verdict.UNEXPLAINED}:
        yield (
            "If ImageRouter's list of requests tells what one of these did cost, record it with "
            f"{voice.command('/operator settle')}. A rest that stays is left behind by "
            f"{voice.command('/operator reconcile')} with {voice.command('anew')}."
        )


def _charge(each: Doubtful, voice: Voice) -> str:
    match each.state:
        case ChargeState.UNKNOWN:
            amount = f"up to {format_usd(each.held)}"
        case ChargeState.PRESUMED:
            amount = f"counted as {format_usd(each.held)}"
        case _ if each.prior in {ChargeState.PRESUMED, ChargeState.RELEASED}:
            amount = f"{format_usd(each.actual or 0)}, first {each.prior.value}"
        case _:
            amount = f"{format_usd(each.actual or 0)}, {format_usd(each.overrun)} above its hold"
    told = (each.state.value, amount, voice.safe(each.model), voice.place(each.guild_id))
    return f"{each.charge_id} {' · '.join(told)} · {voice.when(each.created_ms)}"


def _count(many: int, what: str) -> str:
    return f"{many} {what}{'' if many == 1 else 's'}"
