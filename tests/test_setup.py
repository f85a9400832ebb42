"""scripts/setup.sh, as far as it can be tested without installing anything."""

import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SCRIPT = ROOT / "scripts" / "setup.sh"


@pytest.mark.parametrize("name", ["my robot", "räume"])
def test_a_folder_that_ros_cannot_build_in_is_refused_before_anything_is_installed(tmp_path: Path, name: str) -> None:
    scripts = tmp_path / name / "scripts"
    scripts.mkdir(parents=True)
    shutil.copy(SCRIPT, scripts)
    result = subprocess.run([scripts / "setup.sh", "packages"], capture_output=True, text=True)
    assert result.returncode == 2
    assert result.stderr.startswith("setup: missing: a path of plain letters")
    assert result.stderr.count("\n") == 1
    assert list((tmp_path / name).iterdir()) == [scripts]


def test_every_package_is_installed() -> None:
    """What `pip install .` leaves out would only be missed on a robot."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    listed = set(settings["packages"])
    for name, folder in settings["package-dir"].items():
        found = {path.parent.relative_to(ROOT / folder) for path in (ROOT / folder).rglob("__init__.py")}
        missing = {".".join((name, *path.parts)) for path in found} - listed
        assert not missing, f"add to packages in pyproject.toml: {sorted(missing)}"
