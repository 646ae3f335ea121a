"""What Discord demands of application commands when an application registers them.

Source: Discord's documentation, "Application Commands". Who may invoke a command is not decided
here, and what they type is `invocations.py`.
"""

from collections.abc import Mapping, Sequence


def check_commands(payload: object) -> list[dict[str, object]]:
    """Check the body of a bulk overwrite (`PUT .../commands`).

    Returns the commands as Discord stores them: defaults filled in (`type`, `contexts`, `nsfw`,
    `options`, `description`, ...), without `id`, `application_id` and `version`.
    Raises RuleViolation.
    """
    raise NotImplementedError


def check_command(
    payload: object, *, registered: Sequence[Mapping[str, object]] = ()
) -> dict[str, object]:
    """Check the body of `POST .../commands`, given the commands `registered` in that scope.

    A registered command of the same name and type is replaced, so it does not count.
    Returns the command as `check_commands` does. Raises RuleViolation.
    """
    raise NotImplementedError


def check_command_patch(
    patch: object,
    *,
    current: Mapping[str, object],
    registered: Sequence[Mapping[str, object]] = (),
) -> dict[str, object]:
    """Check the body of `PATCH .../commands/{id}`; `registered` includes `current`.

    Returns the whole command after the change. Raises RuleViolation.
    """
    raise NotImplementedError
