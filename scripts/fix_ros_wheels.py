"""Mend the CMake files of the ROS 2 wheels in this virtual environment.

The wheels carry the include directories of the machine that built them; interface packages only build if they name
those of this machine. Run it with the environment's own Python; running it again changes nothing.
"""

from __future__ import annotations

import re
import sys
import sysconfig
from pathlib import Path

import numpy as np

BUILDER_PYTHON = re.compile(r"/opt/python/cp311-cp311/include/python3\.11")
BUILDER_NUMPY = re.compile(r"/opt/python/cp311-cp311/lib/python3\.11/site-packages/numpy/\w+/include")


def mend(share: Path) -> int:
    """Replace the builder's include directories in all CMake files below `share`; return how many files changed."""
    changed = 0
    for path in share.rglob("*.cmake"):
        before = path.read_text()
        after = BUILDER_PYTHON.sub(sysconfig.get_path("include"), before)
        after = BUILDER_NUMPY.sub(np.get_include(), after)
        if after != before:
            path.write_text(after)
            changed += 1
    return changed


if __name__ == "__main__":
    print(f"mended {mend(Path(sys.prefix) / 'share')} CMake files of the ROS wheels")
