"""Money and jobs on disk: the ledger, the job store, and the database below them.

Import from here and nothing deeper.
"""

from bot.storage.database import Database, open_database, sqlite_path
from bot.storage.erasure import Erased, Erasure
from bot.storage.errors import (
    DatabaseInUse,
    MigrationError,
    StorageError,
    UnsupportedDatabase,
)
from bot.storage.jobs import Jobs
from bot.storage.ledger import Ledger
from bot.storage.masks import MaskStore
from bot.storage.models import (
    Charge,
    ChargeState,
    Delivered,
    Delivery,
    DuplicateJob,
    HeldJob,
    Job,
    JobSummary,
    NewCharge,
    NewJob,
    Output,
    Settlement,
    Swept,
)
from bot.storage.paint_links import JobState, PaintLink, PaintLinks
from bot.storage.policies import Policies
from bot.storage.policy_models import (
    THRESHOLDS,
    BlockedMember,
    Crossing,
    GuildConfig,
    Option,
    RuleChange,
    SetLimit,
    Standing,
    Tally,
    Who,
)
from bot.storage.small import OfferStore, Remembered
from bot.storage.tray import MOST_IN_TRAY, Added, Tray, TrayPicture

__all__ = [
    "MOST_IN_TRAY",
    "THRESHOLDS",
    "Added",
    "BlockedMember",
    "Charge",
    "ChargeState",
    "Crossing",
    "Database",
    "DatabaseInUse",
    "Delivered",
    "Delivery",
    "DuplicateJob",
    "Erased",
    "Erasure",
    "GuildConfig",
    "HeldJob",
    "Job",
    "JobState",
    "JobSummary",
    "Jobs",
    "Ledger",
    "MaskStore",
    "MigrationError",
    "NewCharge",
    "NewJob",
    "OfferStore",
    "Option",
    "Output",
    "PaintLink",
    "PaintLinks",
    "Policies",
    "Remembered",
    "RuleChange",
    "SetLimit",
    "Settlement",
    "Standing",
    "StorageError",
    "Swept",
    "Tally",
    "Tray",
    "TrayPicture",
    "UnsupportedDatabase",
    "Who",
    "open_database",
    "sqlite_path",
]
