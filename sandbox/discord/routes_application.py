"""Routes about the application and its bot: gateway, users, application, registered commands."""

from sandbox.discord.errors import unknown_command, unknown_guild, unknown_user
from sandbox.discord.front import Answer, Call, Route
from sandbox.discord.places import Guild, JsonObject
from sandbox.discord.rules import check_command, check_command_patch, check_commands
from sandbox.discord.wire import application_json, own_user_json, user_json


def routes() -> list[Route]:
    """Return these routes."""
    everywhere = "/applications/{application_id}/commands"
    here = "/applications/{application_id}/guilds/{guild_id}/commands"
    result = [
        Route("GET", "/gateway", _gateway, needs_token=False),
        Route("GET", "/gateway/bot", _gateway_bot),
        Route("GET", "/users/@me", _me),
        Route("GET", "/users/{user_id}", _user),
        Route("GET", "/oauth2/applications/@me", _application),
        Route("GET", "/applications/@me", _application),
    ]
    for scope in (everywhere, here):
        result += [
            Route("GET", scope, _list),
            Route("PUT", scope, _overwrite),
            Route("POST", scope, _create),
            Route("GET", f"{scope}/{{command_id}}", _get),
            Route("PATCH", f"{scope}/{{command_id}}", _patch),
            Route("DELETE", f"{scope}/{{command_id}}", _delete),
        ]
    return result


def _gateway(call: Call) -> Answer:
    return {"url": call.core.gateway.url}


def _gateway_bot(call: Call) -> Answer:
    return {
        "url": call.core.gateway.url,
        "shards": 1,
        "session_start_limit": {
            "total": 1000,
            "remaining": 999,
            "reset_after": 14_400_000,
            "max_concurrency": 1,
        },
    }


def _me(call: Call) -> Answer:
    return own_user_json(call.core.world.application)


def _user(call: Call) -> Answer:
    user = call.core.world.users.get(call.id("user_id"))
    if user is None:
        raise unknown_user()
    return user_json(user)


def _application(call: Call) -> Answer:
    return application_json(call.core.world.application)


# Commands


def _scope(call: Call) -> int | None:
    """Return whose commands a request is about: a guild's, or the global ones (None)."""
    world = call.core.world
    if call.id("application_id") != world.application.id:
        raise unknown_command()
    if "guild_id" not in call.params:
        return None
    guild: Guild | None = world.guilds.get(call.id("guild_id"))
    if guild is None or not world.bot_is_in(guild):
        raise unknown_guild()
    return guild.id


def _registered(call: Call, scope: int | None) -> dict[int, JsonObject]:
    return call.core.world.commands.setdefault(scope, {})


def _one(call: Call, scope: int | None) -> JsonObject:
    command = _registered(call, scope).get(call.id("command_id"))
    if command is None:
        raise unknown_command()
    return command


def _list(call: Call) -> Answer:
    return list(_registered(call, _scope(call)).values())


def _get(call: Call) -> Answer:
    return _one(call, _scope(call))


def _overwrite(call: Call) -> Answer:
    scope = _scope(call)
    checked = check_commands(call.body.payload)
    known = {(c["name"], c["type"]): c for c in _registered(call, scope).values()}
    call.core.world.commands[scope] = {}
    for command in checked:
        _store(call, scope, command, known.get((command["name"], command["type"])))
    call.core.world.commands_changed(scope)
    return list(_registered(call, scope).values())


def _create(call: Call) -> Answer:
    scope = _scope(call)
    registered = list(_registered(call, scope).values())
    command = check_command(call.body.payload, registered=registered)
    same = [c for c in registered if (c["name"], c["type"]) == (command["name"], command["type"])]
    stored = _store(call, scope, command, same[0] if same else None)
    call.core.world.commands_changed(scope)
    return stored


def _patch(call: Call) -> Answer:
    scope = _scope(call)
    current = _one(call, scope)
    registered = list(_registered(call, scope).values())
    command = check_command_patch(call.body.payload, current=current, registered=registered)
    stored = _store(call, scope, command, current)
    call.core.world.commands_changed(scope)
    return stored


def _delete(call: Call) -> Answer:
    scope = _scope(call)
    command = _one(call, scope)
    del _registered(call, scope)[int(command["id"])]
    call.core.world.commands_changed(scope)
    return None


def _store(
    call: Call, scope: int | None, command: JsonObject, known: JsonObject | None
) -> JsonObject:
    """Register a command; one that is already known keeps its id."""
    world = call.core.world
    stored = dict(command)
    stored["id"] = str(world.snowflakes.make()) if known is None else known["id"]
    stored["application_id"] = str(world.application.id)
    stored["version"] = str(world.snowflakes.make())
    if scope is not None:
        stored["guild_id"] = str(scope)
    _registered(call, scope)[int(stored["id"])] = stored
    return stored
