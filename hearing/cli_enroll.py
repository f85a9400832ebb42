"""`hearing enroll`: make people known to the robot, if they agree; list and forget them."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hearing.console import say
from hearing.errors import InputError

if TYPE_CHECKING:
    from hearing.likeness import Profile
    from hearing.memory import PeopleStore, Person
    from hearing.vision.likelihood import FaceLikelihood

_STORED = "the name, what tells voice or face from others (no recording, no picture) and what --about says, encrypted,"


def enroll(
    name: Annotated[str | None, typer.Argument(help="Name of the person.")] = None,
    voice: Annotated[
        list[Path] | None, typer.Option(help="Recording in which only this person speaks; give several in turn.")
    ] = None,
    seconds: Annotated[float | None, typer.Option(help="Record so many seconds from the microphone.")] = None,
    face: Annotated[
        list[Path] | None,
        typer.Option(help="Photograph or video that shows only this person; give several in turn."),
    ] = None,
    camera: Annotated[int | None, typer.Option(help="Look through the camera of this number, the first is 0.")] = None,
    about: Annotated[
        list[str] | None, typer.Option(help="KEY=VALUE to be known besides, such as languages=en,de.")
    ] = None,
    people: Annotated[Path | None, typer.Option(help="Folder of what is remembered; by default the user's.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="The person has agreed: do not ask.")] = False,
    forget: Annotated[bool, typer.Option("--forget", help="Remove all that is remembered of NAME.")] = False,
    listing: Annotated[bool, typer.Option("--list", help="List who is known.")] = False,
) -> None:
    """Make a person known to the robot by voice and face, with their consent; or forget them."""
    from hearing.memory import default_folder

    folder = people or default_folder()
    evidence = _Evidence(voice or [], seconds, face or [], camera)
    wanted = bool(evidence.voice or evidence.seconds or evidence.face or evidence.camera is not None)
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
        raise InputError(f"how does {name} sound or look? give --voice FILE or --face FILE; see --help")
    else:
        _enroll(folder, name, evidence, _pairs(about or []), yes)


@dataclass(frozen=True, slots=True)
class _Evidence:
    """What the user gives of a person."""

    voice: Sequence[Path] = ()
    seconds: float | None = None
    face: Sequence[Path] = ()
    camera: int | None = None


def _enroll(folder: Path, name: str, evidence: _Evidence, about: dict[str, str], yes: bool) -> None:
    from hearing.memory import PeopleStore, load_key

    if evidence.seconds is not None and not 1 <= evidence.seconds <= 600:
        raise InputError(f"--seconds is {evidence.seconds:g}; give 1 to 600")
    for path in (*evidence.voice, *evidence.face):
        if not path.is_file():
            raise InputError(f"{path}: no such file; check the path")
    if not (yes or _agrees(folder, name)):
        say("nothing is stored")
        return
    voice = _voice(name, evidence)
    face, faces = _face(evidence)
    PeopleStore(folder, load_key(folder)).enroll(name, voice, face, about, faces)
    say(f"{name} is known: {_STORED} in {folder}; `hearing enroll --forget {json.dumps(name)}` removes it")


def _voice(name: str, evidence: _Evidence) -> Profile | None:
    """Learn the voice, if the user gives some of it."""
    if not evidence.voice and evidence.seconds is None:
        return None
    from hearing.enrolment import enroll_voice, recorded, recorded_live
    from hearing.voices import VoiceEncoder

    recordings = [recorded(path) for path in evidence.voice]
    if evidence.seconds is not None:
        say(f"recording {evidence.seconds:g} s: {name}, please speak")
        recordings.append(recorded_live(evidence.seconds))
    return enroll_voice(recordings, VoiceEncoder())


def _face(evidence: _Evidence) -> tuple[Profile | None, FaceLikelihood | None]:
    """Learn the face, if the user shows it; also tell what its likeness to others means."""
    if not evidence.face and evidence.camera is None:
        return None, None
    try:
        from hearing.vision.enrolment import enroll_face, looked_at, photographed
        from hearing.vision.identity import FaceEncoder
    except ImportError as error:
        raise InputError(f"{error}; faces need more packages: pip install 'robot-hearing[vision]'") from error
    encoder = FaceEncoder()
    pictures = [(str(path), photographed(path)) for path in evidence.face]
    if evidence.camera is not None:
        pictures.append((f"camera {evidence.camera}", looked_at(evidence.camera)))
    return enroll_face(pictures, encoder), encoder.likelihood


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
    parts = [
        f"voice ({person.voice.heard} recordings)" if person.voice.heard else "",
        f"face ({person.face.heard} pictures)" if person.face.heard else "",
    ]
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
