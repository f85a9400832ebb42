"""The page of a report: one HTML file that needs nothing else, neither a network nor other files."""

from __future__ import annotations

import base64
import io
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add
from pathlib import Path
from typing import Any

import numpy as np
import soundfile as sf
import soxr
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from hearing.errors import InputError
from hearing.evaluation import Score
from hearing.evaluation.score import direction_summary, percentiles
from hearing.report import pictures
from hearing.report.comparison import Comparison, compare
from hearing.report.material import Heard, Session, collect
from hearing.report.mistakes import Mistake, find_mistakes
from hearing.types import SAMPLE_RATE

SNIPPETS = 150
"""Sounds of mistakes in a report, about; of many recordings those of the worst mistakes of each."""
FEWEST_SNIPPETS = 4
LONGEST = 8.0
"""Seconds of a sound, at most."""
_MARGIN = 0.4  # s before and after


@dataclass(frozen=True, slots=True)
class Row:
    """A mistake as the page shows it, with the runs that make it."""

    runs: tuple[str, ...]
    mistake: Mistake
    sound: str | None


def write_report(path: Path, runs: Sequence[Path], out: Path) -> int:
    """Write a report.

    Parameters
    ----------
    path, runs
        As `hearing.report.material.collect` takes them.
    out
        The HTML file.

    Returns
    -------
    How many recordings it tells of.

    Raises
    ------
    InputError
        If nothing is found, a file is broken, or `out` cannot be written.
    """
    if out.is_dir():
        raise InputError(f"{out}: is a folder; give a file such as report.html with --out")
    with tempfile.TemporaryDirectory() as scratch:
        sessions = collect(path, runs, Path(scratch))
        page = _page(path.resolve().name, sessions)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(page, encoding="utf-8")
    except OSError as error:
        raise InputError(f"{out}: cannot be written ({error.strerror}); give another --out file") from error
    return len(sessions)


def _page(title: str, sessions: list[Session]) -> str:
    loader = PackageLoader("hearing.report", ".")
    environment = Environment(
        loader=loader, autoescape=select_autoescape(), undefined=StrictUndefined, trim_blocks=True
    )
    environment.filters |= {"clock": _clock, "comparison_rows": table}
    return environment.get_template("report.html").render(
        title=title,
        runs=_overview(sessions),
        recordings=[_recording(session) for session in sessions],
        comparisons=[(comparison, pictures.differences(comparison)) for comparison in _comparisons(sessions)],
        sessions=[_shown(session, max(FEWEST_SNIPPETS, SNIPPETS // len(sessions))) for session in sessions],
    )


def _overview(sessions: list[Session]) -> list[dict[str, Any]]:
    """Add up every run's scores over all recordings."""
    names = list(dict.fromkeys(heard.run for session in sessions for heard in session.heard))
    rows = []
    for name in names:
        of_run = [heard for session in sessions for heard in session.heard if heard.run == name]
        scores = [heard.score for heard in of_run if heard.score is not None]
        figures = _figures(reduce(add, scores)) if scores else []
        rows.append({"name": name, "recordings": len(of_run), "figures": figures})
    return rows


def _figures(score: Score) -> list[tuple[str, str, str]]:
    """Return name, value and note of what matters most."""
    der, words, attribution = score.diarization, score.cp, score.attribution
    direction, final = direction_summary(score.frame_direction_errors), percentiles(score.final_latencies, 50, 95)
    partial = percentiles(score.partial_latencies, 50, 95)
    wrong = f"{attribution.errors} of {attribution.length} recognized words" if attribution else "too many speakers"
    return [
        ("cpWER", _percent(words), f"{words.errors} of {words.length} words"),
        ("wrong speaker", _percent(attribution), wrong),
        (
            "DER",
            _percent(der),
            f"missed {der.missed:.0f} s, false {der.false_alarm:.0f} s, confused {der.confusion:.0f} s",
        ),
        ("direction", _number(direction["median"], "°"), f"median; p90 {_number(direction['p90'], '°')}"),
        ("words first after", _number(partial["p50"], " s", 2), f"median; p95 {_number(partial['p95'], ' s', 2)}"),
        ("words final after", _number(final["p50"], " s", 2), f"median; p95 {_number(final['p95'], ' s', 2)}"),
        ("work", _number(score.real_time_factor, "", 2), "seconds per second of audio"),
    ]


def _recording(session: Session) -> dict[str, Any]:
    rates = [(heard.run, "-" if heard.score is None else _percent(heard.score.cp)) for heard in session.heard]
    return {"name": session.name, "duration": session.duration, "rates": rates}


def _comparisons(sessions: list[Session]) -> list[Comparison]:
    """Compare every run with the first one."""
    scores: dict[str, dict[str, Score]] = {}
    for session in sessions:
        for heard in session.heard:
            if heard.score is not None:
                scores.setdefault(heard.run, {})[session.name] = heard.score
    first, *others = scores or [""]
    return [compare((first, other), scores[first], scores[other]) for other in others]


def _shown(session: Session, snippets: int) -> dict[str, Any]:
    return {
        "name": session.name,
        "duration": session.duration,
        "true": session.truth is not None,
        "people": pictures.palette(session),
        "timeline": pictures.timeline(session),
        "directions": pictures.directions(session),
        "confusion": pictures.confusion(session),
        "latencies": pictures.latencies(session.heard),
        "mistakes": _rows(session, snippets),
        "transcripts": [(heard.run, _transcript(heard)) for heard in session.heard],
        "figures": [(heard.run, _figures(heard.score)) for heard in session.heard if heard.score is not None],
    }


def _rows(session: Session, snippets: int) -> list[Row]:
    """Put the mistakes of all runs in order, those at the same time together, with the sounds of the worst."""
    made: list[tuple[Mistake, list[str]]] = []
    for heard in session.heard:
        for mistake in _mistakes(session, heard):
            runs = next((runs for same, runs in made if same == mistake), None)
            if runs is None:
                made.append((mistake, [heard.run]))
            else:
                runs.append(heard.run)
    made.sort(key=lambda row: row[0].start)
    first = {(mistake.start, mistake.end): mistake for mistake, _ in reversed(made)}
    worst = sorted(first.values(), key=lambda mistake: -mistake.weight)[:snippets]
    sounds = {id(mistake): _sound(session.audio, mistake) for mistake in worst}
    return [Row(tuple(runs), mistake, sounds.get(id(mistake))) for mistake, runs in made]


def _mistakes(session: Session, heard: Heard) -> list[Mistake]:
    if session.truth is None or heard.score is None:
        return []
    hypothesis, speakers = heard.hypothesis, dict(heard.score.cp.assignment)
    return find_mistakes(session.truth.segments, hypothesis.words, hypothesis.segments, speakers)


def _transcript(heard: Heard) -> list[dict[str, Any]]:
    segments = sorted(heard.hypothesis.segments, key=lambda segment: segment["start_time"])
    return [segment | {"person": pictures.person(heard, str(segment["speaker"]))} for segment in segments]


def _sound(audio: Path | None, mistake: Mistake) -> str | None:
    """Return what the first microphone heard around a mistake as a data URI."""
    if audio is None:
        return None
    with sf.SoundFile(audio) as file:
        rate = file.samplerate
        start = max(0, round((mistake.start - _MARGIN) * rate))
        if start >= file.frames:
            return None
        file.seek(start)
        seconds = min(mistake.end - mistake.start + 2 * _MARGIN, LONGEST)
        samples = file.read(round(seconds * rate), dtype="float32", always_2d=True)[:, 0]
    samples = soxr.resample(samples, rate, SAMPLE_RATE)
    samples *= 0.7 / max(float(np.abs(samples).max(initial=0.0)), 1e-4)
    buffer = io.BytesIO()
    sf.write(buffer, samples, SAMPLE_RATE, format="MP3", compression_level=0.9)
    return f"data:audio/mpeg;base64,{base64.b64encode(buffer.getvalue()).decode()}"


def _clock(seconds: float) -> str:
    minutes, rest = divmod(seconds, 60)
    return f"{minutes:.0f}:{rest:04.1f}"


def _percent(rate: Any) -> str:
    return "-" if rate is None or rate.error_rate is None else f"{100 * rate.error_rate:.1f} %"


def _number(value: float | None, unit: str, digits: int = 1) -> str:
    return "-" if value is None else f"{value:.{digits}f}{unit}"


def table(comparison: Comparison) -> list[list[str]]:
    """Return a comparison's rows for people: metric, first, second, difference with its interval, who is better."""
    rows = []
    for difference in comparison.differences:
        metric = difference.metric
        scale, digits = (100.0, 1) if metric.unit == "%" else (1.0, 2)
        unit = "°" if metric.unit == "°" else f" {metric.unit}"
        change = f"{scale * (difference.second - difference.first):+.{digits}f}"
        if difference.low is not None and difference.high is not None:
            change += f" [{scale * difference.low:+.{digits}f}, {scale * difference.high:+.{digits}f}]"
        values = [f"{scale * value:.{digits}f}{unit}" for value in (difference.first, difference.second)]
        better = comparison.names[difference.winner] if difference.winner >= 0 else "-"
        rows.append([metric.name, *values, change, better])
    return rows
