"""Draw an SVG that a stranger wrote. Runs in the worker only.

The renderer opens every path that an `href` names, so nothing but references inside the document
and embedded PNG, JPEG, GIF and WebP pictures is left in the text that it gets to see.
"""

import re
from typing import Final
from xml.etree import ElementTree as ET
from xml.parsers import expat

import resvg_py

from bot.images._types import Reason, UnusablePicture
from bot.workers import files_allowed

_SVG: Final = "http://www.w3.org/2000/svg"
_MAX_BYTES: Final = 16 * 1024 * 1024
_MAX_DEPTH: Final = 200
"""Nested elements. Drawings stay under thirty; the renderer and the writer recurse."""

_LONG_SIDE: Final = (1_024, 4_096)
"""Pixels of the longer side: a drawing without limits of its own is kept between these."""

_DROPPED: Final = frozenset({"script", "foreignObject", "iframe", "audio", "video", "animate"})
_EMBEDDED: Final = re.compile(r"data:image/(?:png|jpe?g|gif|webp);base64,", re.IGNORECASE)
_OUTSIDE_URL: Final = re.compile(r"@import|url\(\s*['\"]?\s*(?!['\"\s#])", re.IGNORECASE)
_LENGTH: Final = re.compile(r"\s*\+?(\d{1,12}(?:\.\d{0,12})?|\.\d{1,12})\s*([a-z]{0,2})\s*$")
_PIXELS_PER: Final = {
    "": 1.0,
    "px": 1.0,
    "pt": 96 / 72,
    "pc": 16.0,
    "in": 96.0,
    "cm": 96 / 2.54,
    "mm": 96 / 25.4,
}

ET.register_namespace("", _SVG)
ET.register_namespace("xlink", "http://www.w3.org/1999/xlink")


def warm_up() -> None:
    """Use the renderer and the codecs once, because no file can be opened afterwards."""
    b"".decode("utf-16")
    resvg_py.svg_to_bytes(
        svg_string=f'<svg xmlns="{_SVG}" width="1" height="1"/>', skip_system_fonts=True
    )


def render(data: bytes) -> bytes:
    """Draw the document and return it as PNG.

    Raises:
        UnusablePicture: it declares entities, is nested too deep, is no SVG, or cannot be drawn.
    """
    if len(data) > _MAX_BYTES:
        raise UnusablePicture(Reason.TOO_COSTLY)
    root = _Reader().read(data)
    _strip(root)
    _set_size(root)
    has_text = next(root.iter(f"{{{_SVG}}}text"), None) is not None
    document = ET.tostring(root, encoding="unicode")
    try:
        if not has_text:
            return resvg_py.svg_to_bytes(svg_string=document, skip_system_fonts=True)
        with files_allowed():
            return resvg_py.svg_to_bytes(svg_string=document)
    except ValueError as error:
        raise UnusablePicture(Reason.DAMAGED) from error


class _Reader:
    """Parses XML into a tree, and stops at the first entity declaration or absurd depth.

    The standard tree parser expands entities, and how far depends on the expat it runs on.
    """

    def __init__(self) -> None:
        self._builder = ET.TreeBuilder()
        self._depth = 0
        self._parser = expat.ParserCreate(None, "}")
        self._parser.buffer_text = True
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._text
        self._parser.EntityDeclHandler = self._refuse

    def read(self, data: bytes) -> "ET.Element[str]":
        try:
            self._parser.Parse(data, True)  # noqa: FBT003 - expat takes no keywords
        except expat.ExpatError as error:
            raise UnusablePicture(Reason.DAMAGED) from error
        root = self._builder.close()
        if _local(root.tag) != "svg":
            raise UnusablePicture(Reason.NOT_A_PICTURE)
        return root

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise UnusablePicture(Reason.UNSAFE)
        self._builder.start(
            _qualified(name), {_qualified(key): value for key, value in attributes.items()}
        )

    def _end(self, name: str) -> None:
        self._depth -= 1
        self._builder.end(_qualified(name))

    def _text(self, text: str) -> None:
        self._builder.data(text)

    def _refuse(self, *_declaration: object) -> None:
        raise UnusablePicture(Reason.UNSAFE)


def _qualified(name: str) -> str:
    return "{" + name if "}" in name else name


def _local(name: str) -> str:
    return name.rpartition("}")[2]


def _strip(root: "ET.Element[str]") -> None:
    """Remove all that reaches out of the document, and what is no drawing."""
    for parent in list(root.iter()):
        for child in list(parent):
            if _local(child.tag) in _DROPPED or _is_reaching_style(child):
                parent.remove(child)
        for name in [name for name, value in parent.attrib.items() if _reaches_out(name, value)]:
            del parent.attrib[name]


def _is_reaching_style(element: "ET.Element[str]") -> bool:
    return _local(element.tag) == "style" and bool(_OUTSIDE_URL.search("".join(element.itertext())))


def _reaches_out(name: str, value: str) -> bool:
    if _local(name) in {"href", "src"}:
        return not (value.lstrip().startswith("#") or _EMBEDDED.match(value))
    return bool(_OUTSIDE_URL.search(value))


def _set_size(root: "ET.Element[str]") -> None:
    """Give the root a width and height in pixels within `_LONG_SIDE`, its shape unchanged."""
    box = _view_box(root.get("viewBox", ""))
    width, height = _length(root.get("width")), _length(root.get("height"))
    if box is not None:
        natural_width, natural_height = width or box[0], height or box[1]
        if (width is None) != (height is None):  # the missing one follows from the box's shape
            natural_width = width or natural_height * box[0] / box[1]
            natural_height = height or natural_width * box[1] / box[0]
    else:
        natural_width, natural_height = width or 1_024.0, height or 1_024.0
        root.set("viewBox", f"0 0 {natural_width:.6f} {natural_height:.6f}")
    long_side = max(natural_width, natural_height)
    scale = min(max(long_side, _LONG_SIDE[0]), _LONG_SIDE[1]) / long_side
    root.set("width", str(max(1, round(natural_width * scale))))
    root.set("height", str(max(1, round(natural_height * scale))))


def _length(text: str | None) -> float | None:
    """Pixels of an SVG length; None when it is missing, relative, zero or nonsense."""
    found = _LENGTH.match(text.lower()) if text else None
    if found is None or found[2] not in _PIXELS_PER:
        return None
    return float(found[1]) * _PIXELS_PER[found[2]] or None


def _view_box(text: str) -> tuple[float, float] | None:
    """Width and height of a `viewBox`, or None when it has none that can be drawn."""
    parts = text.replace(",", " ").split()
    try:
        width, height = (float(part) for part in parts[2:])
    except ValueError:
        return None
    usable = len(parts) == 4 and 0 < width < 1e12 and 0 < height < 1e12  # noqa: PLR2004 - min-x min-y w h
    return (width, height) if usable else None
