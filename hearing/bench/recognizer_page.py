"""The page about the comparison of recognition engines, and its picture."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from hearing.bench.page import save_page, table
from hearing.bench.recognizer import OWN, OWN_WHOLE, STOCK, Results
from hearing.bench.recognizer_confidence import confidence_lines, draw_reliability, reliabilities
from hearing.bench.recognizer_score import Answer, Estimate, Unit, error_rate, error_ratio
from hearing.bench.recognizer_trials import (
    ACCENTED,
    LABELLED,
    NATIVE,
    NOISES,
    OTHER_CONDITIONS,
    READ_CONDITIONS,
    SNRS_DB,
    TIMED,
)  # fmt: skip
from hearing.errors import InputError

NAME = "recognizer"
PLACES = ("clean", "microphone", "beam")
MOST_WORDS = 3
"""That may be written in ten minutes of noise."""
_GROUPS = (NATIVE, LABELLED, ACCENTED)
_COSTS = (
    "partial median / p90 (s)", "shown in time", "final median / p90 (s)", "real-time factor", "final words alone",
    "memory (MB)", "network",
)  # fmt: skip
_LEGEND = f"""\
- Every engine hears the same audio, in one thread, in utterances that are cut out for it: speech of 1 to 20 s in
  simulated rooms (reverberation 0.25 to 1 s) with machines at the given ratio, at one microphone or in a beam that is
  steered at the talker.
- Word and character errors: per cent, in Whisper's English normal form, characters without blanks, counted with
  MeetEval. In parentheses the 95 % interval, by bootstrap over utterances.
- `{STOCK}` is Whisper base as it comes, every utterance padded to 30 s; `{STOCK}-tiny.en` is Whisper tiny for English
  alone, run alike. Engines that only hear finished audio draft their partial words by hearing all of it again and
  again; guards against invented text stand behind them.
- `{OWN}` hears chunks of 320 ms and writes its final words from what it heard in them; `{OWN}, whole` hears the
  utterance once more with all of it as context.
- Groups: nobody wrote down what the speakers of "{LABELLED}" say. **Their transcripts are Whisper base's on the clean
  recordings, which favours Whisper base and what was trained from it.**"""
_COST_LEGEND = f"""\
Condition "{TIMED}". Partial: from the true end of a word until it is first shown, computing included, for words that
are shown before the utterance ends, whose share is beside it. A word that the engine spells otherwise, as in digits, is
not shown. Final: computing time from the end of the utterance to its final words. Real-time factor: computing time of
one core, partial words included, per second of audio; above 1 the engine falls behind, which the delays leave out.
Memory: by how much a fresh process grows that loads the engine and hears 20 s."""
_ABOUT_CHUNKS = (
    f"Word errors of the final text of `{OWN}` in read speech, written from what was encoded in chunks while somebody "
    "spoke, and from the utterance heard once more as a whole."
)
_ABOUT_OTHERS = (
    "Numbers, addresses and names by accented speakers; what people say to robots by synthetic voices. At the "
    f"microphone {', '.join(f'{snr:g}' for snr in SNRS_DB)} dB in turn."
)


def write_page(results: Results, folder: Path) -> Path:
    """Write the page and its picture into a folder.

    Raises
    ------
    InputError
        If it cannot be written, or there is nothing to draw with.
    """
    return save_page(folder, NAME, page_lines(results), lambda picture: _draw(results, picture))


def page_lines(results: Results) -> Iterator[str]:
    """Write the page as Markdown."""
    yield from _introduction(results)
    yield from ("", f"![Word errors over the ratio of speech to machines, delays, confidences]({NAME}.png)")
    if results.own:
        yield from ("", "## What was to be reached", "")
        yield from table("", ("target", f"`{results.own}`", "reached"), _targets(results, results.own))
    names = [condition.name for condition in READ_CONDITIONS]
    yield from ("", "## Word errors, read speech", "", *_errors(results, names, "words"))
    yield from ("", "## Character errors, read speech", "", *_errors(results, names, "letters"))
    if STOCK in results.answers:
        yield from ("", f"## Word errors over those of `{STOCK}`, read speech", "")
        rows = {engine: _ratios(results, engine, STOCK, names) for engine in results.answers if engine != STOCK}
        yield from table("engine", (*names, "all"), rows)
    if results.own and (whole := results.own.replace(OWN, OWN_WHOLE, 1)) in results.answers:
        yield from ("", "## What chunks of 320 ms cost", "", _ABOUT_CHUNKS, "")
        yield from table("", (*names, "all"), _gap(results, results.own, whole, names))
    yield from ("", "## Word errors by group of speakers, read speech", "")
    yield from _groups(results)
    if other := [c.name for c in OTHER_CONDITIONS if any(_of_any(results, c.name))]:
        yield from ("", "## Word errors, numbers and commands", "", _ABOUT_OTHERS, "")
        yield from _errors(results, other, "words")
        yield from ("", "## Character errors, numbers and commands", "", *_errors(results, other, "letters"))
    yield from confidence_lines(reliabilities(results))
    yield from ("", "## Delay and cost", "", _COST_LEGEND, "")
    yield from table("engine", _COSTS, {engine: _cost(results, engine) for engine in results.answers})
    yield from ("", "## Words written where nobody speaks", "", _noise_minutes(results), "")
    noises = [condition.name for condition in NOISES]
    yield from table("engine", (*noises, "all"), {engine: _invented(results, engine) for engine in results.answers})


def _introduction(results: Results) -> Iterator[str]:
    plan = results.plan
    one = next(iter(results.answers.values()))
    minutes = sum(answer.audio_seconds for answer in one) / 60
    yield "# How well engines recognize speech"
    yield ""
    yield f"Generated by `hearing bench recognizer` from {len(one)} {plan.split} utterances ({minutes:.1f} minutes,"
    yield f"{plan.trials} of each condition, seed {plan.seed}) on one core of {os.cpu_count()} ({platform.machine()})."
    yield from (f"Left out: {name} ({reason})." for name, reason in results.left_out.items())
    yield ""
    yield _LEGEND


def _targets(results: Results, own: str) -> dict[str, list[str]]:
    timed = results.of(own, _in(TIMED))
    partial = [latency for answer in timed for latency in answer.latencies]
    final = [answer.final_seconds for answer in timed]
    noise = results.of(own, lambda answer: not answer.said)
    per_ten_minutes = 600 * sum(a.n_heard for a in noise) / sum(a.audio_seconds for a in noise)
    figures: dict[str, tuple[str, float, float | None]] = {
        "partial word, median (s)": (".2f", 0.6, float(np.median(partial)) if partial else None),
        "final words, 90th percentile (s)": (".2f", 0.5, float(np.percentile(final, 90))),
        "real-time factor": (".2f", 0.15, _real_time_factor(timed)),
        "memory (MB)": (".0f", 500, results.memory[own] / 1e6),
        "words in ten minutes of noise": (".0f", MOST_WORDS, per_ten_minutes),
    }
    return {
        name: [f"at most {target:g}", _number(value, style), "yes" if value is not None and value <= target else "no"]
        for name, (style, target, value) in figures.items()
    }


def _errors(results: Results, conditions: Sequence[str], unit: Unit) -> Iterator[str]:
    rows = {
        engine: [_rate(results, engine, unit, _in(condition)) for condition in conditions] for engine in results.answers
    }
    yield from table("engine", conditions, rows)


def _ratios(results: Results, engine: str, other: str, names: Sequence[str]) -> list[str]:
    """Write the errors of one engine over those of another one, by condition and altogether."""

    def cell(*chosen: str) -> str:
        parts = (results.of(name, _in(*chosen)) for name in (engine, other))
        return _with_interval(error_ratio(*parts), ".2f", 1)

    return [*map(cell, names), cell(*names)]


def _gap(results: Results, streamed: str, whole: str, names: Sequence[str]) -> dict[str, list[str]]:
    rates = {
        what: [_rate(results, engine, "words", _in(*chosen)) for chosen in (*([name] for name in names), names)]
        for what, engine in (("in chunks (%)", streamed), ("as a whole (%)", whole))
    }
    return rates | {"ratio": _ratios(results, streamed, whole, names)}


def _groups(results: Results) -> Iterator[str]:
    def cell(engine: str, group: str, place: str) -> str:
        names = [condition.name for condition in READ_CONDITIONS if condition.place == place]
        return _rate(results, engine, "words", lambda answer: answer.group == group and answer.condition in names)

    columns = [(group, place) for group in _GROUPS for place in PLACES]
    rows = {engine: [cell(engine, *column) for column in columns] for engine in results.answers}
    yield from table("engine", [", ".join(column) for column in columns], rows)


def _cost(results: Results, engine: str) -> list[str]:
    answers = results.of(engine, _in(TIMED))
    latencies = [latency for answer in answers for latency in answer.latencies]
    timed = sum(answer.timed_words for answer in answers)
    seconds = sum(answer.audio_seconds for answer in answers)
    return [
        _median_and_p90(latencies),
        f"{100 * len(latencies) / timed:.0f} %" if timed else "-",
        _median_and_p90([answer.final_seconds for answer in answers]),
        _number(_real_time_factor(answers), ".2f"),
        _number(sum(answer.final_seconds for answer in answers) / seconds, ".2f"),
        f"{results.memory[engine] / 1e6:.0f}",
        f"`{answers[0].version}`",
    ]


def _invented(results: Results, engine: str) -> list[str]:
    counts = [sum(answer.n_heard for answer in results.of(engine, _in(noise.name))) for noise in NOISES]
    return [str(count) for count in (*counts, sum(counts))]


def _noise_minutes(results: Results) -> str:
    first = next(iter(results.answers))
    parts = (
        f"{noise.name} {sum(a.audio_seconds for a in results.of(first, _in(noise.name))) / 60:.1f}" for noise in NOISES
    )
    return (
        f"Minutes of noise alone: {'; '.join(parts)}. Alarms, announcements and radio sound 2 to 15 dB above machines. "
        "What loudspeakers say is speech: the engines are not told that nobody is there."
    )


def _rate(results: Results, engine: str, unit: Unit, chosen: Callable[[Answer], bool]) -> str:
    return _with_interval(error_rate(results.of(engine, chosen), unit), ".1f", 100)


def _with_interval(estimate: Estimate | None, style: str, factor: float) -> str:
    if estimate is None:
        return "-"
    value, low, high = (format(factor * part, style) for part in (estimate.value, estimate.low, estimate.high))
    return f"{value} ({low} to {high})"


def _in(*conditions: str) -> Callable[[Answer], bool]:
    return lambda answer: answer.condition in conditions


def _of_any(results: Results, condition: str) -> list[Answer]:
    return results.of(next(iter(results.answers)), _in(condition))


def _real_time_factor(answers: Sequence[Answer]) -> float:
    return sum(a.partial_seconds + a.final_seconds for a in answers) / sum(a.audio_seconds for a in answers)


def _median_and_p90(values: Sequence[float]) -> str:
    return f"{np.median(values):.2f} / {np.percentile(values, 90):.2f}" if values else "-"


def _number(value: float | None, style: str) -> str:
    return "-" if value is None else format(value, style)


def _draw(results: Results, picture: Path) -> None:
    """Draw word errors, delays of the own engine or the first one, and how far confidences are to be believed."""
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise InputError(f"{error}; install what draws the picture: pip install 'robot-hearing[sim]'") from error
    figure = Figure(figsize=(17, 4), layout="constrained")
    microphone, beam, delays, confidences = figure.subplots(1, 4)
    for axes, place in ((microphone, "microphone"), (beam, "beam")):
        _draw_errors(axes, results, place)
    microphone.set_ylabel("word errors (%)")
    microphone.legend(fontsize="small")
    engine = results.own or next(iter(results.answers))
    answers = results.of(engine, _in(TIMED))
    series = {
        "word shown after its end": [latency for answer in answers for latency in answer.latencies],
        "final words after the end": [answer.final_seconds for answer in answers],
    }
    bins = np.histogram_bin_edges([value for values in series.values() for value in values], 30)
    for label, values in series.items():
        shares = [100 / len(values) for _ in values]  # of few utterances no word may have been timed
        delays.hist(values, bins, weights=shares, alpha=0.6, label=f"{label} (%)")
    delays.set_title(f"{engine}: delays (s)", fontsize="medium")
    delays.legend(fontsize="small")
    delays.spines[["top", "right"]].set_visible(False)
    draw_reliability(confidences, reliabilities(results))
    figure.savefig(picture, dpi=120)


def _draw_errors(axes: Any, results: Results, place: str) -> None:
    conditions = [*(f"{place}, {snr:g} dB" for snr in reversed(SNRS_DB)), "clean"]
    for number, engine in enumerate(results.answers):
        rates = [error_rate(results.of(engine, _in(condition)), "words") for condition in conditions]
        known = [(position, rate) for position, rate in enumerate(rates) if rate]
        values = np.array([(100 * rate.value, 100 * rate.low, 100 * rate.high) for _, rate in known]).reshape(-1, 3)
        # Beside each other, so that the bars can be told apart.
        at = [position + 0.06 * (number - len(results.answers) / 2) for position, _ in known]
        bars = np.abs(values[:, 1:].T - values[:, 0])
        axes.errorbar(at, values[:, 0], yerr=bars, label=engine, marker="o", markersize=3, linewidth=1, capsize=2)
    axes.set_xticks(range(len(conditions)), [condition.rpartition(", ")[2] for condition in conditions])
    axes.set_ylim(bottom=0)
    axes.set_title(f"{place}: speech over machines", fontsize="medium")
    axes.spines[["top", "right"]].set_visible(False)
