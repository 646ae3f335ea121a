"""The graph of services, as the commands see it. Built by `bot.graph`, and by tests."""

from msgspec import Struct

from bot.alerts import Alerts
from bot.catalog import Catalog
from bot.clock import Clock
from bot.delivery import Delivery
from bot.digest_posts import DigestPosts
from bot.generation import Generation
from bot.imagerouter import ImageRouter
from bot.images import ImageTools
from bot.inputs import Inputs
from bot.keeping import Keeper
from bot.offers import Offers
from bot.operator_watch import OperatorWatch
from bot.painting import Painting
from bot.planner import Planner
from bot.policing import Policing
from bot.preferences import Preferences
from bot.privacy import Privacy
from bot.reconciling import Books
from bot.records import ModelRecords
from bot.recovery import Recovery
from bot.removing import Remover
from bot.report_drawing import Drawing
from bot.report_files import ReportFiles
from bot.settings import Settings
from bot.storage import (
    Database,
    DigestStore,
    Jobs,
    Ledger,
    ModelPolicies,
    Policies,
    Removals,
    Reports,
)
from bot.takeout import Takeouts
from bot.telling import Teller


class Services(Struct, frozen=True):
    """Everything a command may use."""

    settings: Settings
    clock: Clock
    database: Database
    ledger: Ledger
    jobs: Jobs
    policies: Policies
    model_policies: ModelPolicies
    policing: Policing
    planner: Planner
    catalog: Catalog
    preferences: Preferences
    records: ModelRecords
    router: ImageRouter
    generation: Generation
    teller: Teller
    inputs: Inputs
    tools: ImageTools
    delivery: Delivery
    recovery: Recovery
    books: Books
    offers: Offers
    painting: Painting
    alerts: Alerts
    privacy: Privacy
    takeouts: Takeouts
    removals: Removals
    remover: Remover
    keeper: Keeper
    operator_watch: OperatorWatch
    digests: DigestStore
    digest_posts: DigestPosts
    reports: Reports
    report_files: ReportFiles
    drawing: Drawing
