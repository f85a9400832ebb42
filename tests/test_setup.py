"""scripts/setup.sh, as far as it can be tested without installing anything."""

import shutil
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[1] / "scripts" / "setup.sh"


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
