"""Jobs as people see them: what was asked, what came of it, and whether they have got it."""

from bot.clock import Clock
from bot.requests import ReplyRoute
from bot.storage.database import Database
from bot.storage.models import Job, JobSummary


class Jobs:
    """Reads jobs and records their delivery. Never moves money."""

    def __init__(self, db: Database, *, clock: Clock, process_id: int) -> None:
        """`process_id`: the same as the ledger's."""
        raise NotImplementedError

    async def get(self, job_id: int) -> Job | None:
        """A job with its charges and outputs, bytes included."""
        raise NotImplementedError

    async def set_reply(self, job_id: int, reply: ReplyRoute) -> bool:
        """Store where the answer goes. False when the job is closed already."""
        raise NotImplementedError

    async def mark_delivered(self, job_id: int, *, channel_id: int, message_id: int) -> bool:
        """Close a job: link its message, delete its stored bytes and the token. Once."""
        raise NotImplementedError

    async def mark_undeliverable(self, job_id: int, *, reason: str) -> bool:
        """Close a job whose answer nobody can get; deletes bytes and token. Once."""
        raise NotImplementedError

    async def open_deliveries(self) -> list[int]:
        """Ids of undelivered jobs of dead processes with nothing open, oldest first.

        Call it after a sweep; then `claim_delivery` and `get` each (bytes are heavy, so one by
        one).
        """
        raise NotImplementedError

    async def claim_delivery(self, job_id: int) -> bool:
        """Become the process that delivers this job; True for one process only."""
        raise NotImplementedError

    async def recent(self, user_id: int, *, limit: int = 10) -> list[JobSummary]:
        """A person's newest jobs, newest first."""
        raise NotImplementedError
