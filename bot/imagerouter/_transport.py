"""HTTP to ImageRouter: one session, bounded answers, and retries only where nothing can be lost.

A POST that may have begun is never repeated: there is no idempotency key, and a repeated request is
charged twice. Repeated is only what certainly did not begin: no connection, a 429 that says when to
come back, and 502, 503 or 504 from a proxy before ImageRouter itself has answered.

The key goes to the base URL alone, in a header of each request; redirects are not followed, and
aiohttp's exceptions, whose representation shows request headers, never leave this module.
"""

import asyncio
import math
import random
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Final, ParamSpec, TypeAlias, TypeVar

import aiohttp
from aiohttp import hdrs
from aiohttp.abc import AbstractResolver
from msgspec import Struct
from yarl import URL

from bot.downloads import USER_AGENT
from bot.imagerouter._answers import parse_generation
from bot.imagerouter._failures import ErrorAnswer, judge, read_error
from bot.imagerouter._json import AnswerReader, JsonValue, NotJson, TooLong, parse_json
from bot.imagerouter._pacing import Pacer
from bot.imagerouter._uploads import MultipartBody
from bot.imagerouter.errors import (
    Billing,
    ImageRouterError,
    MalformedAnswer,
    NotStarted,
    OutcomeUnknown,
    RateLimited,
    Refusal,
    RefusedRequest,
)
from bot.imagerouter.models import Generation

OnWait: TypeAlias = Callable[[float, ImageRouterError], None]
"""Told before a pause: how many seconds, and why."""

_P = ParamSpec("_P")
_T = TypeVar("_T")

# Node closes idle connections after 5 s: one that is reused in that very moment would lose a
# request whose outcome nobody could tell.
_KEEPALIVE_S: Final = 4.0
_PROXY_STATUSES: Final = (502, 503, 504)
_JUDGED_STATUSES: Final = (400, 401, 402, 413, 422, 429)
"""Refusals that mean what they say even without a body of ImageRouter's own."""
_FIRST_BACKOFF_S: Final = 0.5
_SHORTEST_PAUSE_S: Final = 0.1
"""Of those that a 429 asks for: they are bounded by their sum alone."""
_QUESTION_ERROR_BYTES: Final = 256 * 1024
_ASIDE_BYTES: Final = 64 * 1024
"""JSON from here on is parsed in a thread: a hostile answer must not hold the bot's heartbeats."""
_BAD_REQUEST: Final = 400
_SERVER_ERROR: Final = 500
_OK: Final = 200
_REDIRECT: Final = 300
_NOT_MODIFIED: Final = 304


class Limits(Struct, frozen=True):
    """Times in seconds, sizes in bytes."""

    connect_s: float = 10.0
    idle_s: float = 30.0
    """Longest silence; the server sends a blank every 3 s."""
    total_s: float = 600.0
    question_s: float = 30.0
    """For everything but generations and edits, as a whole."""
    retries: int = 3
    """But for what a 429 says when to repeat."""
    retry_budget_s: float = 30.0
    """All pauses together."""
    retry_within_s: float = 30.0
    """Of the first try: a request that failed later is not sent again, or money that is held for
    one would have to be held for several."""
    answer_bytes: int = 2 * 1024 * 1024
    """An answer without its pictures."""
    picture_bytes: int = 64 * 1024 * 1024
    catalogue_bytes: int = 16 * 1024 * 1024


class Reply(Struct, frozen=True):
    """A whole answer to a question."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    async def json(self) -> JsonValue:
        """Parse the body. Raises MalformedAnswer."""
        try:
            return await _aside(len(self.body), parse_json, self.body)
        except NotJson:
            raise MalformedAnswer("no JSON", billing=Billing.FREE) from None


_BROKEN: Final = (aiohttp.ClientError, TimeoutError, OSError, RuntimeError)
"""How aiohttp tells of a broken connection; RuntimeError when the session was closed meanwhile."""


class _TryAgain(Exception):
    """`error` certainly came before anything began; `after` is what a 429 asked for, in seconds."""

    def __init__(self, error: ImageRouterError, after: float | None = None) -> None:
        super().__init__(str(error))
        self.error = error
        self.after = after


class Transport:
    """Owns the session; `bot.imagerouter.client` owns the meaning of the calls."""

    def __init__(
        self,
        *,
        api_key: str,
        base_url: URL,
        requests_per_second: float | None,
        limits: Limits,
        resolver: AbstractResolver | None,
    ) -> None:
        self._resolver = resolver
        self._authorization = f"Bearer {api_key}"
        self._secrets = (api_key,) if api_key else ()
        self._base_url = base_url
        self._limits = limits
        self._patience = aiohttp.ClientTimeout(
            total=limits.total_s, sock_connect=limits.connect_s, sock_read=limits.idle_s
        )
        self._pacer = Pacer(requests_per_second)
        self._session: aiohttp.ClientSession | None = None

    async def open(self) -> None:
        """Make the session; needs a running loop."""
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=0, keepalive_timeout=_KEEPALIVE_S, resolver=self._resolver
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={hdrs.USER_AGENT: USER_AGENT, hdrs.ACCEPT_ENCODING: "identity"},
            trust_env=False,
        )

    async def close(self) -> None:
        """Close the session and its connections; open requests fail."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            raise RuntimeError("use `async with ImageRouter(...)`")
        return self._session

    def url(self, path: str) -> URL:
        """Put a path, encoded already, behind the base URL."""
        return URL(str(self._base_url).rstrip("/") + path, encoded=True)

    # ---- Generations and edits -------------------------------------------------------------

    async def generate(
        self, path: str, body: bytes | MultipartBody, *, on_wait: OnWait | None
    ) -> Generation:
        """Send a request that costs money, and read its answer."""
        return await self._retrying(lambda: self._generate_once(path, body), on_wait)

    async def _generate_once(self, path: str, body: bytes | MultipartBody) -> Generation:
        headers = {hdrs.AUTHORIZATION: self._authorization}
        data: object = body
        if isinstance(body, MultipartBody):
            headers[hdrs.CONTENT_TYPE] = body.content_type
            headers[hdrs.CONTENT_LENGTH] = str(body.length)
            data = body.stream()
        else:
            headers[hdrs.CONTENT_TYPE] = "application/json"
        session = self._opened()
        status = 0
        reader = AnswerReader(
            limit=self._limits.answer_bytes, picture_limit=self._limits.picture_bytes
        )
        try:
            async with session.post(
                self.url(path),
                data=data,
                headers=headers,
                timeout=self._patience,
                allow_redirects=False,
            ) as response:
                status = response.status
                retry_after = _retry_after(response.headers)
                async for piece in response.content.iter_any():
                    reader.feed(piece)
        except TooLong:
            raise _unreadable(status, "too large") from None
        except _BROKEN as error:
            raise self._lost(error, body, status) from None
        finally:
            if isinstance(body, MultipartBody):
                body.close()
        return await _aside(reader.size, self._judge_generation, reader, status, retry_after)

    def _lost(self, error: Exception, body: bytes | MultipartBody, status: int) -> Exception:
        """Tell what a broken connection means for a request that costs money."""
        kind = type(error).__name__
        if isinstance(error, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError):
            return _TryAgain(NotStarted(kind))
        if status in _PROXY_STATUSES:
            return _TryAgain(NotStarted(f"HTTP {status}"))
        if _BAD_REQUEST <= status < _SERVER_ERROR:
            return self._refused(status, None)
        if isinstance(body, MultipartBody) and not body.complete:
            if body.unreadable:
                return RefusedRequest(Refusal.FILE_UNREADABLE, detail="a file changed")
            return NotStarted(f"{kind} during the upload")
        return OutcomeUnknown(kind)

    def _judge_generation(
        self, reader: AnswerReader, status: int, retry_after: float | None
    ) -> Generation:
        if _REDIRECT <= status < _BAD_REQUEST:
            raise NotStarted(f"HTTP {status}")
        try:
            parsed = reader.finish()
        except NotJson as error:
            if status in _PROXY_STATUSES:
                raise _TryAgain(NotStarted(f"HTTP {status}")) from None
            if _BAD_REQUEST <= status < _SERVER_ERROR:
                raise self._refused(status, retry_after) from None
            if error.empty or reader.cut_short:
                raise OutcomeUnknown("the answer ended early") from None
            raise _unreadable(status, "no JSON") from None
        if status in _PROXY_STATUSES and not (isinstance(parsed, dict) and parsed.get("error")):
            raise _TryAgain(NotStarted(f"HTTP {status}"))
        try:
            return parse_generation(
                parsed, status=status, retry_after=retry_after, secrets=self._secrets
            )
        except RateLimited as error:
            raise self._limited(error, retry_after) from None

    def _refused(self, status: int, retry_after: float | None) -> Exception:
        """Judge a refusal that has no JSON: it came before ImageRouter looked at the request."""
        if status not in _JUDGED_STATUSES:
            return NotStarted(f"HTTP {status}")
        error = judge(
            ErrorAnswer(status=status, message="", retry_after=retry_after), secrets=self._secrets
        )
        return self._limited(error, retry_after)

    @staticmethod
    def _limited(error: ImageRouterError, retry_after: float | None) -> Exception:
        if isinstance(error, RateLimited) and retry_after is not None:
            return _TryAgain(error, retry_after)
        return error

    # ---- Questions, which never cost anything -----------------------------------------------

    async def ask(
        self,
        method: str,
        url: URL,
        *,
        with_key: bool = True,
        headers: Mapping[str, str] | None = None,
        limit: int | None = None,
    ) -> Reply:
        """Send a request that is free; the answer's status is below 400 or 404.

        Raises:
            ImageRouterError: as the answer says; NotStarted when there is none in time.
        """
        sent = dict(headers or {})
        if with_key:
            sent[hdrs.AUTHORIZATION] = self._authorization
        size = self._limits.answer_bytes if limit is None else limit
        return await self._retrying(lambda: self._ask_once(method, url, sent, size), None)

    async def _ask_once(
        self, method: str, url: URL, headers: Mapping[str, str], limit: int
    ) -> Reply:
        timeout = aiohttp.ClientTimeout(
            total=self._limits.question_s, sock_connect=self._limits.connect_s
        )
        session = self._opened()
        try:
            async with session.request(
                method, url, headers=headers, timeout=timeout, allow_redirects=False
            ) as response:
                failed = response.status >= _BAD_REQUEST
                body = await _read(
                    response, limit=_QUESTION_ERROR_BYTES if failed else limit, cut=failed
                )
                reply = Reply(response.status, response.headers, body)
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise _TryAgain(NotStarted(type(error).__name__)) from None
        except _BROKEN as error:
            raise NotStarted(type(error).__name__) from None
        if reply.status >= _BAD_REQUEST and reply.status != 404:  # noqa: PLR2004 - an answer in itself
            raise await self._question_failed(reply)
        if _REDIRECT <= reply.status < _BAD_REQUEST and reply.status != _NOT_MODIFIED:
            raise NotStarted(f"HTTP {reply.status}")
        return reply

    async def _question_failed(self, reply: Reply) -> Exception:
        retry_after = _retry_after(reply.headers)
        try:
            parsed = await _aside(len(reply.body), parse_json, reply.body)
        except NotJson:
            parsed = None
        error = parsed.get("error") if isinstance(parsed, dict) else None
        if not error:
            if reply.status in _PROXY_STATUSES:
                return _TryAgain(NotStarted(f"HTTP {reply.status}"))
            if reply.status not in _JUDGED_STATUSES:
                return NotStarted(f"HTTP {reply.status}")
        answer = read_error(error, status=reply.status, retry_after=retry_after)
        return self._limited(judge(answer, secrets=self._secrets), retry_after)

    # ---- Trying again ------------------------------------------------------------------------

    async def _retrying(self, send: Callable[[], Awaitable[_T]], on_wait: OnWait | None) -> _T:
        """Repeat what certainly did not begin, in a bounded time.

        Where the server says when to come back, as often as that time allows: a burst above the
        account's rate is let in bit by bit. All else a bounded number of times.
        """
        left_s, failed = self._limits.retry_budget_s, 0
        last = time.monotonic() + self._limits.retry_within_s
        while True:
            await self._pacer.wait()
            try:
                return await send()
            except _TryAgain as again:
                pause, reason = again.after, again.error
                if pause:
                    pause = max(pause, _SHORTEST_PAUSE_S)
                else:
                    failed += 1
                if pause is None:
                    # Jittered, so that many requests do not come back in one moment.
                    pause = _FIRST_BACKOFF_S * 2 ** (failed - 1) * random.uniform(0.75, 1.25)  # noqa: S311 - no secret
                used_up = failed > self._limits.retries or pause > left_s
                if used_up or time.monotonic() > last:
                    raise reason from None
            left_s -= pause
            if on_wait is not None:
                on_wait(pause, reason)
            await asyncio.sleep(pause)


async def _aside(size: int, work: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
    """Do `work` on `size` bytes: at once when they are few, else in a thread."""
    if size < _ASIDE_BYTES:
        return work(*args, **kwargs)
    return await asyncio.to_thread(work, *args, **kwargs)


def _unreadable(status: int, what: str) -> ImageRouterError:
    """Judge a whole answer that is no JSON, by where in the request's life it came."""
    if _REDIRECT <= status < _SERVER_ERROR:
        return NotStarted(f"HTTP {status}")
    if status >= _SERVER_ERROR:
        return OutcomeUnknown(f"HTTP {status}")
    return MalformedAnswer(what)


async def _read(response: aiohttp.ClientResponse, *, limit: int, cut: bool) -> bytes:
    """Read a body of at most `limit` bytes; a longer one is cut, or raises MalformedAnswer."""
    body = bytearray()
    async for piece in response.content.iter_any():
        body += piece
        if len(body) > limit:
            if cut:
                break
            raise MalformedAnswer(f"more than {limit} bytes", billing=Billing.FREE)
    return bytes(body[:limit])


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Read `Retry-After` in seconds; dates are not used by ImageRouter and count as absent."""
    text = headers.get(hdrs.RETRY_AFTER, "")
    try:
        seconds = float(text)
    except ValueError:
        return None
    return seconds if math.isfinite(seconds) and seconds >= 0 else None
