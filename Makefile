# `make demo` and `make test` do all set-up themselves; see `make help`.
SHELL := /bin/bash
PYTHON := .venv/bin/python
STAMPS := .venv/stamps
PACKAGE_SOURCES := $(wildcard requirements/*.txt) pyproject.toml ros2_ws/src/hearing_nodes/setup.py \
	ros2_ws/src/hearing_gazebo/setup.py \
	scripts/setup.sh scripts/fix_ros_wheels.py
MESSAGE_SOURCES := $(wildcard ros2_ws/src/hearing_msgs/*/*.*) $(wildcard ros2_ws/src/hearing_msgs/*.*) \
	$(wildcard ros2_ws/interfaces/*/*.*) $(wildcard ros2_ws/interfaces/*/msg/*.msg)

.PHONY: help setup demo test lint bench clean

help:  ## show the targets
	@grep -hE '^[a-z]+:.*##' Makefile | sed -E 's/^([a-z]+):.*## /  make \1\t/'

setup: $(STAMPS)/messages  ## virtual environment, packages, ROS 2 interfaces

demo: setup  ## a simulated factory over real ROS 2: live captions, then the score
	@.venv/bin/hearing demo

test: lint $(STAMPS)/training  ## ruff, mypy and all tests
	@$(PYTHON) -m pytest -q

lint: setup  ## ruff and mypy only
	@$(PYTHON) -m ruff check .
	@$(PYTHON) -m ruff format --check .
	@$(PYTHON) -m mypy

bench: setup  ## measure everything and write docs/benchmarks
	@$(PYTHON) benchmarks/run.py

clean:  ## remove the virtual environment and everything that was built
	rm -rf .venv build install log ros2_ws/build ros2_ws/log

$(STAMPS)/packages: $(PACKAGE_SOURCES)
	@scripts/setup.sh packages
	@mkdir -p $(STAMPS) && touch $@

$(STAMPS)/training: $(STAMPS)/packages
	@scripts/setup.sh training
	@touch $@

$(STAMPS)/messages: $(STAMPS)/packages $(MESSAGE_SOURCES)
	@scripts/setup.sh messages
	@touch $@
