"""The calls of ImageRouter's API as methods with types; each says what it sends and may raise.

Facts are from https://docs.imagerouter.io and from answers of the real server. What a price means
for a quota, which model to take, and what bytes are a picture is left to others.
"""

import asyncio
from collections.abc import Sequence
from types import TracebackType
from typing import Final, Literal, Self
from urllib.parse import quote

from aiohttp import hdrs
from aiohttp.abc import AbstractResolver
from yarl import URL

from bot.downloads import Downloads, FetchError, FetchRefused, FetchTooLarge, is_loopback_url
from bot.imagerouter._answers import parse_credits, parse_key_check, parse_popular
from bot.imagerouter._catalogue import parse_catalogue, parse_model
from bot.imagerouter._json import NotJson
from bot.imagerouter._requests import check_fields, json_body
from bot.imagerouter._transport import Limits, OnWait, Transport
from bot.imagerouter._uploads import MultipartBody, check_files
from bot.imagerouter.errors import (
    Billing,
    DailyFreeLimit,
    DownloadError,
    DownloadRefused,
    DownloadTooLarge,
    ImageRouterError,
    MalformedAnswer,
    RateLimited,
)
from bot.imagerouter.models import (
    CatalogueModel,
    Credits,
    Download,
    Generation,
    KeyCheck,
    ModelsPage,
    ResponseFormat,
    Upload,
)

DEFAULT_BASE_URL: Final = "https://api.imagerouter.io"
DEFAULT_POPULAR_URL: Final = "https://backend.imagerouter.io/operations/get-popular-models"

_FREE: Final = ":free"
"""How the ids of free models end."""
_NOT_MODIFIED: Final = 304
_NOT_FOUND: Final = 404


class ImageRouter:
    """A client for ImageRouter, which owns its connections.

    ```python
    async with ImageRouter(api_key=key) as router:
        made = await router.generate(model="test/test", prompt="a paper boat at dawn")
        picture = made.pictures[0]
        data = picture.data
        if data is None:
            data = (await router.download(picture.url, max_bytes=50_000_000)).data
    print(made.cost_micros, "micro-USD")
    ```

    `requests_per_second` keeps below the server's 20 for each address, all calls together; None
    for no limit. An empty `popular_url` does without popularity. `limits` are times in seconds and
    sizes in bytes. `resolver` replaces the system's name resolution.

    Raises:
        ValueError: a base URL that would send the key unencrypted, or a key that no header can
            carry. The message never contains the key.
    """

    def __init__(
        self,
        *,
        api_key: str,
        base_url: str = DEFAULT_BASE_URL,
        popular_url: str = DEFAULT_POPULAR_URL,
        requests_per_second: float | None = 15,
        limits: Limits | None = None,
        download_timeout_s: float = 60.0,
        resolver: AbstractResolver | None = None,
    ) -> None:
        key = api_key.strip()
        if not (key.isascii() and key.isprintable()) or " " in key:
            raise ValueError("the ImageRouter key contains characters that no key has")
        base = URL(base_url)
        local = is_loopback_url(base)
        if base.scheme != "https" and not (base.scheme == "http" and local):
            raise ValueError("the ImageRouter base URL must begin with https://")
        limits = limits or Limits()
        self._base_url = base
        self._popular_url = URL(popular_url)
        self._limits = limits
        self._transport = Transport(
            api_key=key,
            base_url=base,
            requests_per_second=requests_per_second,
            limits=limits,
            resolver=resolver,
        )
        self._downloads = Downloads(
            allow_loopback=local,
            connect_s=limits.connect_s,
            idle_s=limits.idle_s,
            total_s=download_timeout_s,
            resolver=resolver,
        )

    def __repr__(self) -> str:
        return f"<ImageRouter {self._base_url.origin()}>"

    async def __aenter__(self) -> Self:
        await self._transport.open()
        await self._downloads.open()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close all connections; requests that are under way fail as OutcomeUnknown."""
        await self._transport.close()
        await self._downloads.close()

    async def generate(
        self,
        *,
        model: str,
        prompt: str | None,
        size: str = "auto",
        quality: str = "auto",
        response_format: ResponseFormat = "url",
        output_format: str = "webp",
        on_wait: OnWait | None = None,
    ) -> Generation:
        """Make pictures from words: `POST /v1/openai/images/generations`.

        `on_wait(seconds, error)` is called before each pause between tries.

        Raises:
            ImageRouterError: `billing` says what the failure cost. A request that may have begun is
                never sent twice. Cancelling leaves the outcome unknown: it may be charged.
        """
        body = json_body(
            check_fields(
                model=model,
                prompt=prompt,
                size=size,
                quality=quality,
                response_format=response_format,
                output_format=output_format,
            )
        )
        return await self._paid("/v1/openai/images/generations", model, body, on_wait)

    async def edit(
        self,
        *,
        model: str,
        prompt: str | None,
        images: Sequence[Upload],
        mask: Upload | None = None,
        size: str = "auto",
        quality: str = "auto",
        response_format: ResponseFormat = "url",
        output_format: str = "webp",
        on_wait: OnWait | None = None,
    ) -> Generation:
        """Make pictures from pictures: `POST /v1/openai/images/edits`, streamed as multipart.

        At most 16 images, each smaller than 25 MiB; no image at all is allowed.

        Raises:
            RefusedRequest: for files that cannot work, before anything is sent.
            ImageRouterError: as `generate`; a connection lost during the upload is NotStarted.
        """
        fields = check_fields(
            model=model,
            prompt=prompt,
            size=size,
            quality=quality,
            response_format=response_format,
            output_format=output_format,
        )
        files = await check_files(images, mask)
        body = MultipartBody(list(fields.items()), files)
        return await self._paid("/v1/openai/images/edits", model, body, on_wait)

    async def _paid(
        self, path: str, model: str, body: bytes | MultipartBody, on_wait: OnWait | None
    ) -> Generation:
        try:
            return await self._transport.generate(path, body, on_wait=on_wait)
        except RateLimited as error:
            if error.is_timed or not model.endswith(_FREE):
                raise
            # A day's free requests are the one limit that ends at no time it would tell.
            raise DailyFreeLimit(excerpt=error.excerpt) from None

    async def models(
        self,
        *,
        type: str = "image",  # noqa: A002 - the API's own name for the filter
        sort: Literal["name", "provider", "price", "date"] = "date",
        name: str | None = None,
        free: bool | None = None,
        provider: str | None = None,
        limit: int = 1000,
        etag: str | None = None,
    ) -> ModelsPage:
        """Read the catalogue: `GET /v1/models`. Odd entries are skipped and counted.

        `etag`: of an earlier page; if nothing has changed the page says `not_modified`.

        Raises:
            MalformedAnswer: no JSON, no catalogue, or larger than `limits.catalogue_bytes`.
            ImageRouterError: no answer, or a refusal.
        """
        query = {"type": type, "sort": sort, "limit": str(limit)}
        if name is not None:
            query["name"] = name
        if free is not None:
            query["free"] = "true" if free else "false"
        if provider is not None:
            query["provider"] = provider
        reply = await self._transport.ask(
            "GET",
            self._transport.url("/v1/models").with_query(query),
            headers={hdrs.IF_NONE_MATCH: etag} if etag else None,
            limit=self._limits.catalogue_bytes,
        )
        fresh = reply.headers.get(hdrs.ETAG)
        if reply.status == _NOT_MODIFIED:
            return ModelsPage(models=(), etag=fresh or etag, not_modified=True)
        if reply.status == _NOT_FOUND:
            raise MalformedAnswer("no catalogue there", billing=Billing.FREE)
        try:
            models, skipped = await asyncio.to_thread(parse_catalogue, reply.body)
        except NotJson:
            raise MalformedAnswer("no catalogue", billing=Billing.FREE) from None
        return ModelsPage(models=models, skipped=skipped, etag=fresh)

    async def model(self, model_id: str) -> CatalogueModel | None:
        """Ask for one model, aliases included: `GET /v1/models/<id>`; None when there is none.

        Raises:
            ImageRouterError: no answer, or one that makes no sense.
        """
        # A slash belongs to an id; a dot segment would be another endpoint.
        if ".." in model_id.split("/") or "." in model_id.split("/"):
            return None
        path = "/v1/models/" + quote(model_id, safe="/:@")
        reply = await self._transport.ask("GET", self._transport.url(path))
        if reply.status == _NOT_FOUND:
            return None
        body = await reply.json()
        if isinstance(body, dict):
            entry = body.get(model_id, body)
            own_id = entry.get("id") if isinstance(entry, dict) else None
            found = parse_model(own_id if isinstance(own_id, str) else model_id, entry)
            if found is not None and (found.providers or "output" in body or entry is not body):
                return found
        raise MalformedAnswer("no model", billing=Billing.FREE)

    async def popular_models(self) -> list[str]:
        """Ask for the most popular models' ids; empty whenever the answer fails or is strange."""
        if not self._popular_url.host:
            return []
        try:
            reply = await self._transport.ask("POST", self._popular_url, with_key=False)
            return parse_popular(await reply.json())
        except ImageRouterError:
            return []

    async def credits(self, *, by_api_key: bool = False) -> Credits:
        """Read the account's money, or this key's share of it: `GET /v1/credits`.

        Raises:
            ImageRouterError: BadKey, no answer, or one that makes no sense.
        """
        url = self._transport.url("/v1/credits")
        if by_api_key:
            url = url.with_query(by_api_key="true")
        reply = await self._transport.ask("GET", url)
        return parse_credits(await reply.json())

    async def check_key(self) -> KeyCheck:
        """Check the key, and read the balance: `POST /v1/auth/test`.

        Raises:
            BadKey: the key does not work.
            ImageRouterError: nobody could tell.
        """
        reply = await self._transport.ask("POST", self._transport.url("/v1/auth/test"))
        return parse_key_check(await reply.json())

    async def download(self, url: str, *, max_bytes: int) -> Download:
        """Fetch a finished picture; the key is not sent along.

        Only by https and only from public addresses, judged when the connection is made and at each
        of at most four redirects. This machine's own address is allowed when the base URL is one.

        Raises:
            DownloadRefused, DownloadTooLarge, DownloadError.
        """
        try:
            fetched = await self._downloads.fetch(url, max_bytes=max_bytes)
        except FetchRefused as error:
            raise DownloadRefused(str(error)) from None
        except FetchTooLarge as error:
            raise DownloadTooLarge(limit=error.limit) from None
        except FetchError as error:
            raise DownloadError(str(error)) from None
        if not fetched.data:
            raise DownloadError("no bytes")
        return Download(data=fetched.data, media_type=fetched.media_type)
