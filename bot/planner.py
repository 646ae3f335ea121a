"""Plans a request for somebody: by what their guild lets them use, and with whose default model.

`bot.planning` has the rules of a plan, `bot.policy` those of a guild; this brings them together for
everybody who needs a plan: jobs, the painter, and questions about what a job would cost.
"""

from msgspec.structs import replace

from bot.catalog import TEST_MODEL, Catalog
from bot.errors import ChannelNotAllowed, PrivateNotAllowed, PromptBlocked
from bot.outcomes import Note
from bot.planning import Plan, plan
from bot.policing import Policing
from bot.policy import Allowance, ModelNotAllowed
from bot.preferences import Preferences
from bot.requests import Actor, ImageRequest

_JUST_READ_MS = 5_000
"""How old what a person wants may be: their command has read it already."""
_BY_POLICY = (ModelNotAllowed, ChannelNotAllowed, PrivateNotAllowed, PromptBlocked)


class Planner:
    """Makes plans; keeps nothing."""

    def __init__(
        self,
        *,
        catalog: Catalog,
        policing: Policing,
        preferences: Preferences,
        default_model: str | None,
    ) -> None:
        """`default_model`: the operator's; None is the free test model."""
        self._catalog = catalog
        self._policing = policing
        self._preferences = preferences
        self._default_model = default_model or TEST_MODEL

    async def plan(self, actor: Actor, request: ImageRequest) -> Plan:
        """Check what `actor` asks for where they are, and choose its model.

        What another process has allowed meanwhile is looked up before anybody is refused for it.

        Raises:
            RequestError: it can't work as it is, or is not allowed; it carries what would.
            RefusedRequest: ImageRouter takes no such prompt.
            LedgerUnavailable: the guild's rules, or what they want, can't be read.
        """
        allowed = await self._policing.allowed(actor)
        try:
            return await self._judge(allowed, request)
        except _BY_POLICY:
            self._policing.forget_guild(actor.guild_id)
            now = await self._policing.allowed(actor)
            if now.policy.version == allowed.policy.version:
                raise
            return await self._judge(now, request)

    async def plan_anew(self, actor: Actor, request: ImageRequest) -> Plan:
        """Like `plan`, by what is set now: what was known of it has changed."""
        self._policing.forget_guild(actor.guild_id)
        return await self.plan(actor, request)

    async def shown(self, actor: Actor) -> Allowance:
        """Return what `actor` may use, for lists and offers; never fails."""
        return await self._policing.shown(actor)

    async def _judge(self, allowed: Allowance, request: ImageRequest) -> Plan:
        own = None
        if _leaves_choice(request):
            wishes = await self._preferences.wishes(allowed.actor, within_ms=_JUST_READ_MS)
            own = wishes.model
        defaults = self._defaults(allowed, own)
        planned = plan(request, self._catalog, defaults=defaults, allowed=allowed)
        await self._policing.check_prompt(allowed.actor.guild_id, request.prompt)
        if not _leaves_choice(request):
            return planned
        whose = {allowed.policy.default_model: Note.GUILD_DEFAULT, own: Note.OWN_DEFAULT}
        note = whose.get(planned.model.id)
        return planned if note is None else replace(planned, notes=planned.notes | {note})

    def defaults(self, allowed: Allowance) -> list[str]:
        """Return the models that are tried when nobody names one, the first first.

        From memory, for what is only shown: the person's own may have changed elsewhere.
        """
        return self._defaults(allowed, self._preferences.remembered(allowed.actor).model)

    def _defaults(self, allowed: Allowance, own: str | None) -> list[str]:
        wanted = (own, allowed.policy.default_model, self._default_model)
        return [model for model in wanted if model is not None]


def _leaves_choice(request: ImageRequest) -> bool:
    """Whether nobody has named a model."""
    return request.model is None and not request.models
