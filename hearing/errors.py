"""Errors that a user can mend."""

from __future__ import annotations


class InputError(ValueError):
    """The user's input cannot be used.

    The message is one line that says what is wrong, where, and how to mend it. The `hearing` command prints it and
    exits with status 2; a ROS node reports it in its diagnostics and keeps running.
    """
