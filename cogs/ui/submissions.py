"""What comes back in a submitted form, as hostile as any input: the one reader of its payload."""

from collections.abc import Mapping
from typing import Any, cast

from msgspec import Struct

from bot.requests import Source
from cogs.ui.intake import Interaction
from cogs.ui.pictures import cleaned_name


class Submission(Struct, frozen=True):
    """The fields of a form by their custom ids, and the files that were uploaded with it."""

    fields: Mapping[str, Mapping[str, Any]]
    attachments: Mapping[str, Mapping[str, Any]]

    @classmethod
    def of(cls, interaction: Interaction) -> "Submission":
        """Read a submitted form."""
        data = cast("dict[str, Any]", interaction.data or {})
        fields = [row.get("component") or {} for row in data.get("components", ())]
        return cls(
            {str(field.get("custom_id")): field for field in fields},
            (data.get("resolved") or {}).get("attachments") or {},
        )

    def text(self, name: str) -> str:
        """What was typed into a text input; empty where there is none."""
        return str(self.fields.get(name, {}).get("value") or "")

    def values(self, name: str) -> tuple[str, ...]:
        """What was chosen in a select, or the ids of the files of an upload."""
        return tuple(str(value) for value in self.fields.get(name, {}).get("values") or ())

    def files(self, *names: str) -> tuple[Source, ...]:
        """Where the files of uploads can be read, for a day."""
        ids = [each for name in names for each in self.values(name)]
        found = [self.attachments[each] for each in ids if each in self.attachments]
        return tuple(
            Source(
                str(file["url"]), cleaned_name(str(file["filename"])), int(file.get("size") or 0)
            )
            for file in found
        )


def custom_id_of(interaction: Interaction) -> str:
    """The custom id of what was submitted."""
    return str(cast("dict[str, Any]", interaction.data or {}).get("custom_id"))
