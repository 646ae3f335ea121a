"""What Discord demands of a modal, and of what a person types into it.

Source: Discord's documentation, "Component Reference" and "Receiving and Responding".
"""

from collections.abc import Mapping, Sequence

from sandbox.discord.rules.uploads import Upload


def check_modal(data: object) -> dict[str, object]:
    """Check the `data` of a modal answer (type 9).

    Returns `custom_id`, `title` and `components` with ids assigned and defaults filled in.
    Raises RuleViolation.
    """
    raise NotImplementedError


def check_modal_submission(
    modal: Mapping[str, object],
    values: Mapping[str, object],
    files: Mapping[str, Sequence[Upload]] | None = None,
) -> list[dict[str, object]]:
    """Check what a person filled in, by `custom_id`, and return the interaction's `data.components`.

    `modal` is what `check_modal` returned. Values: str for a text input and a radio group (or
    None), list[str] for selects and checkbox groups, bool for a checkbox. Files of a file upload
    come in `files`, each with its attachment id; the answer's `values` are those ids as str.
    What is left out keeps the default that the modal gave. Raises InvocationError naming the
    `custom_id`.
    """
    raise NotImplementedError
