"""What people type finds the model that they mean: a table, and typos of every name.

The table was written before the search was. A search is judged by what stands in the first three of
its suggestions, among as many models as ImageRouter lists, by their public names.
"""

import random
from collections.abc import Iterator

from bot.catalog import TEST_MODEL, Catalog
from bot.clock import SystemClock
from bot.imagerouter import CatalogueModel, ModelsPage, ProviderPrice

SHOWN = 3

NAMES = """\
xAI/grok-imagine-image
black-forest-labs/FLUX-2-klein-9b
black-forest-labs/FLUX-2-klein-4b
black-forest-labs/FLUX-2-klein-4b:free
imagineart/imagineart-1.5-pro
zai/glm-image
fal/flux-2-dev-turbo
qwen/qwen-image-2512
black-forest-labs/FLUX-2-max
openai/gpt-image-1.5
openai/gpt-image-1.5:free
bytedance/seedream-4.5
kling/kling-image-o1
prunaai/P-Image-1.0
prunaai/P-Image-Edit
AIDC-AI/Ovis-Image-7B
black-forest-labs/FLUX-2-dev
black-forest-labs/FLUX-2-pro
black-forest-labs/FLUX-2-flex
Tongyi-MAI/Z-Image-Turbo
Tongyi-MAI/Z-Image-Turbo:free
qwen/qwen-image-edit-2511
google/gemini-3-pro
qwen/qwen-image-layered
imagineart/imagineart-1.5
bria/bria-fibo
vidu/vidu-q2
sourceful/riverflow-1
sourceful/riverflow-1-mini
openai/gpt-image-1-mini
google/gemini-2.5-flash
tencent/hunyuan-image-3
wan-ai/wan-2.5-image
bytedance/seedream-4
decart/lucy-14b
qwen/qwen-image-edit
qwen/qwen-image-edit-plus
google/imagen-4
google/imagen-4-ultra
google/imagen-4-fast
leonardoai/lucid-origin
leonardoai/phoenix-1.0
bytedance/dreamina-3.1
qwen/qwen-image
qwen/qwen-image:free
wan-ai/wan-2.2
black-forest-labs/flux-krea-dev
bytedance/seededit-3
OmniGen/OmniGen-v2
black-forest-labs/flux-kontext-dev
midjourney/midjourney
HiDream-ai/HiDream-E1-1
lodestones/Chroma
lodestones/Chroma:free
google/imagen-4-06-06
google/imagen-4-ultra-06-06
black-forest-labs/flux-kontext-pro
black-forest-labs/flux-kontext-max
stepfun/step1x-edit
runwayml/gen4-image
bagel/bagel-7b
HiDream-ai/HiDream-I1-Fast
HiDream-ai/HiDream-I1-Full
HiDream-ai/HiDream-I1-Full:free
HiDream-ai/HiDream-I1-Dev
openai/gpt-image-1
reve/reve-1
bytedance/seedream-3
ideogram-ai/ideogram-v3
ideogram-ai/ideogram-v3-turbo
ideogram-ai/ideogram-v3-balanced
ideogram-ai/ideogram-v3-quality
run-diffusion/Juggernaut-Flux
run-diffusion/Juggernaut-Lightning-Flux
run-diffusion/Juggernaut-Pro-Flux
run-diffusion/RunDiffusion-Photo-Flux
minimax/image-01
ideogram-ai/ideogram-v2a
ideogram-ai/ideogram-v2a-turbo
SG161222/RealVisXL
google/imagen-3
google/imagen-3-fast
xAI/grok-2-image
nvidia/sana-1.6b
luma/photon
luma/photon-flash
black-forest-labs/flux-1.1-pro-ultra
black-forest-labs/FLUX-1.1-pro
bria/remove-background
bria/erase-foreground
recraft-ai/recraft-v3
recraft-ai/recraft-v3-svg
recraft-ai/recraft-vectorize
stabilityai/sd3.5
stabilityai/sd3
stabilityai/sdxl
stabilityai/sdxl-turbo
stabilityai/sdxl-turbo:free
onomaai/illustrious-xl
run-diffusion/Juggernaut-XL
black-forest-labs/FLUX-1-schnell
black-forest-labs/FLUX-1-schnell:free
black-forest-labs/FLUX-1-dev
black-forest-labs/FLUX-pro
kwai/kolors
playgroundai/playground-v2.5
cagliostrolab/animagine-xl-3.0
philz1337x/clarity-2x
asiryan/Realistic-Vision
purplesmartai/pony-diffusion-v6-xl
openai/dall-e-3
openai/dall-e-2
Lykon/DreamShaper
stabilityai/sd1.5-dpo
jingyunliang/swinir-2x
""".splitlines()
"""Newest first, as the catalogue comes."""

TYPED = {
    "schnell": "black-forest-labs/FLUX-1-schnell",
    "flux schnel": "black-forest-labs/FLUX-1-schnell",
    "fluxschnell": "black-forest-labs/FLUX-1-schnell",
    "FLUX.1 [schnell]": "black-forest-labs/FLUX-1-schnell",
    "flux dev": "black-forest-labs/FLUX-1-dev",
    "flux2 pro": "black-forest-labs/FLUX-2-pro",
    "pro flux 2": "black-forest-labs/FLUX-2-pro",
    "klein 9b": "black-forest-labs/FLUX-2-klein-9b",
    "flux 1.1 ultra": "black-forest-labs/flux-1.1-pro-ultra",
    "flux_1.1_pro": "black-forest-labs/FLUX-1.1-pro",
    "kontext max": "black-forest-labs/flux-kontext-max",
    "contxt pro": "black-forest-labs/flux-kontext-pro",
    "krea": "black-forest-labs/flux-krea-dev",
    "black-forest-labs/flux-pro": "black-forest-labs/FLUX-pro",
    "flux 2 turbo": "fal/flux-2-dev-turbo",
    "gpt img": "openai/gpt-image-1",
    "gpt image mini": "openai/gpt-image-1-mini",
    "gptimage1.5": "openai/gpt-image-1.5",
    "openai gpt": "openai/gpt-image-1.5",
    "chatgpt image": "openai/gpt-image-1.5",
    "dalle": "openai/dall-e-3",
    "dalle 2": "openai/dall-e-2",
    "DALL·E 3": "openai/dall-e-3",
    "nano banana": "google/gemini-2.5-flash",
    "nanobanana": "google/gemini-2.5-flash",
    "nano bananna pro": "google/gemini-3-pro",
    "gemini flash": "google/gemini-2.5-flash",
    "imagen 4": "google/imagen-4",
    "imgen 4 ultra": "google/imagen-4-ultra",
    "google fast": "google/imagen-4-fast",
    "mj": "midjourney/midjourney",
    "mid journey": "midjourney/midjourney",
    "midjorney": "midjourney/midjourney",
    "seedream 4": "bytedance/seedream-4",
    "seed dream 4.5": "bytedance/seedream-4.5",
    "sedream3": "bytedance/seedream-3",
    "qwen edit": "qwen/qwen-image-edit",
    "qwn image layered": "qwen/qwen-image-layered",
    "stable diffusion xl": "stabilityai/sdxl",
    "stable diffusion 3.5": "stabilityai/sd3.5",
    "sd 1.5": "stabilityai/sd1.5-dpo",
    "sdxl tubro": "stabilityai/sdxl-turbo",
    "ideogram 3 turbo": "ideogram-ai/ideogram-v3-turbo",
    "ideogarm": "ideogram-ai/ideogram-v3",
    "hidream full": "HiDream-ai/HiDream-I1-Full",
    "hi dream fast": "HiDream-ai/HiDream-I1-Fast",
    "jugernaut lightning": "run-diffusion/Juggernaut-Lightning-Flux",
    "juggernaut xl": "run-diffusion/Juggernaut-XL",
    "recraft svg": "recraft-ai/recraft-v3-svg",
    "vectorise": "recraft-ai/recraft-vectorize",
    "remove bg": "bria/remove-background",
    "grok imagine": "xAI/grok-imagine-image",
    "z image": "Tongyi-MAI/Z-Image-Turbo",
    "zimage free": "Tongyi-MAI/Z-Image-Turbo:free",
    "hunyuan": "tencent/hunyuan-image-3",
    "photn flash": "luma/photon-flash",
    "realvis": "SG161222/RealVisXL",
    "real vision": "asiryan/Realistic-Vision",
    "pony": "purplesmartai/pony-diffusion-v6-xl",
    "chroma fre": "lodestones/Chroma:free",
}


class Shelf:
    """The other end of the catalogue: answers with a list."""

    async def models(self, *, etag: str | None = None) -> ModelsPage:
        price = ProviderPrice(provider="p", minimum=100, average=100, maximum=100)
        models = tuple(CatalogueModel(id=name, providers=(price,)) for name in NAMES)
        return ModelsPage(models=models, etag=etag)

    async def model(self, model_id: str) -> CatalogueModel | None:
        return None

    async def popular_models(self) -> list[str]:
        return []


async def whole_catalogue() -> Catalog:
    catalog = Catalog(Shelf(), clock=SystemClock(), cache_path=None, unpriced_ceiling=None)
    await catalog.load()
    return catalog


def first_three(catalog: Catalog, typed: str) -> list[str]:
    return [model.id for model in catalog.search(typed, limit=SHOWN)]


async def test_of_sixty_typed_inputs_all_but_three_show_the_model_that_was_meant() -> None:
    catalog = await whole_catalogue()
    assert len(TYPED) == 60
    assert len(set(NAMES)) == len(catalog.models) - 1  # and the dummy
    assert {*TYPED.values()} <= {*NAMES}

    missed = {
        typed: found
        for typed, meant in TYPED.items()
        if meant not in (found := first_three(catalog, typed))
    }

    assert len(missed) <= 3, missed


LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"
TYPOS_OF_A_NAME = 20


def typos(name: str, chance: random.Random) -> Iterator[str]:
    """One slip each: a letter too many, too few, another, or two of them swapped."""
    for _ in range(TYPOS_OF_A_NAME):
        place = chance.randrange(len(name))
        letter = chance.choice(LETTERS)
        before, here, after = name[:place], name[place], name[place + 1 :]
        yield chance.choice(
            (
                before + letter + here + after,
                before + after,
                before + letter + after,
                before + after[:1] + here + after[1:],
            )
        )


async def test_a_name_with_one_slip_is_still_found() -> None:
    catalog = await whole_catalogue()
    chance = random.Random(20_260_128)

    missed = [
        (typed, model.id)
        for model in catalog.models
        if model.id != TEST_MODEL
        for typed in typos(model.short_name, chance)
        if model.id not in first_three(catalog, typed)
    ]

    assert len(missed) <= 0.05 * len(NAMES) * TYPOS_OF_A_NAME, missed
