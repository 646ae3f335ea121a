"""Discord's rate limits: a bucket for each route and place, and one for everything together.

The windows are measured in real time, as the bot's waiting is. Source: Discord's documentation,
"Rate Limits"; the numbers are those that bots meet in practice, since Discord publishes none.
"""

import hashlib
import time
from dataclasses import dataclass
from typing import Final

_GLOBAL_LIMIT: Final = 50
_GLOBAL_WINDOW_S: Final = 1.0
_DEFAULT: Final = (50, 1.0)
_LIMITS: Final = {
    "POST /channels/{channel_id}/messages": (5, 5.0),
    "PATCH /channels/{channel_id}/messages/{message_id}": (5, 5.0),
    "DELETE /channels/{channel_id}/messages/{message_id}": (5, 1.0),
    "POST /webhooks/{webhook_id}/{webhook_token}": (5, 5.0),
    "PATCH /webhooks/{webhook_id}/{webhook_token}/messages/{message_id}": (5, 5.0),
    "DELETE /webhooks/{webhook_id}/{webhook_token}/messages/{message_id}": (5, 5.0),
}
_UNLIMITED: Final = 10_000
_SWEEP_ABOVE: Final = 1_000
_SWEEP_EVERY_S: Final = 5.0


@dataclass(slots=True)
class _Bucket:
    limit: int
    window: float
    resets_at: float = 0.0
    used: int = 0


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a request may pass, and the headers of its answer."""

    headers: dict[str, str]
    retry_after: float | None = None
    """Seconds; None: it may pass."""
    is_global: bool = False


class RateLimits:
    """Counts requests."""

    def __init__(self) -> None:
        self.enforced = True
        self._buckets: dict[str, _Bucket] = {}
        self._swept_at = 0.0
        self._global = _Bucket(_GLOBAL_LIMIT, _GLOBAL_WINDOW_S)

    def take(self, method: str, template: str, *, major: str, counts_globally: bool) -> Verdict:
        """Count one request; `major` is the channel, guild or webhook that it is about."""
        template = template.replace("/messages/@original", "/messages/{message_id}")
        route = f"{method} {template}"
        name = hashlib.sha256(route.encode()).hexdigest()[:16]
        now = time.monotonic()
        if not self.enforced:
            spare = _Bucket(_UNLIMITED, 1.0, now + 1.0, 1)
            return Verdict(_headers(spare, name, now))
        if counts_globally and not _admit(self._global, now):
            left = self._global.resets_at - now
            headers = {"X-RateLimit-Global": "true", "X-RateLimit-Scope": "global"}
            return Verdict(headers, left, is_global=True)
        bucket = self._bucket(f"{route} {major}", route, now)
        admitted = _admit(bucket, now)
        headers = _headers(bucket, name, now)
        if admitted:
            return Verdict(headers)
        headers["X-RateLimit-Scope"] = "user"
        return Verdict(headers, bucket.resets_at - now)

    def _bucket(self, key: str, route: str, now: float) -> _Bucket:
        if len(self._buckets) > _SWEEP_ABOVE and now - self._swept_at > _SWEEP_EVERY_S:
            self._swept_at = now
            self._buckets = {k: b for k, b in self._buckets.items() if b.resets_at > now}
        bucket = self._buckets.get(key)
        if bucket is None:
            bucket = self._buckets[key] = _Bucket(*_LIMITS.get(route, _DEFAULT))
        return bucket


def _admit(bucket: _Bucket, now: float) -> bool:
    if now >= bucket.resets_at:
        bucket.resets_at, bucket.used = now + bucket.window, 0
    if bucket.used >= bucket.limit:
        return False
    bucket.used += 1
    return True


def _headers(bucket: _Bucket, name: str, now: float) -> dict[str, str]:
    after = max(0.0, bucket.resets_at - now)
    return {
        "X-RateLimit-Limit": str(bucket.limit),
        "X-RateLimit-Remaining": str(bucket.limit - bucket.used),
        "X-RateLimit-Reset": f"{time.time() + after:.3f}",
        "X-RateLimit-Reset-After": f"{after:.3f}",
        "X-RateLimit-Bucket": name,
    }
