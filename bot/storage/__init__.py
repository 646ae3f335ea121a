"""Money and jobs on disk: the ledger, the job store, and the database below them.

Import from here and nothing deeper.
"""

from bot.storage.database import Database, open_database
from bot.storage.jobs import Jobs
from bot.storage.ledger import Ledger
from bot.storage.models import (
    Charge,
    ChargeState,
    Delivery,
    DuplicateJob,
    HeldJob,
    Job,
    JobSummary,
    NewJob,
    Output,
    Settlement,
    Swept,
)

__all__ = [
    "Charge",
    "ChargeState",
    "Database",
    "Delivery",
    "DuplicateJob",
    "HeldJob",
    "Job",
    "JobSummary",
    "Jobs",
    "Ledger",
    "NewJob",
    "Output",
    "Settlement",
    "Swept",
    "open_database",
]
