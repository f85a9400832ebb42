"""`hearing bench`: measure parts of the system by themselves, on simulated scenes whose truth is known."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hearing.console import say, step_progress
from hearing.errors import InputError

Split = Annotated[str, typer.Option(help="dev or test.")]
Seed = Annotated[int, typer.Option(help="Of everything random.")]
Page = Annotated[Path, typer.Option(help="Folder of the page.")]
DefaultPage = Annotated[Path | None, typer.Option(help="Folder of the page; by default docs/benchmarks.")]
Again = Annotated[bool, typer.Option("--again", help="Also measure what has been measured.")]
RecognizerData = Annotated[
    Path, typer.Option(help="Folder with the recognizer's places and synthetic voices; what is missing is made.")
]

bench = typer.Typer(help="Measure parts of the system on simulated scenes.")


@bench.callback()
def _group() -> None:
    """Measure parts of the system on simulated scenes."""


@bench.command()
def frontend(
    scenes: Annotated[int, typer.Option(help="Scenes of each kind.")] = 2,
    kinds: Annotated[str, typer.Option(help="Kinds of FactoryBench, as in quiet,busy; by default all.")] = "",
    split: Split = "dev",
    out: Annotated[Path, typer.Option(help="Folder for recordings and measurements.")] = Path("out/bench/frontend"),
    page: DefaultPage = None,
    again: Again = False,
    quick: Annotated[
        bool, typer.Option("--quick", help="See that it works: seconds of two scenes, no words, page in OUT.")
    ] = False,
) -> None:
    """Hear FactoryBench with every stage of the front end off in turn, and write a page about what each is good for."""
    from hearing.bench.frontend import Plan, run_bench
    from hearing.bench.page import write_page
    from hearing.outputs import check_out_dir

    page = page or (out if quick else Path("docs/benchmarks"))
    for folder in (out, page):
        check_out_dir(folder)
    chosen = _listed(kinds)
    plan = Plan.quick(split) if quick else Plan(chosen, split, scenes)
    with step_progress() as note:
        results = run_bench(plan, out, again, note)
    say(f"{write_page(results, page)}")


@bench.command()
def recognizer(
    engines: Annotated[
        str, typer.Option(help="As in moonshine,vosk=FOLDER; by default the own engine and all that load.")
    ] = "",
    trials: Annotated[int, typer.Option(help="Utterances of each condition.")] = 24,
    split: Split = "dev",
    seed: Seed = 1,
    data: RecognizerData = Path("checkpoints/recognizer"),
    out: Annotated[Path, typer.Option(help="Folder for measurements.")] = Path("out/bench/recognizer"),
    page: DefaultPage = None,
    again: Again = False,
    quick: Annotated[
        bool, typer.Option("--quick", help="See that it works: one utterance of each condition, page in OUT.")
    ] = False,
) -> None:
    """Compare speech recognition engines on the same audio: errors, delay, cost, and what they invent in noise."""
    from hearing.bench.recognizer import Plan, parse_engines, run_bench
    from hearing.bench.recognizer_page import write_page
    from hearing.outputs import check_out_dir

    page = page or (out if quick else Path("docs/benchmarks"))
    for folder in (data, out, page):
        check_out_dir(folder)
    chosen = parse_engines(engines)
    plan = Plan.quick(chosen, split, seed) if quick else Plan(chosen, split, trials, seed=seed)
    with step_progress() as note:
        results = run_bench(plan, data, out, again, note)
    say(f"{write_page(results, page)}")


@bench.command()
def phrases(
    trials: Annotated[int, typer.Option(help="Utterances with names in them, and as many without.")] = 60,
    split: Split = "dev",
    seed: Seed = 1,
    data: RecognizerData = Path("checkpoints/recognizer"),
    page: Page = Path("docs/benchmarks"),
) -> None:
    """Measure what a list of words to expect is worth: names that are heard, and names that are invented."""
    from hearing.bench.phrases import measure_phrases, write_phrases_page
    from hearing.bench.recognizer_trials import load_material
    from hearing.outputs import check_out_dir
    from hearing.recognition.engines import DEFAULT_ENGINE, load_engine

    if trials < 1 or seed < 0:
        raise InputError("--trials needs 1 or more, --seed 0 or more")
    for folder in (data, page):
        check_out_dir(folder)
    engine = load_engine(DEFAULT_ENGINE, threads=1)
    with step_progress() as note:
        scores = measure_phrases(engine, load_material(data, split, 40, seed, note), trials, note)
    page.mkdir(parents=True, exist_ok=True)
    write_phrases_page(scores, split, page / "phrases.md")
    say(f"{page / 'phrases.md'}")


@bench.command()
def spotting(
    calls: Annotated[int, typer.Option(help="Calls by synthetic voices.")] = 280,
    minutes: Annotated[float, typer.Option(help="Minutes of machines alone.")] = 20.0,
    scenes: Annotated[int, typer.Option(help="Rooms in which somebody calls.")] = 48,
    seed: Seed = 1,
    data: RecognizerData = Path("checkpoints/recognizer"),
    page: Page = Path("docs/benchmarks"),
) -> None:
    """Measure how emergency words are spotted: misses, delays, and alarms where nobody says one."""
    from hearing.bench.recognizer_trials import load_material
    from hearing.bench.spotting import measure_spotting, read_calls
    from hearing.bench.spotting_page import write_spotting_page
    from hearing.bench.spotting_scenes import run_scenes
    from hearing.outputs import check_out_dir
    from hearing.recognition.engines.support import own_weights
    from hearing.recognition.streaming import StreamingRecognizer

    if calls < 1 or minutes <= 0 or scenes < 1 or seed < 0:
        raise InputError("--calls and --scenes need 1 or more, --minutes more than 0, --seed 0 or more")
    for folder in (data, page):
        check_out_dir(folder)
    with step_progress() as note:
        material = load_material(data, "dev", 40, seed, note)
        said = read_calls(data, calls, seed, note)
        trials = measure_spotting(StreamingRecognizer(own_weights()), said, material, minutes, note)
        alarms = run_scenes(scenes, seed, note)
    page.mkdir(parents=True, exist_ok=True)
    write_spotting_page(trials, alarms, page / "spotting.md")
    say(f"{page / 'spotting.md'}")


@bench.command()
def who(
    scenes: Annotated[int, typer.Option(help="Scenes of each kind, if there are so many.")] = 8,
    kinds: Annotated[
        str, typer.Option(help="Kinds of scenes, of audio_only,audio_visual,one_walker; by default all.")
    ] = "",
    split: Split = "dev",
    variants: Annotated[
        str, typer.Option(help="As in 'without lips,without camera', beside all cues; by default all of them.")
    ] = "",
    out: Annotated[Path, typer.Option(help="Folder for recordings and measurements.")] = Path("out/bench/who"),
    page: DefaultPage = None,
    again: Again = False,
    quick: Annotated[
        bool, typer.Option("--quick", help="See that it works: seconds of one scene, page in OUT.")
    ] = False,
) -> None:
    """Tell who speaks, with each cue off in turn: diarization, words of the wrong person or face, faces that speak."""
    from hearing.bench.who import Plan, run_bench
    from hearing.bench.who_page import write_page
    from hearing.outputs import check_out_dir

    page = page or (out if quick else Path("docs/benchmarks"))
    for folder in (out, page):
        check_out_dir(folder)
    chosen = _listed(kinds)
    cues = _listed(variants)
    plan = Plan.quick(split) if quick else Plan(chosen, split, scenes, variants=cues)
    with step_progress() as note:
        results = run_bench(plan, out, again, note)
    say(f"{write_page(results, page)}")


@bench.command()
def duplex(
    scenes: Annotated[int, typer.Option(help="Number of scenes in made-up company.")] = 48,
    seconds: Annotated[float, typer.Option(help="Length of such a scene.")] = 120.0,
    rooms: Annotated[int, typer.Option(help="Number of scenes in simulated rooms; each takes some minutes.")] = 6,
    minutes: Annotated[
        float, typer.Option(help="In which the robot talks alone, in each of two places; 0: not at all.")
    ] = 30.0,
    seed: Seed = 3,
    data: Annotated[
        Path, typer.Option(help="Folder with the floor model's material; it is made if missing, in some minutes.")
    ] = Path("checkpoints/floor"),
    out: Annotated[
        Path, typer.Option(help="Folder for timelines and what was measured in rooms; that is not measured again.")
    ] = Path("out/bench/duplex"),
    page: Page = Path("docs/benchmarks"),
) -> None:
    """Take turns in rooms and in made-up company: delays, cut-ins, interruptions, side talk, self-hearing."""
    from hearing.bench.duplex import Plan, run_bench
    from hearing.bench.duplex_page import write_page
    from hearing.outputs import check_out_dir

    plan = Plan(scenes, seconds, "dev", seed, rooms, minutes)
    for folder in (data, out, page):
        check_out_dir(folder)
    with step_progress() as note:
        results = run_bench(plan, data, out, note)
    say(f"{write_page(results, page, out)}")


def _listed(names: str) -> tuple[str, ...]:
    """Split names at their commas, each once."""
    return tuple(dict.fromkeys(name.strip() for name in names.split(",") if name.strip()))
