"""A line on each finished job in the log channel of its guild, where there is one.

Who, by which model, for how much, and where it can be seen; never what was asked for, and of
private results not where they are. A courtesy: that it can't be posted is only logged.
"""

import logging

from bot.cards import JobLine, Messenger, Posted, RouteBusy, RouteClosed, UploadTooLarge
from bot.errors import LedgerUnavailable
from bot.outcomes import Report
from bot.policing import Policing
from bot.requests import NO_GUILD
from bot.storage import Jobs

_log = logging.getLogger(__name__)


class JobLog:
    """Owns no task: whoever has told a person of a job has it noted, too."""

    def __init__(self, *, policing: Policing, jobs: Jobs, messenger: Messenger) -> None:
        self._policing = policing
        self._jobs = jobs
        self._messenger = messenger

    async def note(self, report: Report) -> None:
        """Post the line of a job whose person has been told."""
        job = report.job
        if job.actor.guild_id == NO_GUILD:
            return
        try:
            policy = await self._policing.for_guild(job.actor.guild_id)
            if policy.log_channel is None:
                return
            card = JobLine(report, None if job.private else await self._shown_at(job.id))
            await self._messenger.post(policy.log_channel, card, nonce=f"l{job.id}")
        except (LedgerUnavailable, RouteBusy, RouteClosed, UploadTooLarge) as error:
            _log.info("Job %d is not in the log channel: %r", job.id, error)

    async def _shown_at(self, job_id: int) -> Posted | None:
        job = await self._jobs.get(job_id)
        if job is None or job.message_id is None:
            return None
        return Posted(job.message_channel_id or 0, job.message_id)
