"""The `hearing` command.

Exit status 0 is success; 2 is bad input, with one line on stderr that says what, where, and how to mend it. Heavy
modules are imported where they are used, so that `hearing --help` is quick.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from hearing.cli_bench import bench
from hearing.cli_calibrate import calibrate
from hearing.cli_converse import converse
from hearing.cli_enroll import enroll
from hearing.cli_listen import listen
from hearing.cli_replay import bags, needs_bags, record, replay
from hearing.cli_report import compare, report
from hearing.cli_show import show
from hearing.cli_train import train
from hearing.cli_up import up
from hearing.console import progress_bar, say
from hearing.errors import InputError

if TYPE_CHECKING:
    from hearing_sim.scene import Scene
    from hearing_sim.simulation import Simulation

    from hearing.arrays import MicrophoneArray
    from hearing.memory import PeopleStore
    from hearing.outputs import Stopwatch
    from hearing.pipeline import Pipeline
    from hearing.recording import Recording
    from hearing.types import HearingOutput, Utterance
    from hearing.vision.eyes import Eyes

BAD_INPUT = 2

app = typer.Typer(
    name="hearing",
    help="Far-field multi-speaker hearing for robots: who said what, from where, and to whom.",
    add_completion=False,
    pretty_exceptions_enable=False,
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit status."""
    arguments = sys.argv[1:] if arguments is None else arguments
    try:
        status = app(args=arguments or ["--help"], prog_name="hearing", standalone_mode=False)
    except (InputError, typer.TyperException) as error:
        message = error.format_message() if isinstance(error, typer.TyperException) else str(error)
        say(f"error: {' '.join(message.split())}")
        return BAD_INPUT
    return status if isinstance(status, int) else 0


@app.command()
def transcribe(
    recording: Annotated[Path, typer.Argument(help="Multichannel audio file, or recording folder.")],
    out: Annotated[Path, typer.Option(help="Folder for the outputs.")],
    array: Annotated[str | None, typer.Option(help="Array name or YAML file; see `hearing arrays`.")] = None,
    playback: Annotated[Path | None, typer.Option(help="Audio file of what the robot's loudspeaker played.")] = None,
    video: Annotated[Path | None, typer.Option(help="Video of the robot's camera; starts with the audio.")] = None,
    camera: Annotated[Path | None, typer.Option(help="YAML file of that camera: its lens and its place.")] = None,
    people: Annotated[
        Path | None, typer.Option(help="Folder of people who are known; see `hearing enroll --people`.")
    ] = None,
    phrases: Annotated[
        Path | None, typer.Option(help="Text file of names and rare words to expect, a word or phrase a line.")
    ] = None,
    engine: Annotated[str, typer.Option(help="Speech recognition engine; see docs/engines.md.")] = "hearing",
    engine_folder: Annotated[Path | None, typer.Option(help="Folder of the engine's model.")] = None,
) -> None:
    """Write down who said what, when and from where."""
    from hearing.memory import open_people
    from hearing.outputs import SessionLog, Stopwatch, Timing, check_out_dir
    from hearing.pipeline import Pipeline, PipelineConfig
    from hearing.recognition.phrases import read_phrases
    from hearing.recording import open_recording

    known = open_people(people) if people is not None else None
    with _extra("vision"):
        source = open_recording(recording, array, playback, video, camera, seeing=True)
        eyes = _eyes(source, known)
    expected = read_phrases(phrases) if phrases is not None else ()
    check_out_dir(out)
    for notice in source.notices:
        say(f"notice: {notice}")
    config = PipelineConfig(engine=engine, engine_folder=engine_folder)
    pipeline = Pipeline.create(source.array, config, known.known() if known is not None else None)
    pipeline.bias(expected)
    log, looking = SessionLog(video=eyes is not None), Stopwatch()
    begin = time.perf_counter()
    for output in _with_progress(pipeline, source, eyes, looking):
        log.add(output)
        for utterance in output.utterances:
            if utterance.final and utterance.words:
                print(_caption(utterance), flush=True)
    total = time.perf_counter() - begin
    stages = dict(pipeline.compute_seconds) | ({"vision": looking.seconds} if eyes is not None else {})
    log.write(out, source.session_id, Timing(source.duration, total, stages, pipeline.latency))
    say(f"{len(log.utterances)} utterances in {out} ({source.duration:.1f} s of audio heard in {total:.1f} s)")


@app.command()
def evaluate(
    reference: Annotated[Path, typer.Argument(help="Recording folder with a reference, or a segments.json.")],
    hypothesis_dir: Annotated[Path, typer.Argument(help="Folder that `hearing transcribe` has written.")],
    json_file: Annotated[Path | None, typer.Option("--json", help="Also write the score as JSON to this file.")] = None,
) -> None:
    """Score outputs against the truth: words, speakers, directions, latency."""
    from hearing.evaluation import evaluate as score_of
    from hearing.evaluation import render

    score = score_of(reference, hypothesis_dir)
    Console().print(render(score))
    if json_file is not None:
        try:
            json_file.write_text(json.dumps(score.to_dict(), indent=2) + "\n", encoding="utf-8")
        except OSError as error:
            raise InputError(f"{json_file}: cannot be written ({error.strerror}); give another file") from error


@app.command()
def simulate(
    out: Annotated[Path, typer.Option(help="Recording folder to write; with --random the folder of the shards.")],
    scene: Annotated[
        str | None,
        typer.Argument(help="Scene YAML file, name of a built-in scene, or factorybench/CATEGORY/SPLIT/NUMBER."),
    ] = None,
    plot: Annotated[bool, typer.Option("--plot", help="Also draw the scene into OUT.png.")] = False,
    bag: Annotated[bool, typer.Option("--bag", help="Write a rosbag2 (mcap) instead of a folder.")] = False,
    random: Annotated[int | None, typer.Option(help="Make a data set of so many random mixtures.")] = None,
    seed: Annotated[int, typer.Option(help="Seed of the data set.")] = 0,
    distribution: Annotated[
        str, typer.Option(help="What to draw the mixtures from: a built-in name, or a YAML file.")
    ] = "training",
    split: Annotated[str, typer.Option(help="Whose voices to use: train, dev or test.")] = "train",
    workers: Annotated[int, typer.Option(help="Processes; 0 for one per core.")] = 0,
    shard_size: Annotated[int, typer.Option(help="Mixtures in a shard.")] = 50,
    engine: Annotated[str, typer.Option(help="local, or ray for the machines of a Ray cluster.")] = "local",
) -> None:
    """Render a scene into a recording folder with its reference, or a data set of random mixtures into shards."""
    if (scene is None) == (random is None):
        raise InputError("give either a scene to render, or --random N for a data set; see `hearing simulate --help`")
    if random is not None:
        if plot or bag:
            option, does = ("--plot", "draws") if plot else ("--bag", "writes")
            raise InputError(f"{option} {does} one scene; give a scene instead of --random, or drop {option}")
        _generate(random, seed, distribution, split, out, workers, shard_size, engine)
    else:
        _render(str(scene), out, plot, bag)


def _render(name: str, out: Path, plot: bool, bag: bool) -> None:
    with _extra("sim"):
        from hearing_sim import load_scene, render
        from hearing_sim.factorybench import PREFIX, WHO, benchmark_scene
    description = benchmark_scene(name) if name.startswith((PREFIX, WHO)) else load_scene(name)
    begin = time.perf_counter()
    with progress_bar("drawing", 1.0) as advance:
        done = 0.0

        def show(share: float) -> None:
            nonlocal done
            advance(share - done)
            done = share

        simulation = _render_bag(description, out, show) if bag else render(description, out, show)
    seconds = time.perf_counter() - begin
    measured = [f"RT60 {simulation.rt60:.2f} s"]
    if simulation.snr_db is not None:
        measured.append(f"SNR {simulation.snr_db:.1f} dB")
    say(
        f"recording with reference in {out} ({', '.join(measured)}; {description.duration:g} s made in {seconds:.1f} s)"
    )
    if plot:
        from hearing_sim.plot import plot_simulation

        picture = out.with_name(f"{out.name}.png")
        plot_simulation(description, simulation, picture)
        say(f"picture in {picture}")


def _render_bag(scene: Scene, out: Path, show: Callable[[float], None]) -> Simulation:
    with needs_bags():
        from hearing.bags.writing import check_new, write_bag
    from hearing_sim import render

    check_new(out)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / out.name
        simulation = render(scene, folder, show)
        write_bag(folder, out)
    return simulation


def _generate(
    number: int, seed: int, distribution: str, split: str, out: Path, workers: int, shard_size: int, engine: str
) -> None:
    with _extra("sim"):
        from hearing_sim.generate import DatasetPlan, generate, local_engine, ray_engine
    if engine not in ("local", "ray"):
        raise InputError(f"engine {engine!r} is unknown; known are: local, ray")
    if workers < 0:
        raise InputError(f"workers is {workers}; give 1 or more, or 0 for one per core")
    plan = DatasetPlan(distribution, number, seed, split, shard_size)
    begin = time.perf_counter()
    with progress_bar("simulating", number) as advance:
        run = ray_engine() if engine == "ray" else local_engine(workers or os.cpu_count() or 1)
        shards = generate(plan, out, run, advance)
    seconds = time.perf_counter() - begin
    say(f"{number} mixtures in {len(shards)} shards in {out} ({seconds:.0f} s)")


@app.command()
def arrays(
    name: Annotated[str | None, typer.Argument(help="Array name or YAML file; without it all are listed.")] = None,
) -> None:
    """List the known microphone arrays, or show one."""
    from hearing.arrays import array_names, load_array

    if name is not None:
        print(_describe(load_array(name)))
        return
    width = max(map(len, array_names()))
    for known in map(load_array, array_names()):
        print(f"{known.name:{width}}  {known.n_microphones} microphones  {100 * known.aperture:5.1f} cm")


@app.command()
def doctor() -> int:
    """Check what this machine has and what is missing."""
    from hearing.doctor import run_doctor

    return run_doctor()


@app.command()
def demo(
    out: Annotated[Path, typer.Option(help="Folder for the recording and the outputs.")] = Path("out/demo"),
) -> int:
    """Hear a simulated factory over ROS 2 with live captions, and print the score."""
    from hearing.demo import run_demo

    return run_demo(out)


app.command("calibrate")(calibrate)
app.command("enroll")(enroll)
app.command("listen")(listen)
app.command("converse")(converse)
app.command("record")(record)
app.command("replay")(replay)
app.command("report")(report)
app.command("compare")(compare)
app.command("show")(show)
app.command("train")(train)
app.command("up")(up)
app.add_typer(bags, name="bags")
app.add_typer(bench, name="bench")


@contextmanager
def _extra(name: str) -> Iterator[None]:
    """Turn a missing optional dependency into one clear line."""
    try:
        yield
    except ImportError as error:
        raise InputError(f"{error}; install what this command needs: pip install 'robot-hearing[{name}]'") from error


def _eyes(source: Recording, people: PeopleStore | None) -> Eyes | None:
    """Load what looks at the recording's video, if it has one."""
    if source.camera is None:
        return None
    from hearing.vision.eyes import Eyes

    return Eyes(source.camera, people=people)


def _with_progress(
    pipeline: Pipeline, source: Recording, eyes: Eyes | None, looking: Stopwatch
) -> Iterator[HearingOutput]:
    """Feed the recording to the pipeline, and what is seen in its video."""
    from hearing.motion import MotionLog

    motion = MotionLog.load(source.motion).known_at if source.motion is not None else None
    faults: set[str] = set()
    heard = 0.0
    with progress_bar("hearing", source.duration) as advance:
        for moment in source.moments():
            with looking:
                sights = [eyes.process(frame.image, frame.time) for frame in moment.frames] if eyes is not None else []
            yield pipeline.process(moment.block, moment.playback, motion, sights)
            for fault in pipeline.faults:
                if fault.message not in faults:
                    faults.add(fault.message)
                    say(f"notice: {fault.message}")
            advance(moment.block.end_time - heard)
            heard = moment.block.end_time
        yield pipeline.flush()


def _caption(utterance: Utterance) -> str:
    minutes, seconds = divmod(utterance.start_time, 60)
    return (
        f"{minutes:02.0f}:{seconds:04.1f}  {utterance.speaker:10} {utterance.direction.azimuth_deg:+5.0f}°  "
        f"{utterance.text}"
    )


def _describe(array: MicrophoneArray) -> str:
    """Describe an array as its positions and its layout seen from above."""
    lines = [f"{array.name}: {array.n_microphones} microphones, {100 * array.aperture:.1f} cm across", ""]
    lines += ["channel        x        y        z  (metres)"]
    for channel, (x, y, z) in enumerate(array.positions, 1):
        lines.append(f"{channel:7}  {x:+.4f}  {y:+.4f}  {z:+.4f}")
    return "\n".join([*lines, "", "from above, x (forward) up, y (left) to the left:", "", *_layout(array)])


def _layout(array: MicrophoneArray, columns: int = 41, rows: int = 17) -> list[str]:
    """Draw the microphones from above by their channel numbers, `+` being the middle of the array.

    A character is about twice as high as wide. Microphones above each other share a place, where the last one shows.
    """
    from hearing.arrays import MIN_SPACING

    centred = array.centred[:, :2]
    extent = max(abs(centred).max(), MIN_SPACING)  # a vertical line is a point from above
    grid = [[" "] * columns for _ in range(rows)]
    grid[rows // 2][columns // 2] = "+"
    for channel, (x, y) in enumerate(centred, 1):
        row = round((rows // 2) * (1 - x / extent))
        column = round(columns / 2 - 1 - (rows - 1) * y / extent)
        for offset, digit in enumerate(str(channel)):
            grid[row][column + offset] = digit
    return ["".join(line).rstrip() for line in grid]
