"""A local ImageRouter over a real socket: invented models, drawn pictures, an account that pays."""

from sandbox.imagerouter.account import Account, Charge
from sandbox.imagerouter.catalogue import DEFAULT_MODELS, Price, SandboxModel
from sandbox.imagerouter.faults import Fault, Faults, Gate
from sandbox.imagerouter.making import SentPicture
from sandbox.imagerouter.requests import ReceivedFile, ReceivedRequest
from sandbox.imagerouter.server import SANDBOX_KEY, ImageRouterServer

__all__ = [
    "DEFAULT_MODELS",
    "SANDBOX_KEY",
    "Account",
    "Charge",
    "Fault",
    "Faults",
    "Gate",
    "ImageRouterServer",
    "Price",
    "ReceivedFile",
    "ReceivedRequest",
    "SandboxModel",
    "SentPicture",
]
