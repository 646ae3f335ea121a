"""What one does on the page, turned into what a person does in the local Discord.

Each action is a POST of a form: the field `payload` holds JSON, files come as `file:NAME`. An
action on the bot answers once the bot has acknowledged it, or the client gave up on the bot.
"""

import asyncio
import json
import secrets
from calendar import monthrange
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from aiohttp import web
from aiohttp.web_request import FileField

from sandbox.clock import SandboxClock
from sandbox.discord import (
    Ask,
    Channel,
    DiscordServer,
    Message,
    Modal,
    NotPossibleError,
    Person,
    UploadedFile,
)
from sandbox.discord.places import JsonObject
from sandbox.page.views import command_entries, may_see, modal_view, people_of

_OPEN_MODALS: Final = 200
"""Forms kept for being filled in; an older one is gone, as if its bot had restarted."""

_ACKNOWLEDGED_WITHIN: Final = 30.0
"""Seconds after which the page stops waiting; the local Discord gives up long before."""

_FILE_PREFIX: Final = "file:"
_ID_OPTIONS: Final = frozenset({6, 7, 8, 9})
"""Option types whose value is an id: users, channels, roles, mentionables."""


class RefusedError(Exception):
    """The request cannot be carried out; its text is for the person at the page."""


@dataclass(frozen=True, slots=True)
class Action:
    """One POST, read and checked: who acts, where, and with what."""

    person: Person
    channel: Channel
    payload: JsonObject
    files: Mapping[str, list[UploadedFile]]

    def text(self, key: str) -> str:
        """Return a string of the payload."""
        value = self.payload.get(key)
        if not isinstance(value, str):
            raise RefusedError(f"The page sent no {key}.")
        return value

    def table(self, key: str) -> dict[str, object]:
        """Return an object of the payload."""
        value = self.payload.get(key)
        if not isinstance(value, dict):
            raise RefusedError(f"The page sent no {key}.")
        return value

    @property
    def message(self) -> Message:
        """The message that is acted upon."""
        wanted = self.text("message")
        for message in self.person.messages(self.channel):
            if str(message.id) == wanted:
                return message
        raise RefusedError("That message is gone.")


class Actions:
    """The handlers of all actions."""

    def __init__(self, discord: DiscordServer, clock: SandboxClock) -> None:
        self._discord = discord
        self._clock = clock
        self._modals: OrderedDict[str, tuple[int, Modal]] = OrderedDict()

    def routes(self) -> list[web.RouteDef]:
        """Return the routes of all actions."""
        handlers: dict[str, Callable[[Action], Awaitable[JsonObject]]] = {
            "autocomplete": self._autocomplete,
            "slash": self._slash,
            "menu": self._menu,
            "click": self._click,
            "choose": self._choose,
            "submit": self._submit,
            "say": self._say,
            "install": self._install,
        }
        routes = [
            web.post(f"/api/{name}", self._endpoint(handler)) for name, handler in handlers.items()
        ]
        return [*routes, web.post("/api/clock", self._move_clock)]

    def person(self, name: str) -> Person:
        """Return who `name` is; whoever comes first for an unknown name."""
        people = {user.username: user for user in people_of(self._discord.world)}
        return self._discord.person(people.get(name) or next(iter(people.values())))

    def _endpoint(
        self, handler: Callable[[Action], Awaitable[JsonObject]]
    ) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def respond(request: web.Request) -> web.Response:
            try:
                return web.json_response(await handler(await self._read(request)))
            except (RefusedError, NotPossibleError) as refusal:
                return web.json_response({"error": str(refusal)}, status=409)
            except TimeoutError:
                return web.json_response({"error": "The bot did not answer."}, status=504)

        return respond

    async def _read(self, request: web.Request) -> Action:
        payload, files = await read_form(request)
        person = self.person(str(payload.get("person")))
        try:
            channel = self._discord.world.channels.get(int(str(payload.get("channel"))))
        except ValueError:
            channel = None
        if channel is None or not may_see(self._discord.world, person.user, channel):
            raise RefusedError("You cannot open that channel.")
        return Action(person, channel, payload, files)

    async def _autocomplete(self, action: Action) -> JsonObject:
        choices = await action.person.autocomplete(
            action.channel,
            action.text("command"),
            self._options(action),
            action.text("focused"),
        )
        return {"choices": [{"name": one.name, "value": one.value} for one in choices]}

    async def _slash(self, action: Action) -> JsonObject:
        ask = await action.person.slash(
            action.channel,
            action.text("command"),
            self._options(action),
            files={name: files[0] for name, files in action.files.items()},
        )
        return await self._outcome(action, ask)

    async def _menu(self, action: Action) -> JsonObject:
        ask = await action.person.apps_menu(action.channel, action.text("command"), action.message)
        return await self._outcome(action, ask)

    async def _click(self, action: Action) -> JsonObject:
        ask = await action.person.click(action.message, action.text("custom_id"))
        return await self._outcome(action, ask)

    async def _choose(self, action: Action) -> JsonObject:
        values = action.payload.get("values")
        if not isinstance(values, list):
            raise RefusedError("The page sent no values.")
        ask = await action.person.choose(action.message, action.text("custom_id"), values)
        return await self._outcome(action, ask)

    async def _submit(self, action: Action) -> JsonObject:
        key = action.text("modal")
        user_id, modal = self._modals.get(key, (0, None))
        if modal is None or user_id != action.person.user.id:
            raise RefusedError("This form is no longer open.")
        ask = await action.person.submit(modal, action.table("values"), action.files)
        answer = await self._outcome(action, ask)
        if "failure" not in answer:
            self._modals.pop(key, None)
        return answer

    async def _say(self, action: Action) -> JsonObject:
        files = [file for some in action.files.values() for file in some]
        message = await action.person.say(action.channel, action.text("text"), files=files)
        return {"message": str(message.id)}

    async def _install(self, action: Action) -> JsonObject:
        """Add the bot to the person's account, or remove it."""
        world, user = self._discord.world, action.person.user
        if not action.payload.get("installed"):
            world.user_uninstalls(user)
        elif not world.application.user_installs:
            raise RefusedError("This application cannot be added to an account.")
        else:
            world.user_installs(user)
        return {}

    async def _move_clock(self, request: web.Request) -> web.Response:
        payload, _ = await read_form(request)
        now_ms = self._clock.now_ms()
        if payload.get("step") == "day":
            later_ms = now_ms + 24 * 3600 * 1000
        elif payload.get("step") == "month":
            later_ms = a_month_after(now_ms)
        else:
            return web.json_response({"error": "No such step."}, status=409)
        self._clock.advance(later_ms - now_ms)
        return web.json_response({"now_ms": self._clock.now_ms()})

    def _options(self, action: Action) -> dict[str, object]:
        """Return the options as the local Discord takes them: ids as numbers."""
        wanted = action.text("command")
        kinds = {
            option["name"]: option["type"]
            for command in action.person.commands_in(action.channel)
            for entry in command_entries(command)
            if entry["name"] == wanted
            for option in entry["options"]
        }
        try:
            return {
                name: int(str(value)) if kinds.get(name) in _ID_OPTIONS else value
                for name, value in action.table("options").items()
            }
        except ValueError:
            raise RefusedError("Nobody and nothing here has that name.") from None

    async def _outcome(self, action: Action, ask: Ask) -> JsonObject:
        """Wait until the bot has acknowledged, or the client has given up on it."""
        ends = [
            asyncio.create_task(ask.acknowledged(_ACKNOWLEDGED_WITHIN)),
            asyncio.create_task(ask.failed(_ACKNOWLEDGED_WITHIN)),
        ]
        try:
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for end in ends:
                end.cancel()
            await asyncio.gather(*ends, return_exceptions=True)
        if ask.state != "acknowledged":
            return {"failure": "The application did not respond"}
        if ask.modal is None:
            return {}
        return {"modal": modal_view(ask.modal, self._keep(action.person, ask.modal))}

    def _keep(self, person: Person, modal: Modal) -> str:
        key = secrets.token_urlsafe(12)
        self._modals[key] = (person.user.id, modal)
        while len(self._modals) > _OPEN_MODALS:
            self._modals.popitem(last=False)
        return key


async def read_form(request: web.Request) -> tuple[JsonObject, dict[str, list[UploadedFile]]]:
    """Return the JSON and the files of an action.

    Raises RefusedError for a form without readable JSON.
    """
    form = await request.post()
    try:
        payload = json.loads(str(form.get("payload")))
    except ValueError:
        payload = None
    if not isinstance(payload, dict):
        raise RefusedError("The page sent something unreadable.")
    files: dict[str, list[UploadedFile]] = {}
    for name, value in form.items():
        if isinstance(value, FileField) and name.startswith(_FILE_PREFIX):
            data = await asyncio.to_thread(value.file.read)
            file = UploadedFile(value.filename, data, value.content_type or None)
            files.setdefault(name.removeprefix(_FILE_PREFIX), []).append(file)
    return payload, files


def a_month_after(now_ms: int) -> int:
    """Return the same time on the same day of the next month, or its last day (UTC, epoch ms)."""
    now = datetime.fromtimestamp(now_ms / 1000, UTC)
    following = (now.replace(day=1) + timedelta(days=31)).replace(day=1)
    day = min(now.day, monthrange(following.year, following.month)[1])
    return int(following.replace(day=day).timestamp() * 1000)
