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
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from hearing.errors import InputError
from hearing.types import Float32Array
from hearing.voices.likelihood import VoiceLikelihood, own_weights
from hearing.voices.profile import VoiceProfile

FILE, KEY_FILE = "people.enc", "key"
UNKNOWN = "unknown"
"""Whom `PeopleStore.identify` calls somebody who is not enrolled; nobody can be enrolled as that."""
_HEADER = b"hearing people\n"
_VERSION = 1
_NONCE_BYTES = 12
_KEY_BITS = 256


@dataclass(slots=True)
class Person:
    """What is remembered of somebody.

    Attributes
    ----------
    voice
        How he sounds; nothing is heard in it if the voice was not enrolled.
    encoder
        Name of the speaker encoder that heard it, see `VoiceEncoder.name`.
    faces
        Embeddings of his face, each of shape (n_dimensions,).
    about
        Languages, permissions, whatever else he wants to be known; values that JSON holds.
    """

    voice: VoiceProfile = field(default_factory=VoiceProfile)
    encoder: str = ""
    faces: list[Float32Array] = field(default_factory=list)
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
        voice: VoiceProfile | None = None,
        faces: Sequence[Float32Array] = (),
        about: dict[str, Any] | None = None,
    ) -> None:
        """Remember somebody, or more of him; the file is complete on disk when this returns.

        Raises
        ------
        InputError
            If there is no such name, nothing to remember, or the file cannot be written.
        """
        name = " ".join(name.split())
        if not name or name.casefold() == UNKNOWN:
            raise InputError(f"{name!r} is no name of a person; give another one")
        if voice is None and not faces:
            raise InputError(f"{name}: neither a voice nor a face to remember; give one of them")
        with self._changing() as people:
            person = people.setdefault(name, Person())
            if voice is not None:
                known = person.voice if person.encoder == self._likelihood.encoder else VoiceProfile()
                person.voice, person.encoder = known.joined(voice), self._likelihood.encoder
            person.faces += [np.asarray(face, np.float32) for face in faces]
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

    def identify(self, embedding: Float32Array, quality: float) -> dict[str, float]:
        """Compare a voice with everybody's.

        Parameters
        ----------
        embedding, quality
            Of a `VoicePrint` or a `VoiceProfile`; the embedding is of length 1 and of shape (n_dimensions,).

        Returns
        -------
        For everybody whose voice is known the natural log-likelihood ratio of being him to being somebody else, which
        is 0 for `UNKNOWN`; with the logarithms of prior probabilities added, a softmax gives those of all of them.
        """
        ratios = {
            name: self._likelihood.log_ratio(float(person.voice.embedding @ embedding), quality, person.voice.quality)
            for name, person in self._people.items()
            if person.voice.heard and person.encoder == self._likelihood.encoder
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
        if record["version"] != _VERSION:
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
        "faces": [face.tolist() for face in person.faces],
        "about": person.about,
    }


def _person(entry: dict[str, Any]) -> Person:
    faces = [np.array(face, np.float32) for face in entry["faces"]]
    return Person(VoiceProfile.from_dict(entry["voice"]), entry["encoder"], faces, dict(entry["about"]))
