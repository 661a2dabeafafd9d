"""A command's options as a frozen dataclass: name, type, default and help of each stand in one place, its field."""

import argparse
from collections.abc import Callable
from dataclasses import MISSING, dataclass, fields
from types import NoneType
from typing import Any, Self, get_args, get_type_hints

from training.errors import TrainingError


def option(
    help: str,
    *,
    at_least: int | None = None,
    convert: Callable[[str], Any] | None = None,
    repeat: bool = False,
    positional: bool = False,
    **argparse_keywords: Any,
) -> dict[str, Any]:
    """Describe a field of an `Options` class, as its `metadata`. An option without a default is required.

    Args:
        help: What `--help` says of it; the default is added to that.
        at_least: The least number that is accepted.
        convert: Makes a value of one word of the command line; by default the field's type does, or the type of its
            elements.
        repeat: Whether the option may be given several times, with one value each; the field is a tuple.
        positional: Whether the words are given without the option's name before them.
        argparse_keywords: For `add_argument`: `choices`, `metavar`, `nargs`.
    """
    return {
        "help": help,
        "at_least": at_least,
        "convert": convert,
        "repeat": repeat,
        "positional": positional,
        "argparse": argparse_keywords,
    }


@dataclass(frozen=True, kw_only=True)
class Options:
    """What a command was asked for. Subclasses add fields that `option` describes, and checks in `__post_init__`."""

    def __post_init__(self) -> None:
        """Raise TrainingError for a number that is below what its field accepts."""
        for each in fields(self):
            least, value = each.metadata["at_least"], getattr(self, each.name)
            if least is not None and value < least:
                raise TrainingError(f"{_flag(each.name)} must be at least {least}; got {value}")

    @classmethod
    def parse(cls, command: str, description: str | None, arguments: list[str] | None = None) -> Self:
        """Read the options from a command line; print the usage and exit with status 2 if they are not acceptable.

        Args:
            command: The module that is run, for the usage: `python -m COMMAND`.
            description: What the command does, for `--help`.
            arguments: The words after the command; by default those of this process.
        """
        parser = argparse.ArgumentParser(prog=f"python -m {command}", description=description)
        hints = get_type_hints(cls)
        for each in fields(cls):
            name = each.name if each.metadata["positional"] else _flag(each.name)
            parser.add_argument(name, **_keywords(each.metadata, each.default, hints[each.name]))
        parser.add_argument("--debug", action="store_true", help="show where in the program an error arose")
        given = vars(parser.parse_args(arguments))
        del given["debug"]  # for `run_command`, which looks for it itself, since errors may come before this
        try:
            return cls(**{name: tuple(value) if isinstance(value, list) else value for name, value in given.items()})
        except TrainingError as error:
            parser.error(str(error))


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")


def _keywords(metadata: Any, default: Any, hint: Any) -> dict[str, Any]:
    """What `add_argument` is told about one field."""
    keywords = {"help": metadata["help"], **metadata["argparse"]}
    if hint is bool:
        return keywords | {"action": "store_true"}
    elements = [kind for kind in get_args(hint) if kind not in (NoneType, Ellipsis)]  # of X | None and tuple[X, ...]
    keywords["type"] = metadata["convert"] or (elements[0] if elements else hint)
    if metadata["repeat"]:
        keywords["action"] = "append"
    if default is MISSING:
        return keywords if metadata["positional"] else keywords | {"required": True}
    if default not in (None, ()):
        shown = " ".join(map(str, default)) if isinstance(default, tuple) else default
        keywords["help"] += f" (default {shown})".replace("%", "%%")
    return keywords | {"default": list(default) if isinstance(default, tuple) else default}
