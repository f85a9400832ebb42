"""Measure the whole system on simulated scenes with recorded talkers, beside a baseline, and write docs/benchmarks.md.

Usage: python benchmarks/run.py [--quick]

The baseline is Whisper base on the first microphone, told when each talker speaks and who it is (oracle segments): what
recognition alone makes of such a recording. The system gets nothing but the recording.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import io
import json
import os
import platform
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from faster_whisper import WhisperModel
from hearing_datasets import kit_root
from hearing_sim import Scene, render
from hearing_sim.factorybench import benchmark_scenes
from matplotlib import pyplot
from meeteval.wer import ErrorRate, cp_word_error_rate
from simulation import report_lines as simulation_lines

from hearing.cli import main as hearing
from hearing.errors import InputError
from hearing.evaluation import Score, evaluate
from hearing.evaluation.words import normalized
from hearing.recognition.catalogue import MODELS
from hearing.recognition.store import locate

ROOT = Path(__file__).resolve().parents[1]
REPORT = ROOT / "docs" / "benchmarks.md"
KINDS = {
    "quiet": (2, "Quiet rooms: a soft fan 20 dB below two or three talkers in turn"),
    "busy": (2, "Workshops: two machines 5-10 dB below three talkers who sometimes overlap"),
    "loud": (2, "Halls: two to four machines 0-5 dB below two or three talkers"),
    "shouting": (2, "Machines of 85-95 dB, two talkers who shout over them"),
    "moving": (2, "Walking talkers, a robot that drives and turns its head"),
    "audio_visual": (2, "In front of the camera (heard only: the pictures are left out here)"),
    "duplex": (2, "The robot speaks, is interrupted and corrected"),
    "crowd": (2, "Four to six talkers at the same time in babble"),
    "noise_only": (2, "Nobody is there: machines and alarms"),
}
"""Categories of FactoryBench: how many of the development scenes are measured, and what they are."""
COLUMNS = (
    "scene", "array", "baseline cpWER", "cpWER", "ratio", "tcpWER", "ORC-WER", "DER", "wrong speaker",
    "direction median / p90", "partial / final latency", "real-time factor", "words", "words in silence",
)  # fmt: skip
RATES = ("tcpwer", "orcwer", "der", "attribution_error")


@dataclass(frozen=True)
class Result:
    """What came out for one scene; `baseline` is zero where nobody speaks."""

    scene: Scene
    baseline: ErrorRate
    score: Score


def main() -> None:
    """Render, transcribe and score every scene; then write the report."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="one scene of each kind, no report")
    parser.add_argument("--work", type=Path, default=ROOT / "out" / "benchmark", help="folder for the recordings")
    arguments = parser.parse_args()
    if kit_root() is None:
        sys.exit("error: the benchmark needs the data kit; set HEARING_DATA to its folder")
    scenes = quick_set() if arguments.quick else full_set()
    whisper = WhisperModel(str(locate(MODELS["whisper-base"])), device="cpu", compute_type="int8")
    results = []
    for scene in scenes:
        results.append(measure(scene, arguments.work / scene.name, whisper))
        print(" | ".join(row(scene.name, scene.array.geometry, results[-1].baseline, results[-1].score)), flush=True)
    report = "\n".join((*report_lines(results), "", *simulation_lines()))
    if arguments.quick:
        print(report)
    else:
        REPORT.write_text(report + "\n", encoding="utf-8")
        plot(results)


def full_set() -> list[Scene]:
    """List the scenes of the report: development scenes of FactoryBench, without their cameras."""
    chosen = [scene for kind, (count, _) in KINDS.items() for scene in benchmark_scenes(kind, "dev")[:count]]
    return [dataclasses.replace(scene, camera=None) for scene in chosen]


def quick_set() -> list[Scene]:
    """List one scene of each kind."""
    scenes = full_set()
    return [next(scene for scene in scenes if scene.name.startswith(kind)) for kind in KINDS]


def measure(scene: Scene, folder: Path, whisper: WhisperModel) -> Result:
    """Render a scene, and let the baseline and the system hear it."""
    recording, hypothesis = folder / "recording", folder / "hypothesis"
    render(scene, recording)
    with contextlib.redirect_stdout(io.StringIO()):
        status = hearing(["transcribe", str(recording), "--out", str(hypothesis)])
    if status != 0:
        raise InputError(f"{recording}: hearing transcribe ended with status {status}")
    return Result(scene, baseline_errors(recording, whisper), evaluate(recording, hypothesis))


def baseline_errors(recording: Path, whisper: WhisperModel) -> ErrorRate:
    """Count cpWER errors of Whisper on the first microphone with oracle segments."""
    segments = json.loads((recording / "reference" / "segments.json").read_text(encoding="utf-8"))
    audio, rate = soundfile.read(recording / "audio.wav", dtype="float32", always_2d=True)

    def heard(segment: dict[str, Any]) -> str:
        samples = audio[round(segment["start_time"] * rate) : round(segment["end_time"] * rate), 0]
        parts, _ = whisper.transcribe(samples, language="en", beam_size=5, temperature=0.0)
        return " ".join(part.text for part in parts)

    if not segments:
        return ErrorRate.zero()
    hypothesis = [segment | {"words": heard(segment)} for segment in segments]
    return cp_word_error_rate(normalized(segments), normalized(hypothesis))


def report_lines(results: list[Result]) -> Iterator[str]:
    """Write the report as Markdown."""
    yield "# Benchmarks"
    yield ""
    yield "Generated by `make bench`: simulated rooms, recorded talkers (development speakers of the kit), recorded"
    yield "and modelled machines, see `benchmarks/README.md`. Baseline: Whisper base, one microphone, oracle segments."
    yield "Rates are per cent, directions degrees of azimuth, latencies medians in seconds from the end of a word."
    yield f"Measured on {os.cpu_count()} cores ({platform.machine()})."
    yield ""
    yield f"![Word errors of every scene]({REPORT.with_suffix('.png').name})"
    for kind, (_, title) in KINDS.items():
        chosen = [result for result in results if result.scene.name.startswith(kind)]
        if not chosen:
            continue
        yield from ("", f"## {title}", "", f"| {' | '.join(COLUMNS)} |", "|" + "---|" * len(COLUMNS))
        for result in chosen:
            cells = row(result.scene.name, result.scene.array.geometry, result.baseline, result.score)
            yield f"| {' | '.join(cells)} |"
        baseline = sum((result.baseline for result in chosen), ErrorRate.zero())
        score = sum((result.score for result in chosen), Score.zero())
        yield f"| {' | '.join(f'**{cell}**' for cell in row('all', f'{len(chosen)} scenes', baseline, score))} |"


def row(name: str, array: str, baseline: ErrorRate, score: Score) -> list[str]:
    """Write one scene, or a sum of scenes, as the cells of COLUMNS."""
    values = score.to_dict()
    direction, partial, final = (
        values[key] for key in ("direction_error_deg", "latency_partial_seconds", "latency_final_seconds")
    )
    ratio = score.cp.errors / baseline.errors if baseline.errors else None
    return [
        name,
        array,
        _percent(baseline.error_rate),
        _percent(score.cp.error_rate),
        _number(ratio, ".2f"),
        *(
            _percent(values[key] and values[key]["error_rate"])
            for key in ("tcpwer", "orcwer", "der", "attribution_error")
        ),
        f"{_number(direction['median'], '.1f')} / {_number(direction['p90'], '.1f')}",
        f"{_number(partial['p50'], '.2f')} / {_number(final['p50'], '.2f')}",
        _number(score.real_time_factor, ".2f"),
        str(score.hypothesis_words),
        str(score.false_alarm_words),
    ]


def plot(results: list[Result]) -> None:
    """Draw the word errors of the system beside those of the baseline, scene by scene."""
    spoken = [result for result in results if result.baseline.length]
    place = np.arange(len(spoken))
    figure, axes = pyplot.subplots(figsize=(0.45 * len(spoken) + 2, 4.5), layout="constrained")
    axes.bar(place - 0.2, [100 * r.baseline.error_rate for r in spoken], 0.4, label="oracle segments, one microphone")
    axes.bar(place + 0.2, [100 * r.score.cp.error_rate for r in spoken], 0.4, label="hearing transcribe")
    axes.set_xticks(place, [result.scene.name for result in spoken], rotation=60, ha="right")
    axes.set_ylabel("cpWER in per cent")
    axes.legend(frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(REPORT.with_suffix(".png"), dpi=120)


def _percent(rate: float | None) -> str:
    return _number(None if rate is None else 100 * rate, ".1f")


def _number(value: float | None, style: str) -> str:
    return "-" if value is None else format(value, style)


if __name__ == "__main__":
    main()
