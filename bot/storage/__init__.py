"""Money and jobs on disk: the ledger, the job store, and the database below them.

Import from here and nothing deeper.
"""

from bot.storage._erasing import Erasable
from bot.storage.alarms import Alarm, Alarms
from bot.storage.database import (
    BESIDE_NO_FILE,
    Database,
    forget_backups,
    open_database,
    read_database,
    scrub,
    sqlite_path,
)
from bot.storage.digests import Claim, DigestStore, SetDigest
from bot.storage.erasure import Erased, Erasure
from bot.storage.errors import (
    DatabaseInUse,
    MigrationError,
    StorageError,
    UnsupportedDatabase,
)
from bot.storage.hand_settling import (
    AboveHold,
    ChargeStory,
    HandSettling,
    NotSettleable,
    SettledByHand,
)
from bot.storage.jobs import Jobs
from bot.storage.ledger import Ledger
from bot.storage.masks import MaskStore
from bot.storage.model_policies import ModelPolicies
from bot.storage.models import (
    Charge,
    ChargeState,
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
from bot.storage.personal import PersonalData, Record
from bot.storage.policies import Policies
from bot.storage.policy_models import (
    THRESHOLDS,
    BlockedMember,
    Crossing,
    GuildConfig,
    Kind,
    Option,
    RuleChange,
    SetLimit,
    Spike,
    Standing,
    Tally,
    Trail,
    TrailPage,
    Who,
)
from bot.storage.preferences import EVERYWHERE, PreferenceStore, SetWishes
from bot.storage.promises import Promise, Promises
from bot.storage.reconciliations import (
    WHOLE_ACCOUNT,
    Check,
    Doubtful,
    Doubts,
    Reading,
    ReadReconciliations,
    Reconciliations,
)
from bot.storage.records import Example, Records, Try
from bot.storage.removals import Removal, Removals
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
from bot.storage.retention import DAY_MS, Kept, Retention
from bot.storage.small import OfferStore, Remembered
from bot.storage.tray import MOST_IN_TRAY, Added, Tray, TrayPicture

__all__ = [
    "BESIDE_NO_FILE",
    "DAY_MS",
    "EVERYWHERE",
    "MOST_IN_TRAY",
    "NOBODY",
    "THRESHOLDS",
    "WHOLE_ACCOUNT",
    "AboveHold",
    "Added",
    "Alarm",
    "Alarms",
    "Answer",
    "BlockedMember",
    "Charge",
    "ChargeLine",
    "ChargeState",
    "ChargeStory",
    "Check",
    "Claim",
    "Crossing",
    "Database",
    "DatabaseInUse",
    "DayOfModel",
    "Delivery",
    "DigestStore",
    "Doubtful",
    "Doubts",
    "DuplicateJob",
    "Erasable",
    "Erased",
    "Erasure",
    "Example",
    "Group",
    "GuildConfig",
    "HandSettling",
    "HeldJob",
    "Job",
    "JobState",
    "JobSummary",
    "Jobs",
    "Kept",
    "Kind",
    "Ledger",
    "MaskStore",
    "MigrationError",
    "ModelPolicies",
    "NewCharge",
    "NewJob",
    "NotSettleable",
    "OfferStore",
    "Option",
    "Outcomes",
    "Output",
    "PaintLink",
    "PaintLinks",
    "Part",
    "PersonalData",
    "Policies",
    "PolicyChanged",
    "PreferenceStore",
    "Promise",
    "Promises",
    "Query",
    "ReadReconciliations",
    "Reading",
    "Reconciliations",
    "Record",
    "Records",
    "Remembered",
    "Removal",
    "Removals",
    "Reports",
    "Retention",
    "RuleChange",
    "SetDigest",
    "SetLimit",
    "SetWishes",
    "SettledByHand",
    "Settlement",
    "Spike",
    "Standing",
    "StorageError",
    "Stretch",
    "Sums",
    "Swept",
    "Tally",
    "Trail",
    "TrailPage",
    "Tray",
    "TrayPicture",
    "Try",
    "UnsupportedDatabase",
    "Who",
    "forget_backups",
    "open_database",
    "read_database",
    "scrub",
    "sqlite_path",
]
