"""The pictures of a report as SVG text: time line, directions, confusions, latencies, differences."""

from __future__ import annotations

import io
import json
from collections import Counter
from collections.abc import Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from hearing.evaluation.files import FRAME
from hearing.evaluation.words import normalized, recognized_words
from hearing.report.comparison import Comparison
from hearing.report.material import Heard, Session

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8c564b", "#5b5ea6")
"""Okabe & Ito's colours, which people with any colour vision can tell apart."""
NOBODY = "#9aa0a6"
_WIDTH = 11.0  # inches
_SECONDS = 12.0  # per inch, at most: what is longer is scrolled
_WIDEST = 100.0
_STYLE: Any = {
    "font.family": "sans-serif",
    "font.size": 9.5,
    "svg.fonttype": "none",  # text stays text, in the reader's font
    "svg.hashsalt": "hearing",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#8a9099",
    "xtick.color": "#4a5058",
    "ytick.color": "#4a5058",
}


def palette(session: Session) -> dict[str, str]:
    """Give everybody who speaks a colour; without a truth everybody who is heard."""
    people = sorted({str(segment["speaker"]) for segment in session.truth.segments}) if session.truth else []
    if not people:
        people = sorted({str(s["speaker"]) for heard in session.heard for s in heard.hypothesis.segments})
    return {name: COLOURS[number % len(COLOURS)] for number, name in enumerate(people)}


def person(heard: Heard, speaker: str) -> str:
    """Name the person whom cpWER takes a heard speaker for; `nobody: ...` if it takes it for nobody."""
    if heard.score is None:
        return speaker
    pairs = {str(theirs): str(true) for true, theirs in heard.score.cp.assignment if true is not None}
    return pairs.get(speaker, f"nobody: {speaker}")


@mpl.rc_context(_STYLE)
def timeline(session: Session) -> str:
    """Draw who spoke when, and below it who was heard when; a row for each person."""
    colours = palette(session)
    rows = {name: number for number, name in enumerate(colours)}
    for heard in session.heard:
        for segment in heard.hypothesis.segments:
            rows.setdefault(person(heard, str(segment["speaker"])), len(rows))
    lines = len(session.heard) + (session.truth is not None)
    figure = Figure(figsize=(_length(session), 0.7 + len(rows) * (0.2 + 0.2 * lines)), layout="constrained")
    axes = figure.subplots()
    height = 0.8 / lines
    if session.truth is not None:
        for segment in session.truth.segments:
            name = str(segment["speaker"])
            _bar(axes, segment, rows[name] - 0.4, height, colours[name], alpha=0.35)
    for line, heard in enumerate(session.heard, session.truth is not None):
        for segment in heard.hypothesis.segments:
            name = person(heard, str(segment["speaker"]))
            _bar(axes, segment, rows[name] - 0.4 + line * height, height, colours.get(name, NOBODY))
    axes.set_yticks(range(len(rows)), list(rows))
    axes.set_ylim(len(rows) - 0.45, -0.55)
    axes.set_xlim(0, session.duration)
    axes.set_xlabel("seconds")
    return _svg(figure)


@mpl.rc_context(_STYLE)
def directions(session: Session) -> str:
    """Draw the azimuth of everybody who speaks and of all that is followed over time, run by run."""
    colours = palette(session)
    figure = Figure(figsize=(_length(session), 2.7 * len(session.heard)), layout="constrained")
    for axes, heard in zip(np.atleast_1d(figure.subplots(len(session.heard), sharex=True)), session.heard, strict=True):
        if session.truth is not None:
            _true_directions(axes, session, colours)
        kinds = {"talker": ("#222222", 1.6, 3), "noise": (NOBODY, 0.8, 1), "robot": ("#b9770e", 0.8, 1)}
        for (kind, _), (times, azimuths) in _tracks(heard).items():
            colour, size, order = kinds.get(kind, kinds["noise"])
            azimuths = np.where(np.abs(np.diff(azimuths, prepend=azimuths[0])) > 180, np.nan, azimuths)
            axes.plot(times, azimuths, color=colour, linewidth=size, zorder=order, rasterized=len(times) > 3000)
        axes.set_ylim(-180, 180)
        axes.set_yticks(range(-180, 181, 90))
        axes.set_ylabel("azimuth in °")
        if len(session.heard) > 1:
            axes.set_title(heard.run, loc="left", fontsize=9.5, fontweight="bold")
        axes.grid(axis="y", color="#e3e6ea", linewidth=0.6)
        axes.set_xlim(0, session.duration)
    axes.set_xlabel("seconds")
    return _svg(figure)


@mpl.rc_context(_STYLE)
def confusion(session: Session) -> str | None:
    """Draw whose recognized words were taken for whose; None without a truth or with too many speakers."""
    if session.truth is None:
        return None
    tables = []
    for heard in session.heard:
        words = recognized_words(normalized(session.truth.segments), normalized(heard.hypothesis.segments))
        if words:
            counts = Counter((word.speaker, person(heard, word.heard_speaker)) for word in words)
            tables.append((heard, counts))
    if not tables:
        return None
    figure = Figure(figsize=(0.6 + 4.6 * len(tables), 3.4), layout="constrained")
    for axes, (heard, counts) in zip(np.atleast_1d(figure.subplots(1, len(tables))), tables, strict=True):
        _matrix(axes, counts)
        axes.set_title(heard.run if len(session.heard) > 1 else "", fontsize=9.5)
    return _svg(figure)


@mpl.rc_context(_STYLE)
def latencies(heard: Sequence[Heard]) -> str | None:
    """Draw how many words are there after how long, first and finally; None if no word was heard."""
    figure = Figure(figsize=(5.2, 3.4), layout="constrained")
    axes = figure.subplots()
    some = False
    for number, one in enumerate(heard):
        for event, style in (("emitted_partial", "--"), ("emitted_final", "-")):
            words = one.hypothesis.words
            late = sorted(word[event] - word["end_time"] for word in words if word.get(event) is not None)
            if late:
                some = True
                label = f"{one.run if len(heard) > 1 else ''} {'first' if style == '--' else 'final'}".strip()
                shares = np.arange(1, len(late) + 1) / len(late)
                axes.step(late, 100 * shares, style, where="post", color=COLOURS[number % len(COLOURS)], label=label)
    axes.set_xlabel("seconds after the end of the word")
    axes.set_ylabel("% of words")
    axes.set_ylim(0, 101)
    axes.set_xlim(left=0)
    axes.grid(color="#e3e6ea", linewidth=0.6)
    if some:
        axes.legend(frameon=False, loc="lower right", fontsize=8.5)
    return _svg(figure) if some else None


@mpl.rc_context(_STYLE)
def differences(comparison: Comparison) -> str:
    """Draw by how much the second of two runs is better or worse, with intervals, in parts of the first."""
    shown = comparison.differences
    figure = Figure(figsize=(_WIDTH, 0.9 + 0.32 * len(shown)), layout="constrained")
    axes = figure.subplots()
    for row, difference in enumerate(shown):
        scale = 100 / difference.first if difference.first else 100.0
        colour = {-1: NOBODY, 0: "#d55e00", 1: "#009e73"}[difference.winner]
        if difference.low is not None and difference.high is not None:
            axes.plot(
                [scale * difference.low, scale * difference.high], [row, row], color=colour, linewidth=5, alpha=0.45
            )
        axes.plot(scale * (difference.second - difference.first), row, "o", color=colour, markersize=7)
    axes.axvline(0, color="#4a5058", linewidth=0.8)
    axes.set_yticks(range(len(shown)), [difference.metric.name for difference in shown])
    axes.set_ylim(len(shown) - 0.5, -0.5)
    axes.set_xlabel(f"change in % of {comparison.names[0]}: to the left {comparison.names[1]} is better")
    axes.grid(axis="x", color="#e3e6ea", linewidth=0.6)
    return _svg(figure)


def _length(session: Session) -> float:
    return min(max(_WIDTH, session.duration / _SECONDS), _WIDEST)


def _bar(axes: Axes, segment: dict[str, Any], bottom: float, height: float, colour: str, alpha: float = 1.0) -> None:
    length = segment["end_time"] - segment["start_time"]
    axes.barh(bottom + height / 2, length, 0.88 * height, segment["start_time"], color=colour, alpha=alpha, linewidth=0)


def _true_directions(axes: Axes, session: Session, colours: dict[str, str]) -> None:
    """Draw a broad stroke where somebody really speaks."""
    if session.truth is None:
        return
    labelled: set[str] = set()
    for segment in sorted(session.truth.segments, key=lambda segment: str(segment["speaker"])):
        name = str(segment["speaker"])
        if segment.get("azimuth_deg") is not None:
            times = np.arange(segment["start_time"], segment["end_time"], FRAME)
            label = None if name in labelled else name
            labelled.add(name)
            places = _followed(session, times, segment["azimuth_deg"])
            axes.plot(times, places, color=colours[name], linewidth=7, alpha=0.4, solid_capstyle="butt", label=label)
    axes.legend(frameon=False, ncols=8, loc="lower left", bbox_to_anchor=(0.05, 0.98), fontsize=8.5)


def _followed(session: Session, times: np.ndarray[Any, Any], azimuth: float) -> list[float]:
    """Return the true azimuths of whoever starts at one: in each frame the nearest of those who speak."""
    places = []
    for time in times:
        near = session.truth.talkers.get(round(time / FRAME), []) if session.truth else []
        closest = min(near, key=lambda other: abs((other - azimuth + 180) % 360 - 180), default=azimuth)
        if abs((closest - azimuth + 180) % 360 - 180) < 15:
            azimuth = closest
        places.append(azimuth)
    return places


def _tracks(heard: Heard) -> dict[tuple[str, int], tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]]:
    """Return times and azimuths by kind and track, with a break wherever a talker is silent."""
    found: dict[tuple[str, int], list[tuple[float, float]]] = {}
    file = heard.folder / "tracks.jsonl"
    for line in file.read_text(encoding="utf-8").splitlines() if file.is_file() else []:
        track = json.loads(line)
        silent = track["kind"] == "talker" and track["activity"] < 0.5
        azimuth = float("nan") if silent else track["azimuth_deg"]
        found.setdefault((track["kind"], track["track_id"]), []).append((track["time"], azimuth))
    return {key: tuple(np.array(places).T) for key, places in found.items()}


def _matrix(axes: Axes, counts: Counter[tuple[str, str]]) -> None:
    true = sorted({pair[0] for pair in counts})
    taken = [*true, *sorted({pair[1] for pair in counts} - set(true))]
    table = np.array([[counts[row, column] for column in taken] for row in true])
    shares = table / table.sum(axis=1, keepdims=True)
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1.25, aspect="auto")
    for (row, column), count in np.ndenumerate(table):
        if count:
            axes.text(
                column,
                row,
                str(count),
                ha="center",
                va="center",
                color="white" if shares[row, column] > 0.6 else "#222",
            )
    axes.set_xticks(range(len(taken)), taken, rotation=30, ha="right")
    axes.set_yticks(range(len(true)), true)
    axes.set_xlabel("taken for")
    axes.set_ylabel("said by")
    axes.spines[:].set_visible(False)


def _svg(figure: Figure) -> str:
    file = io.StringIO()
    figure.savefig(file, format="svg", metadata={"Date": None}, transparent=True)
    text = file.getvalue()
    return text[text.index("<svg") :]
