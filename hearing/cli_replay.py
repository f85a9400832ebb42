"""`hearing replay`, `hearing record` and `hearing bags`: rosbag2 recordings."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from hearing.console import progress_bar, say
from hearing.errors import InputError

if TYPE_CHECKING:
    from hearing.bags.streams import BagRecording, Heading
    from hearing.memory import PeopleStore
    from hearing.pipeline import Pipeline

bags = typer.Typer(help="Look after rosbag2 recordings.", no_args_is_help=True)


def replay(
    bag: Annotated[Path, typer.Argument(help="A rosbag2 (mcap or sqlite3), or a folder of them.")],
    out: Annotated[Path, typer.Option(help="Folder for the outputs; of several bags, for a folder of each.")],
    array: Annotated[str | None, typer.Option(help="Array name or YAML file; by default what the bag says.")] = None,
    start: Annotated[float, typer.Option(help="Seconds after the bag's beginning at which to start.")] = 0.0,
    topic: Annotated[str | None, typer.Option(help="Of audio, if the bag holds that of several arrays.")] = None,
    camera: Annotated[Path | None, typer.Option(help="YAML file of the camera, if the bag does not tell.")] = None,
    people: Annotated[Path | None, typer.Option(help="Folder of people who are known.")] = None,
    phrases: Annotated[Path | None, typer.Option(help="Text file of names and rare words to expect.")] = None,
    engine: Annotated[str, typer.Option(help="Speech recognition engine; see docs/engines.md.")] = "hearing",
    engine_folder: Annotated[Path | None, typer.Option(help="Folder of the engine's model.")] = None,
) -> None:
    """Hear a rosbag2 again: the outputs of `hearing transcribe`, and the score if the bag holds the truth."""
    from hearing.memory import open_people
    from hearing.outputs import check_out_dir
    from hearing.pipeline import Pipeline, PipelineConfig
    from hearing.recognition.phrases import read_phrases

    known = open_people(people) if people is not None else None
    expected = read_phrases(phrases) if phrases is not None else ()
    with needs_bags():
        from hearing.bags.reading import find_bags
        from hearing.bags.streams import open_bag_recording

    found = find_bags(bag)
    recordings = [open_bag_recording(path, array, start, topic, camera) for path in found]
    check_out_dir(out)
    pipeline = None
    for recording in recordings:
        if pipeline is None or pipeline.array.positions.tolist() != recording.array.positions.tolist():
            config = PipelineConfig(engine=engine, engine_folder=engine_folder)
            pipeline = Pipeline.create(recording.array, config, known.known() if known is not None else None)
            pipeline.bias(expected)
        _hear(recording, pipeline, known, out if found == [bag] else out / recording.session_id)


def record(
    out: Annotated[Path, typer.Option(help="The bag to write (mcap).")],
    profile: Annotated[
        list[str] | None, typer.Option(help="What to record: audio, camera, results; may be repeated. By default all.")
    ] = None,
    array: Annotated[str | None, typer.Option(help="Array to note in the bag, so that replay knows it.")] = None,
    duration: Annotated[float | None, typer.Option(help="Seconds after which to stop; by default Ctrl-C does.")] = None,
    privacy: Annotated[bool, typer.Option("--privacy", help="Record neither sound nor pictures.")] = False,
) -> None:
    """Record what matters of a running robot: sound, compressed pictures, results, motion."""
    with needs_bags():
        import rosbags  # noqa: F401
    try:
        from hearing_nodes.recorder import record_topics
    except ImportError as error:
        raise InputError(f"{error}; recording needs ROS 2: run `make setup`, or source a workspace") from error
    topics = record_topics(out, profile or [], array, duration, privacy)
    say(f"{out}: {sum(topics.values())} messages of {len(topics)} topics")
    for topic, count in sorted(topics.items()):
        say(f"  {count:7} {topic}")


@bags.command("filter")
def filter_(
    bag: Annotated[Path, typer.Argument(help="A rosbag2.")],
    out: Annotated[Path, typer.Option(help="The bag to write (mcap).")],
) -> None:
    """Copy a bag without sound and pictures of people; words, tracks and features stay."""
    with needs_bags():
        from hearing.bags.privacy import filter_bag

    dropped = filter_bag(bag, out)
    say(f"{out} is {bag} without {', '.join(dropped) or 'anything'}")


@contextmanager
def needs_bags() -> Iterator[None]:
    """Turn a missing package into one clear line."""
    try:
        yield
    except ImportError as error:
        raise InputError(f"{error}; install what bags need: pip install 'robot-hearing[bags]'") from error


def _hear(recording: BagRecording, pipeline: Pipeline, people: PeopleStore | None, out: Path) -> None:
    """Hear all streams of a bag; those after the first go into folders of their own."""
    from hearing.bags.replay import hear

    for notice in recording.notices:
        say(f"notice: {notice}")
    with progress_bar("hearing", recording.duration) as advance:
        for heading, pairs in groupby(recording.moments(), key=lambda pair: pair[0]):
            folder = out if heading.number == 1 else out / f"stream_{heading.number}"
            moments = (moment for _, moment in pairs)
            log, timing = hear(recording, heading, moments, pipeline, people, advance)
            log.write(folder, recording.session_id, timing)
            say(
                f"{len(log.utterances)} utterances in {folder} "
                f"({timing.audio_seconds:.1f} s of audio heard in {timing.total_seconds:.1f} s)"
            )
            _score(recording, heading, folder)
    counts = {name: count for name, count in asdict(recording.faults).items() if count}
    if counts:
        say(f"notice: {recording.path}: {', '.join(f'{name} {count}' for name, count in counts.items())}")


def _score(recording: BagRecording, heading: Heading, out: Path) -> None:
    """Write down the truth that the bag holds for a stream, and compare."""
    from hearing.evaluation import evaluate, render

    texts = recording.reference(heading)
    if texts is None:
        return
    (out / "reference").mkdir(exist_ok=True)
    for name, text in texts.items():
        (out / "reference" / name).write_text(text, encoding="utf-8")
    score = evaluate(out, out)
    Console().print(render(score))
    (out / "score.json").write_text(json.dumps(score.to_dict(), indent=2) + "\n", encoding="utf-8")
