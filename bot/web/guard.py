"""What holds for every answer of the bot's web server: headers, refusals as JSON, small 404s."""

import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from aiohttp import web

_log = logging.getLogger(__name__)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
"""Own scripts, styles and pictures, and nothing else from anywhere."""

HEADERS: Final = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
    "X-Robots-Tag": "noindex, nofollow",
}

_NOT_FOUND: Final = 404
_FAULT: Final = 500


class Refusal(Exception):
    """An answer that says no, in words for the person: `title`, `body`, and what a page acts on."""

    def __init__(
        self,
        status: int,
        code: str,
        title: str,
        body: str,
        *,
        more: Mapping[str, object] | None = None,
        retry_after_s: float = 0.0,
    ) -> None:
        super().__init__(code)
        self.status = status
        self.answer: dict[str, object] = {"code": code, "title": title, "body": body}
        self.answer.update(more or {})
        self.retry_after_s = retry_after_s

    def response(self) -> web.Response:
        """Return it as JSON."""
        response = web.json_response(self.answer, status=self.status)
        if self.retry_after_s:
            response.headers["Retry-After"] = str(max(1, round(self.retry_after_s)))
        return response


@web.middleware
async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn refusals into answers, and say nothing of a fault but that there was one."""
    try:
        return await handler(request)
    except Refusal as refusal:
        return refusal.response()
    except web.HTTPException as error:
        if error.status == _NOT_FOUND:
            return web.Response(status=_NOT_FOUND, text="There is nothing here.\n")
        return web.Response(status=error.status, text=f"{error.reason}.\n", headers=_allowed(error))
    except Exception:  # noqa: BLE001 - it is logged, and strangers learn nothing from it
        # Without the address: it holds a link's signature.
        _log.exception("A fault in the web server")
        fault = Refusal(_FAULT, "fault", "Something broke", "It is in the log. Try again.")
        return fault.response()


def _allowed(error: web.HTTPException) -> dict[str, str]:
    return {"Allow": error.headers["Allow"]} if "Allow" in error.headers else {}


async def harden(_: web.Request, response: web.StreamResponse) -> None:
    """Put the headers on every answer, streamed ones too."""
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers.setdefault("Cache-Control", "no-store")
    response.headers.pop("Server", None)
