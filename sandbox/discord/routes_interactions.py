"""The two ends of an answer: the first callback, and the interaction's webhook afterwards.

What Discord does with a deferred answer is here: the first follow-up resolves a placeholder that is
still loading, and takes its visibility even when the placeholder was deleted unfilled
(discord/discord-api-docs#2866).
"""

from typing import Final

from sandbox.discord.errors import (
    already_acknowledged,
    invalid_webhook_token,
    too_many_follow_ups,
    unknown_channel,
    unknown_interaction,
    unknown_message,
    unknown_webhook,
)
from sandbox.discord.front import Answer, Call, Route
from sandbox.discord.interactions import Interaction, Original, choices_of
from sandbox.discord.messages import Message, MessageFlag, Modal
from sandbox.discord.places import JsonObject
from sandbox.discord.posting import before
from sandbox.discord.routes_messages import check_sizes
from sandbox.discord.rules import (
    CallbackType,
    CheckedCallback,
    check_callback,
    check_edit,
    check_message,
)
from sandbox.discord.rules import (
    Route as MessageRoute,
)
from sandbox.discord.wire import message_json

_MOST_OUTSIDE: Final = 5
"""Follow-ups to an interaction where the application is not installed."""


def routes() -> list[Route]:
    """Return these routes."""
    callback = "/interactions/{interaction_id}/{interaction_token}/callback"
    webhook = "/webhooks/{webhook_id}/{webhook_token}"
    original = f"{webhook}/messages/@original"
    message = f"{webhook}/messages/{{message_id}}"
    result = [
        Route("POST", callback, _callback, needs_token=False, limited=False),
        Route("POST", webhook, _follow_up, needs_token=False),
    ]
    for template in (original, message):
        result += [
            Route("GET", template, _get, needs_token=False),
            Route("PATCH", template, _edit, needs_token=False),
            Route("DELETE", template, _delete, needs_token=False),
        ]
    return result


# The callback


def _callback(call: Call) -> Answer:
    core = call.core
    interaction = core.desk.find(call.params["interaction_token"])
    if interaction is None or interaction.id != call.id("interaction_id"):
        raise unknown_interaction()
    if interaction.state == "acknowledged":
        raise already_acknowledged()
    if interaction.state == "failed" or core.desk.expired(interaction):
        raise unknown_interaction()
    if interaction.channel.id not in core.world.channels:
        raise unknown_channel()
    check_sizes(call, interaction.channel)
    checked = check_callback(
        call.body.payload,
        interaction=interaction.kind,
        source=None if interaction.source is None else before(interaction.source),
        focused_type=interaction.focused_type,
        uploads=call.body.uploads,
    )
    _carry_out(call, interaction, checked)
    core.desk.acknowledge(interaction)
    if call.query.get("with_response", "").lower() in ("1", "true"):
        return _callback_json(call, interaction, checked)
    return None


def _carry_out(call: Call, interaction: Interaction, checked: CheckedCallback) -> None:
    core = call.core
    ephemeral = checked.ephemeral or interaction.private_only
    if checked.kind is CallbackType.MESSAGE and checked.message is not None:
        interaction.original_ephemeral = ephemeral
        interaction.original = core.post.new(
            interaction.channel,
            core.world.bot,
            checked.message,
            call.body,
            interaction=interaction,
            ephemeral=ephemeral,
        )
        interaction.original_state = Original.SHOWN
    elif checked.kind is CallbackType.DEFERRED_MESSAGE:
        interaction.original_ephemeral = ephemeral
        interaction.original = core.post.placeholder(interaction, ephemeral=ephemeral)
        interaction.original_state = Original.LOADING
    elif checked.kind is CallbackType.DEFERRED_UPDATE:
        interaction.original = interaction.source
        interaction.original_state = Original.SHOWN
    elif checked.kind is CallbackType.UPDATE_MESSAGE and checked.message is not None:
        if interaction.source is None or interaction.source.deleted:
            raise unknown_message()
        core.post.edit(interaction.source, checked.message, call.body)
        interaction.original = interaction.source
        interaction.original_state = Original.SHOWN
        interaction.updated = True
    elif checked.kind is CallbackType.AUTOCOMPLETE_RESULT:
        interaction.choices = choices_of(checked.choices)
    elif checked.kind is CallbackType.MODAL and checked.modal is not None:
        interaction.modal = Modal(
            custom_id=str(checked.modal["custom_id"]),
            title=str(checked.modal["title"]),
            components=_objects(checked.modal["components"]),
            interaction_id=interaction.id,
            user_id=interaction.user.id,
            channel_id=interaction.channel.id,
            source=interaction.source,
            authorized_by=interaction.authorized_by,
        )


def _objects(value: object) -> list[JsonObject]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _callback_json(call: Call, interaction: Interaction, checked: CheckedCallback) -> JsonObject:
    about: JsonObject = {"id": str(interaction.id), "type": int(interaction.kind)}
    resource: JsonObject = {"type": int(checked.kind)}
    message = interaction.original
    if message is not None:
        about["response_message_id"] = str(message.id)
        about["response_message_loading"] = message.loading
        about["response_message_ephemeral"] = message.ephemeral_to is not None
        if checked.kind in (CallbackType.MESSAGE, CallbackType.UPDATE_MESSAGE):
            resource["message"] = message_json(call.core.world, message)
    return {"interaction": about, "resource": resource}


# The webhook


def _interaction(call: Call) -> Interaction:
    """Return the answered interaction whose webhook a request uses."""
    core = call.core
    interaction = core.desk.find(call.params["webhook_token"])
    if interaction is None or call.id("webhook_id") != core.world.application.id:
        raise invalid_webhook_token()
    if core.desk.expired(interaction):
        raise invalid_webhook_token()
    if interaction.state != "acknowledged":
        raise unknown_webhook()
    if interaction.channel.id not in core.world.channels:
        raise unknown_channel()
    return interaction


def _target(call: Call, interaction: Interaction) -> Message:
    """Return the message that a request means; only this interaction's own are within reach."""
    message: Message | None
    if "message_id" not in call.params:
        message = interaction.original
    else:
        wanted = call.id("message_id")
        own = [interaction.original, interaction.source, *interaction.followups]
        message = next((m for m in own if m is not None and m.id == wanted), None)
    if message is None or message.deleted:
        raise unknown_message()
    return message


def _follow_up(call: Call) -> Answer:
    core, world = call.core, call.core.world
    interaction = _interaction(call)
    check_sizes(call, interaction.channel)
    checked = check_message(
        call.body.payload, route=MessageRoute.WEBHOOK, uploads=call.body.uploads
    )
    if interaction.is_outside and interaction.follow_ups_sent >= _MOST_OUTSIDE:
        raise too_many_follow_ups()
    interaction.follow_ups_sent += 1
    original = interaction.original
    if interaction.original_state is Original.LOADING and original is not None:
        core.post.edit(original, checked, call.body)
        interaction.original_state = Original.SHOWN
        core.desk.changed(interaction)
        return message_json(world, original)
    ephemeral = bool(checked.flags & MessageFlag.EPHEMERAL) or interaction.private_only
    if interaction.original_state is Original.DELETED_LOADING:
        ephemeral = interaction.original_ephemeral
        interaction.original_state = Original.DELETED
    message = core.post.new(
        interaction.channel,
        world.bot,
        checked,
        call.body,
        interaction=interaction,
        ephemeral=ephemeral,
    )
    interaction.followups.append(message)
    core.desk.changed(interaction)
    return message_json(world, message)


def _get(call: Call) -> Answer:
    return message_json(call.core.world, _target(call, _interaction(call)))


def _edit(call: Call) -> Answer:
    core = call.core
    interaction = _interaction(call)
    message = _target(call, interaction)
    check_sizes(call, interaction.channel)
    checked = check_edit(
        call.body.payload,
        route=MessageRoute.WEBHOOK,
        before=before(message),
        uploads=call.body.uploads,
    )
    core.post.edit(message, checked, call.body)
    if message is interaction.source:
        interaction.updated = True
    core.desk.message_changed(message, by=interaction)
    core.desk.changed(interaction)
    return message_json(core.world, message)


def _delete(call: Call) -> Answer:
    core = call.core
    interaction = _interaction(call)
    message = _target(call, interaction)
    core.post.delete(message)
    core.desk.message_changed(message, by=interaction)
    core.desk.changed(interaction)
    return None
