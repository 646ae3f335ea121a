"""Money and jobs on disk: the ledger, the job store, and the database below them.

Import from here and nothing deeper.
"""

from bot.storage.database import Database, open_database, read_database, sqlite_path
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
from bot.storage.model_policies import ModelPolicies
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
    PolicyChanged,
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
from bot.storage.preferences import EVERYWHERE, PreferenceStore, SetWishes
from bot.storage.promises import Promise, Promises
from bot.storage.records import Example, Records, Try
from bot.storage.report_models import (
    NOBODY,
    Answer,
    ChargeLine,
    DayOfModel,
    Group,
    Outcomes,
    Part,
    Query,
    Stretch,
    Sums,
)
from bot.storage.reports import Reports
from bot.storage.small import OfferStore, Remembered
from bot.storage.tray import MOST_IN_TRAY, Added, Tray, TrayPicture

__all__ = [
    "EVERYWHERE",
    "MOST_IN_TRAY",
    "NOBODY",
    "THRESHOLDS",
    "Added",
    "Answer",
    "BlockedMember",
    "Charge",
    "ChargeLine",
    "ChargeState",
    "Crossing",
    "Database",
    "DatabaseInUse",
    "DayOfModel",
    "Delivered",
    "Delivery",
    "DuplicateJob",
    "Erased",
    "Erasure",
    "Example",
    "Group",
    "GuildConfig",
    "HeldJob",
    "Job",
    "JobState",
    "JobSummary",
    "Jobs",
    "Ledger",
    "MaskStore",
    "MigrationError",
    "ModelPolicies",
    "NewCharge",
    "NewJob",
    "OfferStore",
    "Option",
    "Outcomes",
    "Output",
    "PaintLink",
    "PaintLinks",
    "Part",
    "Policies",
    "PolicyChanged",
    "PreferenceStore",
    "Promise",
    "Promises",
    "Query",
    "Records",
    "Remembered",
    "Reports",
    "RuleChange",
    "SetLimit",
    "SetWishes",
    "Settlement",
    "Standing",
    "StorageError",
    "Stretch",
    "Sums",
    "Swept",
    "Tally",
    "Tray",
    "TrayPicture",
    "Try",
    "UnsupportedDatabase",
    "Who",
    "open_database",
    "read_database",
    "sqlite_path",
]
