"""Every limit, exactly: what has it is taken, and one more is refused."""

from collections.abc import Callable

import pytest

from sandbox.discord.rules import (
    InvocationError,
    Route,
    RuleViolation,
    Upload,
    check_choices,
    check_command,
    check_invocation,
    check_message,
    check_modal,
    check_modal_submission,
)

Json = dict[str, object]
Make = Callable[[int], object]
V2 = 1 << 15


def message(payload: Json) -> object:
    return check_message(payload, route=Route.CHANNEL, uploads=[Upload(0, "a.png", 1)])


def layout(*components: Json) -> object:
    return message({"flags": V2, "components": [*components]})


def row(component: Json) -> object:
    return layout({"type": 1, "components": [component]})


def button(**fields: object) -> object:
    return row({"type": 2, "style": 1, "label": "Go", "custom_id": "go", **fields})


def link(url: str) -> object:
    return row({"type": 2, "style": 5, "label": "Go", "url": url})


def select(**fields: object) -> object:
    return row({"type": 3, "custom_id": "s", "options": options(1), **fields})


def options(number: int, **fields: object) -> list[Json]:
    return [{"label": f"{n}", "value": f"{n}", **fields} for n in range(number)]


def media(url: str, **fields: object) -> object:
    return layout({"type": 12, "items": [{"media": {"url": url}, **fields}]})


def embed(**fields: object) -> object:
    return message({"embeds": [fields]})


def texts(number: int) -> list[Json]:
    return [{"type": 10, "content": f"{n}"} for n in range(number)]


def modal(component: Json, **fields: object) -> Json:
    labelled = {"type": 18, "label": "L", "component": component, **fields}
    return check_modal({"custom_id": "m", "title": "T", "components": [labelled]})


def typed(**fields: object) -> Json:
    return modal({"type": 4, "style": 1, "custom_id": "t", **fields})


def form(**fields: object) -> object:
    component = {"type": 18, "label": "L", "component": {"type": 23, "custom_id": "c"}}
    return check_modal({"custom_id": "m", "title": "T", "components": [component], **fields})


def command(**fields: object) -> Json:
    return check_command({"name": "c", "description": "d", **fields})


def option(kind: int = 3, **fields: object) -> Json:
    return command(options=[{"type": kind, "name": "o", "description": "d", **fields}])


def url(length: int) -> str:
    return "https://example.com/".ljust(length, "x")


LIMITS: dict[str, tuple[int, Make]] = {
    "content": (2000, lambda n: message({"content": "x" * n})),
    "nonce": (25, lambda n: message({"content": "x", "nonce": "x" * n})),
    "stickers": (3, lambda n: message({"content": "x", "sticker_ids": [*range(n)]})),
    "mentioned users": (
        100,
        lambda n: message({"content": "x", "allowed_mentions": {"users": [*range(n)]}}),
    ),
    "attachments' description": (
        1024,
        lambda n: message({"attachments": [{"id": 0, "description": "x" * n}]}),
    ),
    "attachments' name": (
        1024,
        lambda n: message({"attachments": [{"id": 0, "filename": "x" * n}]}),
    ),
    "embeds": (10, lambda n: message({"embeds": [{"title": "t"}] * n})),
    "embed title": (256, lambda n: embed(title="x" * n)),
    "embed description": (4096, lambda n: embed(description="x" * n)),
    "embed fields": (25, lambda n: embed(fields=[{"name": "n", "value": "v"}] * n)),
    "embed field name": (256, lambda n: embed(fields=[{"name": "x" * n, "value": "v"}])),
    "embed field value": (1024, lambda n: embed(fields=[{"name": "n", "value": "x" * n}])),
    "embed footer": (2048, lambda n: embed(footer={"text": "x" * n})),
    "embed author": (256, lambda n: embed(author={"name": "x" * n})),
    "embed url": (2048, lambda n: embed(title="t", url=url(n))),
    "embed color": (0xFFFFFF, lambda n: embed(title="t", color=n)),
    "component id": (2**31 - 1, lambda n: layout({"type": 10, "content": "x", "id": n})),
    "custom id": (100, lambda n: button(custom_id="x" * n)),
    "button label": (80, lambda n: button(label="x" * n)),
    "emoji name": (32, lambda n: button(emoji={"id": "1", "name": "x" * n})),
    "button url": (512, lambda n: link(url(n))),
    "media url": (2048, lambda n: media(url(n))),
    "media description": (1024, lambda n: media(url(30), description="x" * n)),
    "gallery": (10, lambda n: layout({"type": 12, "items": [{"media": {"url": url(30)}}] * n})),
    "section": (
        3,
        lambda n: layout(
            {
                "type": 9,
                "components": texts(n),
                "accessory": {"type": 11, "media": {"url": url(30)}},
            }
        ),
    ),
    "container": (39, lambda n: layout({"type": 17, "components": texts(n)})),
    "accent color": (
        0xFFFFFF,
        lambda n: layout({"type": 17, "components": texts(1), "accent_color": n}),
    ),
    "placeholder": (150, lambda n: select(placeholder="x" * n)),
    "select options": (25, lambda n: select(options=options(n))),
    "select values": (25, lambda n: select(options=options(25), max_values=n)),
    "option label": (100, lambda n: select(options=options(1, label="x" * n))),
    "option value": (100, lambda n: select(options=options(1, value="x" * n))),
    "option description": (100, lambda n: select(options=options(1, description="x" * n))),
    "modal title": (45, lambda n: form(title="x" * n)),
    "modal custom id": (100, lambda n: form(custom_id="x" * n)),
    "modal components": (5, lambda n: form(components=texts(n))),
    "modal text": (4000, lambda n: form(components=[{"type": 10, "content": "x" * n}])),
    "label": (45, lambda n: modal({"type": 23, "custom_id": "c"}, label="x" * n)),
    "label description": (
        100,
        lambda n: modal({"type": 23, "custom_id": "c"}, description="x" * n),
    ),
    "text placeholder": (100, lambda n: typed(placeholder="x" * n)),
    "text length": (4000, lambda n: typed(max_length=n)),
    "text value": (4000, lambda n: typed(value="x" * n)),
    "text typed": (4000, lambda n: check_modal_submission(typed(), {"t": "x" * n})),
    "files": (10, lambda n: modal({"type": 19, "custom_id": "f", "max_values": n})),
    "radio options": (10, lambda n: modal({"type": 21, "custom_id": "r", "options": options(n)})),
    "checkbox options": (
        10,
        lambda n: modal({"type": 22, "custom_id": "r", "options": options(n)}),
    ),
    "command name": (32, lambda n: command(name="x" * n)),
    "menu name": (32, lambda n: check_command({"type": 2, "name": "x" * n})),
    "command description": (100, lambda n: command(description="x" * n)),
    "command options": (
        25,
        lambda n: command(
            options=[{"type": 3, "name": f"o{i}", "description": "d"} for i in range(n)]
        ),
    ),
    "option name": (32, lambda n: option(name="x" * n)),
    "option text": (100, lambda n: option(description="x" * n)),
    "option length": (6000, lambda n: option(max_length=n)),
    "choices": (
        25,
        lambda n: option(choices=[{"name": f"{i}", "value": f"{i}"} for i in range(n)]),
    ),
    "choice name": (100, lambda n: option(choices=[{"name": "x" * n, "value": "x"}])),
    "choice value": (100, lambda n: option(choices=[{"name": "x", "value": "x" * n}])),
    "whole number": (
        2**53 - 1,
        lambda n: check_choices([{"name": "x", "value": n}], option_type=4),
    ),
    "number": (2**53 - 1, lambda n: check_choices([{"name": "x", "value": n}], option_type=10)),
    "text option": (6000, lambda n: check_invocation(option(), {"o": "x" * n})),
    "number option": (2**53 - 1, lambda n: check_invocation(option(4), {"o": n})),
}


@pytest.mark.parametrize(("limit", "make"), LIMITS.values(), ids=LIMITS)
def test_a_limit_is_reached_and_not_passed(limit: int, make: Make) -> None:
    make(limit)
    with pytest.raises((RuleViolation, InvocationError)):
        make(limit + 1)


LEAST: dict[str, tuple[int, Make]] = {
    "radio options": (2, lambda n: modal({"type": 21, "custom_id": "r", "options": options(n)})),
    "checkbox options": (1, lambda n: modal({"type": 22, "custom_id": "r", "options": options(n)})),
    "files": (1, lambda n: modal({"type": 19, "custom_id": "f", "max_values": n})),
    "text length": (1, lambda n: typed(max_length=n)),
    "select options": (1, lambda n: select(options=options(n))),
    "gallery": (1, lambda n: layout({"type": 12, "items": [{"media": {"url": url(30)}}] * n})),
    "container": (1, lambda n: layout({"type": 17, "components": texts(n)})),
    "row": (
        1,
        lambda n: layout(
            {
                "type": 1,
                "components": [{"type": 2, "style": 5, "label": "x", "url": url(30)}] * n,
            }
        ),
    ),
    "modal components": (1, lambda n: form(components=texts(n))),
    "whole number": (
        -(2**53) + 1,
        lambda n: check_choices([{"name": "x", "value": n}], option_type=4),
    ),
}


@pytest.mark.parametrize(("least", "make"), LEAST.values(), ids=LEAST)
def test_fewer_than_the_least_are_refused(least: int, make: Make) -> None:
    make(least)
    with pytest.raises(RuleViolation):
        make(least - 1)
