from __future__ import annotations

import base64
import json
import stat
from pathlib import Path

import numpy as np
import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from hearing.errors import InputError
from hearing.memory import FILE, KEY_FILE, UNKNOWN, PeopleStore, load_key, open_people
from hearing.voices import VoiceLikelihood, VoiceProfile

LIKELIHOOD = VoiceLikelihood("made-up", half=1.0, clarity=0.5, slope=20.0, middle=0.4)
EYES = VoiceLikelihood("eyes", half=1.0, clarity=0.5, slope=20.0, middle=0.4)
KEY = bytes(range(32))


@pytest.fixture(autouse=True)
def no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HEARING_KEY", raising=False)


def unit(seed: int) -> np.ndarray:
    vector = np.random.default_rng(seed).standard_normal(192).astype(np.float32)
    return vector / np.linalg.norm(vector)


def voice(seed: int, quality: float = 0.8) -> VoiceProfile:
    profile = VoiceProfile()
    profile.update(unit(seed), quality)
    return profile


def opened(folder: Path, key: bytes = KEY) -> PeopleStore:
    return PeopleStore(folder, key, LIKELIHOOD)


def test_what_is_enrolled_is_there_again(tmp_path: Path) -> None:
    store = opened(tmp_path)
    store.enroll("Ada  Lovelace", voice(1), voice(9), {"languages": ["en"], "may_open_doors": True}, EYES)
    store.enroll("Bob", voice(2))
    people = opened(tmp_path).people
    assert list(people) == ["Ada Lovelace", "Bob"] == list(store.people)
    assert people["Ada Lovelace"].about == {"languages": ["en"], "may_open_doors": True}
    np.testing.assert_allclose(people["Ada Lovelace"].face.embedding, unit(9), rtol=1e-5)
    np.testing.assert_allclose(people["Bob"].voice.embedding, unit(2), rtol=1e-5)


def test_who_is_enrolled_again_is_known_better(tmp_path: Path) -> None:
    store = opened(tmp_path)
    store.enroll("Ada", voice(1, 0.5), about={"languages": ["en"]})
    store.enroll("Ada", voice(1, 0.5), about={"role": "welder"})
    ada = store.people["Ada"]
    assert ada.voice.heard == 2
    assert ada.voice.quality == pytest.approx(2 / 3)
    assert ada.about == {"languages": ["en"], "role": "welder"}


def test_somebody_else_is_not_taken_for_who_is_known_by_the_name(tmp_path: Path) -> None:
    store = opened(tmp_path)
    store.enroll("Ada", voice(1), voice(2), faces=EYES)
    with pytest.raises(InputError, match=r"Ada: is unlike .* `hearing enroll --forget \"Ada\"` first"):
        store.enroll("Ada", voice(3))
    with pytest.raises(InputError, match="Ada: is unlike"):
        store.enroll("Ada", voice(1), voice(3), faces=EYES)
    ada = opened(tmp_path).people["Ada"]
    assert (ada.voice.heard, ada.face.heard) == (1, 1)


def test_a_voice_of_another_encoder_is_replaced_and_not_compared(tmp_path: Path) -> None:
    opened(tmp_path).enroll("Ada", voice(1))
    other = PeopleStore(tmp_path, KEY, VoiceLikelihood("other", 1.0, 0.5, 20.0, 0.4))
    assert other.identify(unit(1), 0.8) == {UNKNOWN: 0.0}
    other.enroll("Ada", voice(3))
    assert other.people["Ada"].voice.heard == 1


def test_a_face_is_known_by_its_encoder_alone(tmp_path: Path) -> None:
    opened(tmp_path).enroll("Ada", face=voice(1, 0.5), faces=EYES)
    opened(tmp_path).enroll("Ada", face=voice(1, 0.5), faces=EYES)
    opened(tmp_path).enroll("Bob", voice(2))
    store = opened(tmp_path)
    assert (list(store.voices()), list(store.faces(EYES.encoder)), list(store.faces("other"))) == (["Bob"], ["Ada"], [])
    assert store.faces(EYES.encoder)["Ada"].quality == pytest.approx(2 / 3)
    store.enroll("Ada", face=voice(3), faces=VoiceLikelihood("other", 1.0, 0.5, 20.0, 0.4))
    assert (list(store.faces(EYES.encoder)), store.faces("other")["Ada"].heard) == ([], 1)


def test_everybody_is_known_with_or_without_a_voice(tmp_path: Path) -> None:
    store = opened(tmp_path)
    store.enroll("Ada", face=voice(1), faces=EYES)
    store.enroll("Bob", voice(2))
    assert {name: known.heard for name, known in store.known().items()} == {"Ada": 0, "Bob": 1}


def test_only_a_folder_of_people_is_opened(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="nobody is enrolled there"):
        open_people(tmp_path)
    PeopleStore(tmp_path, load_key(tmp_path)).enroll("Ada", voice(1))
    assert list(open_people(tmp_path).people) == ["Ada"]


def test_a_file_from_before_faces_is_read(tmp_path: Path) -> None:
    entry = {"voice": voice(1).to_dict(), "encoder": "made-up", "faces": [], "about": {}}
    plain = json.dumps({"version": 1, "people": {"Ada": entry}}).encode()
    header, nonce = b"hearing people\n", bytes(12)
    (tmp_path / FILE).write_bytes(header + nonce + AESGCM(KEY).encrypt(nonce, plain, header))
    ada = opened(tmp_path).people["Ada"]
    assert (ada.voice.heard, ada.face.heard) == (1, 0)


def test_people_are_told_apart_and_strangers_are_unknown(tmp_path: Path) -> None:
    store = opened(tmp_path)
    store.enroll("Ada", voice(1))
    store.enroll("Bob", voice(2))
    ratios = store.identify(unit(1), 0.8)
    assert set(ratios) == {"Ada", "Bob", UNKNOWN}
    assert ratios["Ada"] > ratios[UNKNOWN] == 0.0 > ratios["Bob"]
    assert max(store.identify(unit(3), 0.8).values()) == 0.0


def test_forgetting_removes_everything(tmp_path: Path) -> None:
    store = opened(tmp_path)
    store.enroll("Ada", voice(1))
    store.enroll("Bob", voice(2))
    store.forget("Ada")
    assert list(store.people) == list(opened(tmp_path).people) == ["Bob"]
    sealed = (tmp_path / FILE).read_bytes().removeprefix(b"hearing people\n")
    plain = json.loads(AESGCM(KEY).decrypt(sealed[:12], sealed[12:], b"hearing people\n"))
    assert list(plain["people"]) == ["Bob"]
    assert {path.name for path in tmp_path.iterdir()} <= {FILE, "people.lock"}
    with pytest.raises(InputError, match="Ada: nobody of that name"):
        store.forget("Ada")


def test_nothing_is_in_clear_on_disk(tmp_path: Path) -> None:
    store = opened(tmp_path)
    store.enroll("Lovelace", voice(1), about={"languages": "english"})
    everything = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    number = str(float(store.people["Lovelace"].voice.total[0]))[:8].encode()
    hidden = [b"Lovelace", b"english", b"voice", b"total", number, unit(1).tobytes()[:4], unit(1)[:8].tobytes()]
    assert [part for part in hidden[:5] if part in everything] == []
    assert hidden[6] not in everything
    assert stat.S_IMODE((tmp_path / FILE).stat().st_mode) == 0o600


def test_others_changes_are_kept(tmp_path: Path) -> None:
    one, two = opened(tmp_path), opened(tmp_path)
    one.enroll("Ada", voice(1))
    two.enroll("Bob", voice(2))
    assert list(opened(tmp_path).people) == ["Ada", "Bob"]


def test_a_wrong_key_is_refused_and_nothing_changes(tmp_path: Path) -> None:
    opened(tmp_path).enroll("Ada", voice(1))
    before = (tmp_path / FILE).read_bytes()
    with pytest.raises(InputError, match="the key is wrong"):
        opened(tmp_path, bytes(32))
    assert (tmp_path / FILE).read_bytes() == before


@pytest.mark.parametrize(
    "damage", [lambda b: b[:-1], lambda b: b[:20], lambda b: b[:40] + b"x" + b[41:], lambda b: b""]
)
def test_a_damaged_file_is_refused(tmp_path: Path, damage: object) -> None:
    opened(tmp_path).enroll("Ada", voice(1))
    path = tmp_path / FILE
    path.write_bytes(damage(path.read_bytes()))  # type: ignore[operator]
    with pytest.raises(InputError, match=r"people\.enc") as refused:
        opened(tmp_path)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("name", ["", "  ", "Unknown"])
def test_nobody_is_called_that(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match="no name"):
        opened(tmp_path).enroll(name, voice(1))
    assert list(tmp_path.iterdir()) == []


def test_nothing_to_remember_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="neither a voice nor a face"):
        opened(tmp_path).enroll("Ada")


def test_a_key_is_made_once_for_the_owner_alone(tmp_path: Path) -> None:
    folder = tmp_path / "people"
    key = load_key(folder)
    assert len(key) == 32
    assert load_key(folder) == key
    assert stat.S_IMODE((folder / KEY_FILE).stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_the_environment_has_the_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEARING_KEY", base64.urlsafe_b64encode(KEY).decode())
    assert load_key(tmp_path / "people") == KEY
    assert not (tmp_path / "people").exists()
    monkeypatch.setenv("HEARING_KEY", "short")
    with pytest.raises(InputError, match="HEARING_KEY: no key"):
        load_key(tmp_path)


def test_a_lost_key_is_not_replaced(tmp_path: Path) -> None:
    opened(tmp_path).enroll("Ada", voice(1))
    with pytest.raises(InputError, match="is lost"):
        load_key(tmp_path)
