"""A rosbag2: which topics hold what, and their messages in the order in which they were recorded."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from rosbags.highlevel import AnyReader, AnyReaderError
from rosbags.interfaces import Connection
from rosbags.rosbag2.errors import ReaderError

from hearing.bags.messages import typestore
from hearing.errors import InputError

_DAMAGED = (AnyReaderError, ReaderError, OSError, EOFError, ValueError, KeyError, AssertionError)


class Entry(NamedTuple):
    """A message of a bag: its topic, when it was recorded in nanoseconds, and the message."""

    topic: str
    time: int
    message: Any


class Bag:
    """A bag that is open, made by `open_bag`.

    Attributes
    ----------
    path
        Its folder, or its one file.
    start, end
        When the first message was recorded, and the last, in nanoseconds.
    """

    def __init__(self, path: Path, reader: AnyReader) -> None:
        self.path = path
        self._reader = reader
        self.start, self.end = reader.start_time, reader.end_time

    @property
    def connections(self) -> list[Connection]:
        """Everything that was recorded, topic by topic, as rosbags describes it."""
        return self._reader.connections

    def topics(self, *types: str) -> list[str]:
        """Return the names of the topics of these types that have messages, sorted."""
        return sorted({c.topic for c in self._reader.connections if c.msgtype in types and c.msgcount})

    def type_of(self, topic: str) -> str:
        """Return the type of a topic's messages."""
        return next(connection.msgtype for connection in self._reader.connections if connection.topic == topic)

    def read(self, topics: Sequence[str], start: int | None = None) -> Iterator[Entry]:
        """Read the messages of some topics; several may be read side by side.

        Parameters
        ----------
        topics
            Names; of none nothing is read.
        start
            Earliest time at which they were recorded, in nanoseconds.

        Raises
        ------
        InputError
            If the bag is damaged.
        """
        for connection, time, raw in self.raw(topics, start):
            try:
                message = self._reader.deserialize(raw, connection.msgtype)
            except AnyReaderError as error:
                raise _damaged(self.path, error) from error
            yield Entry(connection.topic, time, message)

    def raw(self, topics: Sequence[str], start: int | None = None) -> Iterator[tuple[Connection, int, bytes]]:
        """Read messages as `read` does, but as their bytes."""
        chosen = [connection for connection in self._reader.connections if connection.topic in topics]
        if not chosen:
            return
        try:
            yield from self._reader.messages(chosen, start=start)
        except _DAMAGED as error:
            raise _damaged(self.path, error) from error

    def last(self, topic: str) -> Any | None:
        """Return the last message of a topic, or None if there is none."""
        found = None
        for entry in self.read([topic]):
            found = entry.message
        return found


@contextmanager
def open_bag(path: Path) -> Iterator[Bag]:
    """Open a rosbag2: a folder with its `metadata.yaml`, or a single `.mcap` or `.db3` file.

    Raises
    ------
    InputError
        If there is none, it is of another kind, or it is damaged.
    """
    if not path.exists():
        raise InputError(f"{path}: no such bag; check the path")
    if not is_bag(path):
        raise InputError(f"{path}: not a rosbag2; give the folder with metadata.yaml, an .mcap or a .db3 file")
    try:
        reader = AnyReader([path], default_typestore=typestore())
        reader.open()
    except _DAMAGED as error:
        raise _damaged(path, error) from error
    try:
        if not reader.message_count:
            raise InputError(f"{path}: the bag holds no messages; record it again")
        yield Bag(path, reader)
    finally:
        reader.close()


def is_bag(path: Path) -> bool:
    """Tell whether a path looks like a rosbag2."""
    return (path / "metadata.yaml").is_file() if path.is_dir() else path.suffix in (".mcap", ".db3")


def find_bags(path: Path) -> list[Path]:
    """Return the bag that a path is, or the bags that lie in a folder, sorted by name.

    Raises
    ------
    InputError
        If there is none.
    """
    if is_bag(path) or not path.is_dir():
        return [path]
    bags = sorted(inside for inside in path.iterdir() if is_bag(inside))
    if not bags:
        raise InputError(f"{path}: no rosbag2 is or lies in this folder; give a bag, or a folder of bags")
    return bags


def _damaged(path: Path, error: BaseException) -> InputError:
    what = " ".join(str(error).split()).rstrip(".") or type(error).__name__
    return InputError(f"{path}: the bag cannot be read ({what}); try `ros2 bag reindex`, or record it again")
