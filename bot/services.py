"""The graph of services, as the commands see it. Built by `bot.graph`, and by tests."""

from dataclasses import dataclass

from bot.alerts import Alerts
from bot.catalog import Catalog
from bot.clock import Clock
from bot.delivery import Delivery
from bot.digest_posts import DigestPosts
from bot.generation import Generation
from bot.imagerouter import ImageRouter
from bot.images import ImageTools
from bot.inputs import Inputs
from bot.offers import Offers
from bot.operator_watch import OperatorWatch
from bot.painting import Painting
from bot.planner import Planner
from bot.policing import Policing
from bot.preferences import Preferences
from bot.records import ModelRecords
from bot.recovery import Recovery
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
    Reports,
)
from bot.telling import Teller


@dataclass(frozen=True, slots=True)
class Services:
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
    offers: Offers
    painting: Painting
    alerts: Alerts
    operator_watch: OperatorWatch
    digests: DigestStore
    digest_posts: DigestPosts
    reports: Reports
    report_files: ReportFiles
    drawing: Drawing
