"""What the robot remembers of people, who must have agreed: their names, voices, faces, and what they allow.

Nothing is remembered unless somebody asks for it. On disk all of it, names included, is one file that is encrypted and
authenticated (AES-256-GCM). The key is `$HEARING_KEY`, or lies beside it in a file that only its owner can read; that
protects a copy of the one file, not of the whole folder.
"""

from __future__ import annotations

import base64
import binascii
import fcntl
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from hearing.errors import InputError
from hearing.likeness import Profile
from hearing.types import Float32Array
from hearing.voices.likelihood import VoiceLikelihood, own_weights

FILE, KEY_FILE = "people.enc", "key"
UNKNOWN = "unknown"
"""Whom `PeopleStore.identify` calls somebody who is not enrolled; nobody can be enrolled as that."""
STRANGER = -3.0
"""Log-likelihood ratio below which somebody is not whom he is said to be: it outweighs 20 : 1."""
_HEADER = b"hearing people\n"
_VERSION = 2
_NONCE_BYTES = 12
_KEY_BITS = 256


class Likelihood(Protocol):
    """What the likeness of voices or faces means, see `VoiceLikelihood` and `hearing.vision.likelihood`."""

    @property
    def encoder(self) -> str:
        """Name of the encoder whose embeddings can be compared."""

    def log_ratio(self, cosine: float, quality: float, other_quality: float) -> float:
        """Natural log-likelihood ratio of one person to two."""


@dataclass(slots=True)
class Person:
    """What is remembered of somebody.

    Attributes
    ----------
    voice, face
        How he sounds, and looks; nothing is in it if that was not enrolled.
    encoder, face_encoder
        Names of the encoders that they are of, see `VoiceEncoder.name` and `hearing.vision.identity.FaceEncoder.name`.
    about
        Languages, permissions, whatever else he wants to be known; values that JSON holds.
    """

    voice: Profile = field(default_factory=Profile)
    face: Profile = field(default_factory=Profile)
    encoder: str = ""
    face_encoder: str = ""
    about: dict[str, Any] = field(default_factory=dict)


def default_folder() -> Path:
    """Give the folder of people's memory, `$XDG_DATA_HOME/robot-hearing/people`; it need not exist."""
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "robot-hearing" / "people"


def load_key(folder: Path) -> bytes:
    """Return the key of a folder: `$HEARING_KEY`, or the key file, which is made if nobody is enrolled yet.

    Raises
    ------
    InputError
        If it is no key, or if it is lost.
    """
    path, chosen = folder / KEY_FILE, os.environ.get("HEARING_KEY")
    try:
        if chosen:
            return _decoded(chosen, "HEARING_KEY")
        if path.is_file():
            return _decoded(path.read_text(encoding="ascii", errors="replace"), str(path))
        if (folder / FILE).exists():
            raise InputError(f"{path}: the key of {folder / FILE} is lost; set HEARING_KEY, or remove that file")
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        key = AESGCM.generate_key(_KEY_BITS)
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(base64.urlsafe_b64encode(key) + b"\n")
        return key
    except OSError as error:
        raise InputError(f"{path}: no key can be read or written ({error.strerror}); choose another folder") from error


class PeopleStore:
    """People whom the robot knows.

    Parameters
    ----------
    folder
        Where the file is; it is made when somebody is enrolled.
    key
        Of 32 bytes, see `load_key`.
    likelihood
        Of which speaker encoder voices are, and what their likeness means; by default the package's own.

    Raises
    ------
    InputError
        If the key is wrong or the file is damaged; nothing is changed then.
    """

    def __init__(self, folder: Path, key: bytes, likelihood: VoiceLikelihood | None = None) -> None:
        self._path, self._cipher = folder / FILE, AESGCM(key)
        self._likelihood = likelihood or VoiceLikelihood.beside(own_weights())
        self._people = self._read()

    @property
    def people(self) -> dict[str, Person]:
        """Everybody by name, in order of enrolment."""
        return dict(self._people)

    def enroll(
        self,
        name: str,
        voice: Profile | None = None,
        face: Profile | None = None,
        about: dict[str, Any] | None = None,
        faces: Likelihood | None = None,
    ) -> None:
        """Remember somebody, or more of him; the file is complete on disk when this returns.

        Parameters
        ----------
        name
            Of the person.
        voice
            By the speaker encoder that the store's likelihood is of.
        face, faces
            And what likeness means by the encoder that it is of. What was by another encoder is replaced.
        about
            Whatever else shall be known.

        Raises
        ------
        InputError
            If there is no such name, nothing to remember, a voice or face clearly somebody else's than the one that
            is known by this name, or the file cannot be written.
        """
        name = " ".join(name.split())
        if not name or name.casefold() == UNKNOWN:
            raise InputError(f"{name!r} is no name of a person; give another one")
        if voice is None and face is None:
            raise InputError(f"{name}: neither a voice nor a face to remember; give one of them")
        with self._changing() as people:
            person = people.setdefault(name, Person())
            if voice is not None:
                known = person.voice if person.encoder == self._likelihood.encoder else Profile()
                person.voice, person.encoder = _joined(name, known, voice, self._likelihood), self._likelihood.encoder
            if face is not None and faces is not None:
                known = person.face if person.face_encoder == faces.encoder else Profile()
                person.face, person.face_encoder = _joined(name, known, face, faces), faces.encoder
            person.about |= about or {}

    def forget(self, name: str) -> None:
        """Remove all that is remembered of somebody.

        Raises
        ------
        InputError
            If nobody of that name is known, or the file cannot be written.
        """
        name = " ".join(name.split())
        if name not in self._people:
            raise InputError(f"{name}: nobody of that name is enrolled; see `hearing enroll --list`")
        with self._changing() as people:
            people.pop(name, None)

    def known(self) -> dict[str, Profile]:
        """Give everybody's voice by name; nothing is in those that are not known by the store's speaker encoder."""
        return {name: Profile() for name in self._people} | self.voices()

    def voices(self) -> dict[str, Profile]:
        """Give the voices, by name, of all whose voice is known by the store's speaker encoder."""
        return {
            name: person.voice
            for name, person in self._people.items()
            if person.voice.heard and person.encoder == self._likelihood.encoder
        }

    def faces(self, encoder: str) -> dict[str, Profile]:
        """Give the faces, by name, of all whose face is known by the face encoder of that name."""
        return {
            name: person.face
            for name, person in self._people.items()
            if person.face.heard and person.face_encoder == encoder
        }

    def identify(self, embedding: Float32Array, quality: float) -> dict[str, float]:
        """Compare a voice with everybody's.

        Parameters
        ----------
        embedding, quality
            Of a `VoicePrint` or a `Profile`; the embedding is of length 1 and of shape (n_dimensions,).

        Returns
        -------
        For everybody whose voice is known the natural log-likelihood ratio of being him to being somebody else, which
        is 0 for `UNKNOWN`; with the logarithms of prior probabilities added, a softmax gives those of all of them.
        """
        ratios = {
            name: self._likelihood.log_ratio(float(voice.embedding @ embedding), quality, voice.quality)
            for name, voice in self.voices().items()
        }
        return {**ratios, UNKNOWN: 0.0}

    @contextmanager
    def _changing(self) -> Iterator[dict[str, Person]]:
        """Give the people as the file has them now, and write what becomes of them; others wait meanwhile."""
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with open(self._path.with_suffix(".lock"), "wb") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                people = self._read()
                yield people
                self._write(people)
        except OSError as error:
            raise InputError(f"{self._path}: cannot be written ({error.strerror}); choose another folder") from error
        self._people = people

    def _read(self) -> dict[str, Person]:
        if not self._path.exists():
            return {}
        try:
            content = self._path.read_bytes()
        except OSError as error:
            raise InputError(f"{self._path}: cannot be read ({error.strerror}); check its permissions") from error
        if not content.startswith(_HEADER):
            raise InputError(f"{self._path}: not a file of people; restore or remove it")
        sealed = content[len(_HEADER) :]
        try:
            plain = self._cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], _HEADER)
        except (InvalidTag, ValueError) as error:
            raise InputError(
                f"{self._path}: the key is wrong, or the file is damaged; set HEARING_KEY to its key, or restore it"
            ) from error
        record = json.loads(plain)
        if record["version"] > _VERSION:
            raise InputError(f"{self._path}: version {record['version']}, not {_VERSION}; update, or remove it")
        return {name: _person(entry) for name, entry in record["people"].items()}

    def _write(self, people: dict[str, Person]) -> None:
        record = {"version": _VERSION, "people": {name: _entry(person) for name, person in people.items()}}
        nonce = os.urandom(_NONCE_BYTES)
        sealed = self._cipher.encrypt(nonce, json.dumps(record).encode(), _HEADER)
        handle, name = tempfile.mkstemp(dir=self._path.parent, prefix=f".{FILE}.")  # with mode 0600
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(_HEADER + nonce + sealed)
                file.flush()
                os.fsync(file.fileno())
            os.replace(name, self._path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise


def open_people(folder: Path) -> PeopleStore:
    """Open what is remembered of people in a folder.

    Raises
    ------
    InputError
        If nobody is enrolled there, the key is wrong or the file is damaged.
    """
    if not (folder / FILE).exists():
        raise InputError(f"{folder}: nobody is enrolled there; see `hearing enroll`, or give another folder")
    return PeopleStore(folder, load_key(folder))


def _joined(name: str, known: Profile, new: Profile, likelihood: Likelihood) -> Profile:
    """Add to what is known of somebody, if it can be his."""
    if known.heard:
        cosine = float(known.embedding @ new.embedding)
        if likelihood.log_ratio(cosine, new.quality, known.quality) < STRANGER:
            raise InputError(
                f"{name}: is unlike the one who is known by this name; choose another name, or "
                f"`hearing enroll --forget {json.dumps(name)}` first"
            )
    return known.joined(new)


def _decoded(text: str, where: str) -> bytes:
    try:
        key = base64.urlsafe_b64decode(text.strip())
    except (binascii.Error, ValueError):
        key = b""
    if 8 * len(key) != _KEY_BITS:
        raise InputError(f"{where}: no key; it must be {_KEY_BITS // 8} bytes in base64")
    return key


def _entry(person: Person) -> dict[str, Any]:
    return {
        "voice": person.voice.to_dict(),
        "encoder": person.encoder,
        "face": person.face.to_dict(),
        "face_encoder": person.face_encoder,
        "about": person.about,
    }


def _person(entry: dict[str, Any]) -> Person:
    face = Profile.from_dict(entry["face"]) if "face" in entry else Profile()  # version 1 had none
    return Person(
        voice=Profile.from_dict(entry["voice"]),
        face=face,
        encoder=entry["encoder"],
        face_encoder=entry.get("face_encoder", ""),
        about=dict(entry["about"]),
    )
