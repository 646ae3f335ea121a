"""The cached model list: what each model can do and costs, and how people find it by name.

Owns one catalogue a process, its refresh in the background and its copy on disk. ImageRouter's
answers are read by bot.imagerouter; who may use which model is for others to say.
"""

from bot.catalog._catalog import Catalog
from bot.catalog._lessons import Lesson
from bot.catalog._models import TEST_MODEL, Ability, Model, label
from bot.catalog._sizes import parse_size, size_choices

__all__ = [
    "TEST_MODEL",
    "Ability",
    "Catalog",
    "Lesson",
    "Model",
    "label",
    "parse_size",
    "size_choices",
]
