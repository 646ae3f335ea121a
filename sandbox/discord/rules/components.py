"""What Discord demands of message components, version 1 and 2.

Source: Discord's documentation, "Component Reference". Components of modals are `modals.py`.
"""

from collections.abc import Mapping, Sequence


def assign_component_ids(components: Sequence[Mapping[str, object]]) -> list[dict[str, object]]:
    """Return copies in which every component, nested ones too, has an `id`, as Discord does.

    An absent id, or 0, becomes the next number from 1 that nobody in the message uses, parents
    before their children.
    """
    raise NotImplementedError
