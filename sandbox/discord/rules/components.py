"""What Discord demands of message components, version 1 and 2.

Source: Discord's documentation, "Component Reference", and discord/discord-api-docs#8554 for the
size that no page names. Components of modals are `modals.py`.
"""

from collections.abc import Collection, Mapping, Sequence
from http import HTTPStatus
from typing import Final
from urllib.parse import urlsplit

from sandbox.discord.rules.fields import REQUIRED, Fields
from sandbox.discord.rules.parts import (
    SELECTS,
    ComponentType,
    Register,
    check_emoji,
    check_select,
    component_type,
    inner_components,
)
from sandbox.discord.rules.violations import Path, Problems, RuleViolation

ROWS: Final = 5
"""Action rows of a version 1 message."""
MOST_COMPONENTS: Final = 40
"""Components of a version 2 message, nested ones included."""
MOST_TEXT: Final = 4000
"""Characters of all text displays of a message."""
MOST_TEXT_BYTES: Final = 10170
"""UTF-8 bytes of all text displays, with `BYTES_PER_TEXT` for each: above it Discord fails."""
BYTES_PER_TEXT: Final = 12
ATTACHMENT_SCHEME: Final = "attachment://"
_BUTTONS_IN_ROW: Final = 5
_LABEL: Final = 80
_BUTTON_URL: Final = 512
_MEDIA_URL: Final = 2048
_DESCRIPTION: Final = 1024
_GALLERY: Final = 10
_SECTION_TEXTS: Final = 3
_LINK, _PREMIUM = 5, 6
_BUTTON_STYLES: Final = (1, 2, 3, 4, _LINK, _PREMIUM)

_IN_ROW: Final = (ComponentType.BUTTON, *SELECTS)
_IN_CONTAINER: Final = (
    ComponentType.ACTION_ROW,
    ComponentType.SECTION,
    ComponentType.TEXT_DISPLAY,
    ComponentType.MEDIA_GALLERY,
    ComponentType.FILE,
    ComponentType.SEPARATOR,
)
_TOP: Final = (*_IN_CONTAINER, ComponentType.CONTAINER)


def check_components(
    components: Sequence[object],
    *,
    path: Path,
    problems: Problems,
    version2: bool,
    files: Collection[str],
) -> list[dict[str, object]]:
    """Check a message's components and return them with defaults filled in, ids not yet assigned.

    `files` are the names that `attachment://` may refer to.
    """
    walk = _Walk(problems, files)
    if version2:
        checked = walk.children(components, path=path, allowed=_TOP)
        _check_totals(checked, path=path, problems=problems)
        return checked
    if len(components) > ROWS:
        problems.add(path, "BASE_TYPE_MAX_LENGTH", f"Must be {ROWS} or fewer in length.")
    return walk.children(components, path=path, allowed=(ComponentType.ACTION_ROW,))


def all_components(components: Sequence[Mapping[str, object]]) -> list[Mapping[str, object]]:
    """Return every component at any depth, parents before their children."""
    found: list[Mapping[str, object]] = []
    for component in components:
        found.append(component)
        found += all_components(inner_components(component))
    return found


def displayed_texts(components: Sequence[Mapping[str, object]]) -> list[str]:
    """Return the contents of all text displays, in order."""
    return [
        str(component.get("content", ""))
        for component in all_components(components)
        if component.get("type") == ComponentType.TEXT_DISPLAY
    ]


def _check_totals(
    components: Sequence[Mapping[str, object]], *, path: Path, problems: Problems
) -> None:
    count = len(all_components(components))
    if count > MOST_COMPONENTS:
        problems.add(
            path,
            "COMPONENT_MAX_TOTAL_COMPONENTS_EXCEEDED",
            f"The total number of components is {count} and exceeds the maximum of"
            f" {MOST_COMPONENTS}",
        )
    texts = displayed_texts(components)
    size = sum(map(len, texts))
    if size > MOST_TEXT:
        problems.add(
            path,
            "COMPONENT_DISPLAYABLE_TEXT_SIZE_EXCEEDED",
            f"The total size of displayable text is {size} and exceeds the maximum size of"
            f" {MOST_TEXT}",
        )
    weight = sum(len(text.encode(errors="replace")) + BYTES_PER_TEXT for text in texts)
    if weight > MOST_TEXT_BYTES and not problems:
        raise RuleViolation(HTTPStatus.INTERNAL_SERVER_ERROR, 0, "500: Internal Server Error")


class _Walk:
    """One pass over the components of one message."""

    def __init__(self, problems: Problems, files: Collection[str]) -> None:
        self._problems = problems
        self._files = files
        self._register = Register(problems)

    def children(
        self, components: Sequence[object], *, path: Path, allowed: Sequence[ComponentType]
    ) -> list[dict[str, object]]:
        """Check components that stand side by side."""
        return [
            self._component(each, path=(*path, index), allowed=allowed)
            for index, each in enumerate(components)
        ]

    def _component(
        self, value: object, *, path: Path, allowed: Sequence[ComponentType]
    ) -> dict[str, object]:
        fields = Fields(value, path=path, problems=self._problems)
        kind = component_type(fields, allowed) if fields.is_object else None
        if kind is None:
            return {}
        self._register.component(fields)
        if kind in SELECTS:
            return check_select(fields, kind, self._register)
        checks = {
            ComponentType.ACTION_ROW: self._row,
            ComponentType.BUTTON: self._button,
            ComponentType.SECTION: self._section,
            ComponentType.TEXT_DISPLAY: self._text,
            ComponentType.THUMBNAIL: self._thumbnail,
            ComponentType.MEDIA_GALLERY: self._gallery,
            ComponentType.FILE: self._file,
            ComponentType.SEPARATOR: self._separator,
            ComponentType.CONTAINER: self._container,
        }
        return {"type": int(kind), **fields.kept(("id",)), **checks[kind](fields)}

    def _row(self, fields: Fields) -> dict[str, object]:
        inner = fields.items("components", low=1, high=_BUTTONS_IN_ROW, required=True)
        row = self.children(inner, path=(*fields.path, "components"), allowed=_IN_ROW)
        width = 0
        for index, component in enumerate(row):
            width += _BUTTONS_IN_ROW if component.get("type") in SELECTS else 1
            if width > _BUTTONS_IN_ROW:
                self._problems.add(
                    (*fields.path, "components", index),
                    "COMPONENT_LAYOUT_WIDTH_EXCEEDED",
                    "The specified component exceeds the maximum width",
                )
        return {"components": row}

    def _button(self, fields: Fields) -> dict[str, object]:
        style = fields.choice("style", _BUTTON_STYLES, required=True)
        fields.text("label", high=_LABEL)
        check_emoji(fields)
        if style == _LINK:
            fields.text("url", low=1, high=_BUTTON_URL, required=True)
            _check_scheme(fields, "url", ("http", "https", "discord"))
            self._refuse(fields, ("custom_id", "sku_id"))
        elif style == _PREMIUM:
            if fields.snowflake("sku_id", required=True) is not None:
                self._refuse(fields, ("custom_id", "url", "label", "emoji"))
        elif style is not None:
            self._register.custom_id(fields)
            self._refuse(fields, ("url", "sku_id"))
        if style != _PREMIUM and not fields.raw.get("label") and not fields.has("emoji"):
            fields.fault(
                "label", "BUTTON_COMPONENT_LABEL_REQUIRED", "A label or an emoji is required"
            )
        kept = fields.kept(("style", "label", "emoji", "custom_id", "url", "sku_id"))
        return {**kept, "disabled": fields.boolean("disabled")}

    def _refuse(self, fields: Fields, keys: Sequence[str]) -> None:
        for key in keys:
            if fields.has(key):
                fields.fault(
                    key,
                    "BUTTON_COMPONENT_FIELDS_MUTUALLY_EXCLUSIVE",
                    f"A button of this style cannot have {key}",
                )

    def _section(self, fields: Fields) -> dict[str, object]:
        inner = fields.items("components", low=1, high=_SECTION_TEXTS, required=True)
        texts = self.children(
            inner,
            path=(*fields.path, "components"),
            allowed=(ComponentType.TEXT_DISPLAY,),
        )
        accessory: dict[str, object] = {}
        if fields.has("accessory"):
            accessory = self._component(
                fields.raw["accessory"],
                path=(*fields.path, "accessory"),
                allowed=(ComponentType.BUTTON, ComponentType.THUMBNAIL),
            )
        else:
            fields.fault("accessory", *REQUIRED)
        return {"components": texts, "accessory": accessory}

    def _text(self, fields: Fields) -> dict[str, object]:
        fields.text("content", low=1, high=MOST_TEXT, required=True)
        return fields.kept(("content",))

    def _thumbnail(self, fields: Fields) -> dict[str, object]:
        self._media(fields, "media")
        fields.text("description", low=1, high=_DESCRIPTION)
        return {**fields.kept(("media", "description")), "spoiler": fields.boolean("spoiler")}

    def _gallery(self, fields: Fields) -> dict[str, object]:
        items: list[dict[str, object]] = []
        for index, each in enumerate(fields.items("items", low=1, high=_GALLERY, required=True)):
            item = Fields(each, path=(*fields.path, "items", index), problems=self._problems)
            items.append(self._thumbnail(item))
        return {"items": items}

    def _file(self, fields: Fields) -> dict[str, object]:
        url = self._media(fields, "file")
        if url is not None and not url.startswith(ATTACHMENT_SCHEME):
            self._problems.add(
                (*fields.path, "file", "url"),
                "UNFURLED_MEDIA_ITEM_ATTACHMENT_REFERENCE_REQUIRED",
                "Must be a reference to an attachment: attachment://<filename>",
            )
        return {**fields.kept(("file",)), "spoiler": fields.boolean("spoiler")}

    def _separator(self, fields: Fields) -> dict[str, object]:
        spacing = fields.choice("spacing", (1, 2))
        return {
            "spacing": 1 if spacing is None else spacing,
            "divider": fields.boolean("divider", default=True),
        }

    def _container(self, fields: Fields) -> dict[str, object]:
        fields.whole("accent_color", low=0, high=0xFFFFFF)
        inner = fields.items("components", low=1, high=MOST_COMPONENTS, required=True)
        return {
            **fields.kept(("accent_color",)),
            "spoiler": fields.boolean("spoiler"),
            "components": self.children(
                inner, path=(*fields.path, "components"), allowed=_IN_CONTAINER
            ),
        }

    def _media(self, fields: Fields, key: str) -> str | None:
        """Check a media item: a link, or a file of this message."""
        if not fields.has(key):
            fields.fault(key, *REQUIRED)
            return None
        media = Fields(fields.raw[key], path=(*fields.path, key), problems=self._problems)
        url = media.text("url", low=1, high=_MEDIA_URL, required=True)
        if url is None:
            return None
        if not url.startswith(ATTACHMENT_SCHEME):
            _check_scheme(media, "url", ("http", "https", "attachment"))
        elif url.removeprefix(ATTACHMENT_SCHEME) not in self._files:
            media.fault(
                "url",
                "UNFURLED_MEDIA_ITEM_REFERENCED_ATTACHMENT_NOT_FOUND",
                "The referenced attachment was not found",
            )
        return url


def _check_scheme(fields: Fields, key: str, schemes: Sequence[str]) -> None:
    url = fields.raw.get(key)
    if not isinstance(url, str) or not url:
        return
    try:
        scheme, host = urlsplit(url)[:2]
    except ValueError:
        scheme, host = "", ""
    if scheme not in schemes:
        fields.fault(
            key,
            "URL_TYPE_INVALID_SCHEME",
            f'Scheme "{scheme}" is not supported. Scheme must be one of {tuple(schemes)}.',
        )
    elif not host or any(char.isspace() for char in url):
        fields.fault(key, "URL_TYPE_INVALID_URL", "Not a well formed URL.")
