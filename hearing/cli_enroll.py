"""`hearing enroll`: make people known to the robot, if they agree; list and forget them."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hearing.console import say
from hearing.errors import InputError

if TYPE_CHECKING:
    from hearing.memory import PeopleStore, Person

_STORED = "the name, what tells the voice from others (no recording) and what --about says, encrypted,"


def enroll(
    name: Annotated[str | None, typer.Argument(help="Name of the person.")] = None,
    voice: Annotated[
        list[Path] | None, typer.Option(help="Recording in which only this person speaks; give several in turn.")
    ] = None,
    seconds: Annotated[float | None, typer.Option(help="Record so many seconds from the microphone.")] = None,
    about: Annotated[
        list[str] | None, typer.Option(help="KEY=VALUE to be known besides, such as languages=en,de.")
    ] = None,
    people: Annotated[Path | None, typer.Option(help="Folder of what is remembered; by default the user's.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="The person has agreed: do not ask.")] = False,
    forget: Annotated[bool, typer.Option("--forget", help="Remove all that is remembered of NAME.")] = False,
    listing: Annotated[bool, typer.Option("--list", help="List who is known.")] = False,
) -> None:
    """Make a person known to the robot by voice, with their consent; or forget them."""
    from hearing.memory import default_folder

    folder = people or default_folder()
    wanted = bool(voice or seconds)
    if listing:
        if name or forget or wanted:
            raise InputError("--list stands alone; leave out the rest")
        _list(folder)
    elif name is None:
        raise InputError("whom? give a NAME, or --list; see `hearing enroll --help`")
    elif forget:
        if wanted:
            raise InputError("--forget needs a NAME only; leave out the rest")
        _opened(folder, name).forget(name)
        say(f"{name} is forgotten")
    elif not wanted:
        raise InputError(f"how does {name} sound? give --voice FILE, or --seconds N to record")
    else:
        _enroll(folder, name, voice or [], seconds, _pairs(about or []), yes)


def _enroll(
    folder: Path,
    name: str,
    voice: list[Path],
    seconds: float | None,
    about: dict[str, str],
    yes: bool,
) -> None:
    from hearing.enrolment import enroll_voice, recorded, recorded_live
    from hearing.memory import PeopleStore, load_key
    from hearing.voices import VoiceEncoder

    if seconds is not None and not 1 <= seconds <= 600:
        raise InputError(f"--seconds is {seconds:g}; give 1 to 600")
    recordings = [recorded(path) for path in voice]
    if not (yes or _agrees(folder, name)):
        say("nothing is stored")
        return
    if seconds is not None:
        say(f"recording {seconds:g} s: {name}, please speak")
        recordings.append(recorded_live(seconds))
    profile = enroll_voice(recordings, VoiceEncoder())
    PeopleStore(folder, load_key(folder)).enroll(name, profile, about=about)
    say(f"{name} is known: {_STORED} in {folder}; `hearing enroll --forget {json.dumps(name)}` removes it")


def _agrees(folder: Path, name: str) -> bool:
    """Say what will be stored, and ask whether that is wanted."""
    if not sys.stdin.isatty():
        raise InputError(f"nobody is here to answer; ask {name} whether {_STORED} may be kept, then add --yes")
    say(
        f"to know {name} again, {_STORED} will be kept in {folder}; it goes nowhere else and can be removed at any time"
    )
    return typer.confirm(f"Does {name} agree?", err=True)


def _list(folder: Path) -> None:
    known = _opened(folder).people
    if not known:
        say("nobody is known")
    for name, person in known.items():
        print(_line(name, person))


def _line(name: str, person: Person) -> str:
    parts = [f"voice ({person.voice.heard} recordings)" if person.voice.heard else "", "face" if person.faces else ""]
    told = [f"{key}={value}" for key, value in person.about.items()]
    return f"{name}: {', '.join([*filter(None, parts), *told])}"


def _opened(folder: Path, name: str | None = None) -> PeopleStore:
    """Open the store; without one no key is made."""
    from hearing.memory import FILE, PeopleStore, load_key

    if not (folder / FILE).exists():
        if name is not None:
            raise InputError(f"{name}: nobody is enrolled in {folder}")
        return PeopleStore(folder, bytes(32))
    return PeopleStore(folder, load_key(folder))


def _pairs(about: list[str]) -> dict[str, Any]:
    pairs = {}
    for text in about:
        key, sign, value = text.partition("=")
        if not (key and sign):
            raise InputError(f"--about {text}: not KEY=VALUE")
        pairs[key] = value
    return pairs
