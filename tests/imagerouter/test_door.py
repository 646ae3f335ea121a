"""The package has one door, and every public name goes through it."""

import inspect

import bot.imagerouter as door
from bot.errors import BotError
from bot.imagerouter import errors, models


def test_every_error_and_every_type_is_exported() -> None:
    for module in (errors, models):
        for name, value in vars(module).items():
            if inspect.isclass(value) and value.__module__ == module.__name__:
                assert getattr(door, name) is value


def test_the_list_of_names_is_true_and_sorted() -> None:
    assert sorted(door.__all__, key=lambda name: (not name.isupper(), name)) == door.__all__
    assert all(hasattr(door, name) for name in door.__all__)


def test_every_error_is_drawn_in_the_tree_and_known_to_the_bot() -> None:
    classes = [
        value
        for value in vars(errors).values()
        if inspect.isclass(value) and issubclass(value, errors.ImageRouterError)
    ]
    assert len(classes) == 15
    for each in classes:
        assert issubclass(each, BotError)
        assert each.__name__ in (errors.__doc__ or "")


def test_every_public_method_says_what_it_does() -> None:
    for name, method in inspect.getmembers(door.ImageRouter, inspect.isfunction):
        if not name.startswith("_"):
            assert inspect.getdoc(method), name
