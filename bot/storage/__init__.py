"""Money and jobs on disk: the ledger, the job store, and the database below them.

Import from here and nothing deeper.
"""

from bot.storage.database import Database, open_database, sqlite_path
from bot.storage.errors import (
    DatabaseInUse,
    MigrationError,
    StorageError,
    UnsupportedDatabase,
)
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
from bot.storage.small import OfferStore, Remembered

__all__ = [
    "Charge",
    "ChargeState",
    "Database",
    "DatabaseInUse",
    "Delivery",
    "DuplicateJob",
    "HeldJob",
    "Job",
    "JobSummary",
    "Jobs",
    "Ledger",
    "MigrationError",
    "NewJob",
    "OfferStore",
    "Output",
    "Remembered",
    "Settlement",
    "StorageError",
    "Swept",
    "UnsupportedDatabase",
    "open_database",
    "sqlite_path",
]
