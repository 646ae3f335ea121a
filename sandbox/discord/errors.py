"""Discord's refusals that concern state: what is unknown, forbidden, late or said twice.

Refusals of a body's form come from `sandbox.discord.rules`. Source of the codes: Discord's
documentation, "Opcodes and Status Codes".
"""

from sandbox.discord.rules import RuleViolation


def unauthorized() -> RuleViolation:
    """Say: no token, or a wrong one."""
    return RuleViolation(401, 0, "401: Unauthorized")


def not_found() -> RuleViolation:
    """Say: no such route."""
    return RuleViolation(404, 0, "404: Not Found")


def unknown_channel() -> RuleViolation:
    """Say: no such channel."""
    return RuleViolation(404, 10003, "Unknown Channel")


def unknown_guild() -> RuleViolation:
    """Say: no such guild, or the bot is not in it."""
    return RuleViolation(404, 10004, "Unknown Guild")


def unknown_member() -> RuleViolation:
    """Say: the user is not in the guild."""
    return RuleViolation(404, 10007, "Unknown Member")


def unknown_message() -> RuleViolation:
    """Say: no such message, or one that this route cannot reach."""
    return RuleViolation(404, 10008, "Unknown Message")


def unknown_role() -> RuleViolation:
    """Say: no such role."""
    return RuleViolation(404, 10011, "Unknown Role")


def unknown_user() -> RuleViolation:
    """Say: no such user."""
    return RuleViolation(404, 10013, "Unknown User")


def unknown_webhook() -> RuleViolation:
    """Say: the interaction was not answered, so it has no webhook."""
    return RuleViolation(404, 10015, "Unknown Webhook")


def unknown_interaction() -> RuleViolation:
    """Say: no such interaction, or it was not answered in time."""
    return RuleViolation(404, 10062, "Unknown interaction")


def unknown_command() -> RuleViolation:
    """Say: no such application command."""
    return RuleViolation(404, 10063, "Unknown application command")


def already_acknowledged() -> RuleViolation:
    """Say: the interaction has its first answer."""
    return RuleViolation(400, 40060, "Interaction has already been acknowledged.")


def too_many_follow_ups() -> RuleViolation:
    """Say: where the application is not installed, an interaction has five follow-ups."""
    message = "This interaction has hit the maximum number of follow up messages"
    return RuleViolation(400, 40094, message)


def missing_access() -> RuleViolation:
    """Say: the bot does not even see it."""
    return RuleViolation(403, 50001, "Missing Access")


def not_its_author() -> RuleViolation:
    """Say: only the author may edit a message."""
    return RuleViolation(403, 50005, "Cannot edit a message authored by another user")


def dms_closed() -> RuleViolation:
    """Say: the person takes no messages from the bot."""
    return RuleViolation(403, 50007, "Cannot send messages to this user")


def missing_permissions() -> RuleViolation:
    """Say: the bot sees it, but may not do this."""
    return RuleViolation(403, 50013, "Missing Permissions")


def invalid_webhook_token() -> RuleViolation:
    """Say: the interaction's 15 minutes are over, or its token is wrong."""
    return RuleViolation(401, 50027, "Invalid Webhook Token")


def invalid_json() -> RuleViolation:
    """Say: the body is no JSON."""
    return RuleViolation(400, 50109, "The request body contains invalid JSON.")


def invalid_form(field: str, code: str, message: str) -> RuleViolation:
    """Say: one field of the body is wrong."""
    return RuleViolation(
        400,
        50035,
        "Invalid Form Body",
        {field: {"_errors": [{"code": code, "message": message}]}},
    )
