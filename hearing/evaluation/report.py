"""The score as a table that people read."""

from __future__ import annotations

from typing import Any

from rich.table import Table

from hearing.evaluation.score import Score, direction_summary, percentiles
from hearing.evaluation.words import COLLAR


def render(score: Score) -> Table:
    """Lay a score out as a table for the terminal."""
    table = Table(title="Score", title_justify="left", show_header=False, box=None, padding=(0, 2, 0, 0))
    table.add_column(style="bold")
    table.add_column(justify="right", no_wrap=True)
    table.add_column(style="dim")
    _add_words(table, score)
    _add_people(table, score)
    table.add_section()
    _add_directions(table, score)
    _add_latencies(table, score)
    factor = score.real_time_factor
    table.add_row("real-time factor", "-" if factor is None else f"{factor:.2f}", "seconds of work per second of audio")
    return table


def _add_words(table: Table, score: Score) -> None:
    table.add_row("cpWER", _percent(score.cp), _word_note(score.cp))
    table.add_row("tcpWER", _percent(score.tcp), f"words up to {COLLAR:.0f} s off")
    table.add_row("ORC-WER", _percent(score.orc), "whoever said it" if score.orc else "too many heard speakers")
    table.add_row("words in silence", str(score.false_alarm_words), f"of {score.hypothesis_words} heard words")


def _add_people(table: Table, score: Score) -> None:
    attribution, people, faces = score.attribution, score.people, score.faces
    note = (
        f"{attribution.errors} of {attribution.length} recognized words" if attribution else "too many heard speakers"
    )
    table.add_row("wrong speaker", _percent(attribution), note)
    if faces is not None and faces.length:
        table.add_row("wrong face", _percent(faces), f"{faces.errors} of {faces.length} recognized words")
    der = score.diarization
    note = f"missed {der.missed:.1f} s, false {der.false_alarm:.1f} s, confused {der.confusion:.1f} s"
    table.add_row("DER", _percent(der), f"{note}, of {der.length:.1f} s")
    switched = "" if score.switches is None else f", who become somebody else {score.switches} times"
    table.add_row("people", str(people.heard), f"{people.true} speak{switched}")


def _add_directions(table: Table, score: Score) -> None:
    for name, errors in (
        ("direction error", score.frame_direction_errors),
        ("  per utterance", score.segment_direction_errors),
    ):
        summary = direction_summary(errors)
        if errors:
            note = f"p90 {summary['p90']:.1f}°, {summary['within_10']:.0%} within 10°, {len(errors)} compared"
            table.add_row(name, f"{summary['median']:.1f}°", f"median; {note}")
        else:
            table.add_row(name, "-", "nothing to compare")


def _add_latencies(table: Table, score: Score) -> None:
    for name, latencies in (("partial after", score.partial_latencies), ("final after", score.final_latencies)):
        summary = percentiles(latencies, 50, 90)
        if latencies:
            table.add_row(name, f"{summary['p50']:.2f} s", f"median from a word's end; p90 {summary['p90']:.2f} s")
        else:
            table.add_row(name, "-", "nothing to compare")


def _percent(rate: Any) -> str:
    return "-" if rate is None or rate.error_rate is None else f"{rate.error_rate:.1%}"


def _word_note(rate: Any) -> str:
    return f"{rate.insertions} inserted, {rate.deletions} missed, {rate.substitutions} wrong, of {rate.length} words"
