"""The invented models of the local ImageRouter, and the JSON shapes in which it tells of them.

Between them they have every price shape and ability that the real catalogue has, its oddities
included. `test/test` and one well-known name are there because the settings' examples use them; all
prices are made up.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final, Literal, TypeAlias

JsonObject: TypeAlias = dict[str, object]
Effect: TypeAlias = Literal["paint", "enlarge", "cut_out", "trace"]
"""What a model makes of an input image: all but `paint` heed no prompt."""

_UNIT_MICROS: Final = 100  # ImageRouter bills in 1/10000 USD
_MICROS_PER_USD: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Price:
    """One provider's price in USD: a `value`, or a spread of three.

    A provider with neither says nothing about its price.
    """

    provider: str = "harbour"
    kind: Literal["fixed", "calculated", "post_generation"] = "fixed"
    value: str | None = None
    spread: tuple[str, str, str] | None = None
    """min, average, max."""

    def json(self) -> JsonObject:
        """Give the `pricing` object."""
        pricing: JsonObject = {"type": self.kind}
        if self.value is not None:
            pricing["value"] = _number(self.value)
        if self.spread is not None:
            pricing["range"] = dict(
                zip(("min", "average", "max"), map(_number, self.spread), strict=True)
            )
        return pricing


@dataclass(frozen=True, slots=True)
class SandboxModel:
    """One invented model: what the catalogue says about it, and how it really behaves."""

    id: str
    prices: tuple[Price, ...]
    edit: bool = False
    mask: bool = False
    quality: bool = False
    sizes: tuple[str, ...] = ()
    released: str | None = "2026-01-15"
    one_image: bool = False
    """Takes a single input image, which the catalogue does not tell."""
    needs_image: bool = False
    """Does nothing without an input image, which the catalogue does not tell either."""
    effect: Effect = "paint"
    pictures: int = 1
    """How many come for one request, for one cost."""
    answers_in: Literal["asked", "png", "jpeg", "svg", "tiff"] = "asked"
    """The format that it really sends."""
    data_uri: bool = False
    """Puts `data:image/...;base64,` before base64."""
    created: Literal["ms", "s", "absent"] = "ms"
    slowness: int = 1
    """Factor on the server's latency."""
    overrun: str | None = None
    """USD that it really costs, whatever the catalogue says."""
    extra: Mapping[str, object] = field(default_factory=dict)
    """Unknown keys of its answers."""

    @property
    def free(self) -> bool:
        """Limited to 50 requests a day."""
        return self.id.endswith(":free")

    def at_most_micros(self) -> int:
        """Tell what must be on the account before it runs: the first provider's highest price."""
        price = self.prices[0]
        highest = price.spread[2] if price.spread else price.value
        return _micros(highest or "0")

    def cost_micros(self, quality: str) -> int:
        """Tell what one request costs."""
        if self.overrun is not None:
            return _micros(self.overrun)
        price = self.prices[0]
        if price.spread is None:
            return _micros(price.value or "0.02")
        low, about, high = price.spread
        if not self.quality:
            return _micros(about)
        return _micros({"low": low, "high": high}.get(quality, about))

    def v1(self) -> JsonObject:
        """Give the entry of `/v1/models`."""
        entry: JsonObject = {
            "providers": [
                {"id": price.provider, "model_name": self.id.lower(), "pricing": price.json()}
                for price in self.prices
            ],
        }
        if self.released is not None:
            entry["release_date"] = self.released
        if self.sizes:
            entry["sizes"] = list(self.sizes)
        entry["output"] = ["image"]
        entry["supported_params"] = {
            "mask": self.mask,
            "quality": self.quality,
            "edit": self.edit,
        }
        return entry

    def v2(self) -> JsonObject:
        """Give the entry of `/v2/models`."""
        entry: JsonObject = {"release_date": self.released} if self.released else {}
        entry["inputs"] = {
            "image": self.edit,
            "mask": self.mask,
            "quality": self.quality,
            "size": list(self.sizes) or ["custom"],
        }
        entry["output"] = ["image"]
        entry["price"] = self._whole_price()
        return entry

    def one(self) -> JsonObject:
        """Give the answer of `/v1/models/<id>`."""
        return {"id": self.id, **self.v2(), "providers": self.v1()["providers"]}

    def _whole_price(self) -> JsonObject | None:
        spreads = [
            price.spread or (price.value, price.value, price.value)
            for price in self.prices
            if price.spread or price.value
        ]
        if not spreads:
            return None
        lows, abouts, highs = zip(*spreads, strict=True)
        return {
            "min": _number(min(map(str, lows), key=Decimal)),
            "average": _number(str(abouts[0])),
            "max": _number(max(map(str, highs), key=Decimal)),
        }


def _micros(usd: str) -> int:
    """Round USD up to ImageRouter's unit, in micro-USD."""
    micros = Decimal(usd) * _MICROS_PER_USD
    return int(-(-micros // _UNIT_MICROS)) * _UNIT_MICROS


def _number(usd: str) -> float | int:
    """Give a price as JSON numbers are written; only for showing, never for sums."""
    return int(usd) if usd.isdigit() else float(usd)


def _fixed(value: str, provider: str = "harbour") -> tuple[Price, ...]:
    return (Price(provider=provider, value=value),)


def _spread(
    low: str,
    about: str,
    high: str,
    *,
    provider: str = "harbour",
    kind: Literal["calculated", "post_generation"] = "post_generation",
) -> Price:
    return Price(provider=provider, kind=kind, spread=(low, about, high))


_SQUARES: Final = ("1024x1024", "1536x1024", "1024x1536", "auto")
_THIRTY_SIZES: Final = tuple(
    f"{width}x{height}"
    for width in (512, 640, 768, 896, 1024, 1280)
    for height in (512, 640, 768, 1024, 1280)
)

DEFAULT_MODELS: Final[Sequence[SandboxModel]] = (
    SandboxModel(
        "test/test", _fixed("0", "test"), edit=True, mask=True, quality=True, answers_in="png"
    ),
    SandboxModel(
        "black-forest-labs/FLUX-1-schnell",
        (
            _spread("0.0006", "0.0013", "0.0052", provider="quay"),
            Price(provider="harbour", kind="post_generation", value="0.003"),
        ),
        released="2024-08-01",
    ),
    SandboxModel("papercut/fold-mini", _fixed("0.0013")),
    SandboxModel(
        "papercut/fold-large",
        (_spread("0.02", "0.04", "0.08", kind="calculated"),),
        quality=True,
        sizes=_SQUARES,
    ),
    SandboxModel("papercut/vector-fold", _fixed("0.04"), answers_in="svg"),
    SandboxModel(
        "papercut/trace",
        _fixed("0.05"),
        edit=True,
        one_image=True,
        needs_image=True,
        effect="trace",
        answers_in="svg",
        released="2025-09-30",
    ),
    SandboxModel(
        "lumenfield/aurora-2",
        (_spread("0.01", "0.035", "0.12"),),
        edit=True,
        quality=True,
        sizes=_SQUARES,
        released="2026-02-10",
    ),
    SandboxModel("lumenfield/aurora-2-mini:free", _fixed("0"), released="2026-02-11"),
    SandboxModel("lumenfield/plate-scan", _fixed("0.015"), answers_in="tiff", created="s"),
    SandboxModel("inkwell/quill-xl", (Price(kind="calculated"),), released="2025-11-03"),
    SandboxModel(
        "inkwell/quill-sketch",
        (_spread("0.004", "0.0031", "0.009"),),
        created="s",
        answers_in="jpeg",
    ),
    SandboxModel("inkwell/retouch-one", _fixed("0.03"), edit=True, mask=True, one_image=True),
    SandboxModel(
        "harborlight/upscale-4x",
        _fixed("0.012"),
        edit=True,
        one_image=True,
        needs_image=True,
        effect="enlarge",
    ),
    SandboxModel(
        "harborlight/cutout",
        _fixed("0.0185"),
        edit=True,
        one_image=True,
        needs_image=True,
        effect="cut_out",
        answers_in="png",
    ),
    SandboxModel("mosaic/tessera-grid", _fixed("0.02"), sizes=_THIRTY_SIZES),
    SandboxModel(
        "mosaic/tessera-brush",
        (_spread("0.011", "0.042", "0.167"),),
        edit=True,
        mask=True,
        quality=True,
        sizes=("auto", "1024x1024", "1536x1024", "1024x1536"),
        data_uri=True,
    ),
    SandboxModel(
        "northwind/gale-pro",
        (
            _spread("0.02", "0.02", "0.022", kind="calculated"),
            Price(provider="quay", value="0.05"),
            _spread("0.03", "0.04", "0.3", provider="mole"),
        ),
        edit=True,
    ),
    SandboxModel(
        "northwind/gale-edit",
        _fixed("0.11"),
        edit=True,
        mask=True,
        needs_image=True,
        released="2025-12-12",
    ),
    SandboxModel("northwind/gale-turbo", _fixed("0.0006"), overrun="0.018"),
    SandboxModel("orchard/pippin", _fixed("0.0002"), released=None, created="absent"),
    SandboxModel("orchard/russet", _fixed("0.035"), released="2022-04-6", overrun="0.0351"),
    SandboxModel("saltmarsh/heron-collage", _fixed("0.039"), edit=True, released="2025-08-26"),
    SandboxModel("saltmarsh/triptych", _fixed("0.06"), pictures=3, extra={"seed": 1912}),
    SandboxModel("driftwood/slow-tide", _fixed("0.08"), quality=True, slowness=4),
)
"""In no special order, as the real catalogue is until it is asked to sort."""
