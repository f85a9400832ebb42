"""The page about turn-taking, and pictures of who spoke when."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from hearing.bench.duplex import POLICIES, Results, Scene
from hearing.bench.duplex_score import GIVEN_UP, PATIENCE, DuplexScore, Figure, interval
from hearing.bench.page import save_page, table
from hearing.errors import InputError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

NAME = "duplex"
DRAWN = 3
"""Scenes on the page; the folder of measurements has all."""
_KINDS = {"request": "C0", "barge_in": "C3", "backchannel": "C2", "side": "0.7"}
_LEGEND = f"""\
In brackets: where 95 % of the figure lie if the scenes are drawn anew.

- response: from the true end of a turn to the robot's first sound, openers such as "Okay," included; content: to the
  first word after openers and names. Both in seconds, of turns that were not cut into.
- cut-ins: turns to the robot in which it began to answer before they were over; in pauses: of those turns that have a
  silence of 0.4 s or more within.
- missed: turns to the robot that it did not answer within {PATIENCE:g} s.
- stop: from the first sound of an interruption until the robot was silent; talked over: interruptions during which it
  spoke on for {GIVEN_UP:g} s.
- backchannels, side talk: those that it fell silent for while it spoke; answered: turns said to somebody else that it
  answered.
- emergency: from the moment at which the word was shown in a partial transcript, and from its end, until everything
  stops."""

_LEVEL = """\
**This is the level of events, not of microphones.** One to three people around a robot are made up. Prosody, and what
the packaged classifier says, come from recorded and synthetic voices in noise (6 to 30 dB); words are shown as late as
the pipeline shows them; how likely they seem to be said to the robot is what the addressee model makes of made-up
dialogues. Whether there is voice is known, 0.1 s late. Room, echo and self-hearing are not in it. A quarter of the
turns have a pause of 0.4 to 5 s within, a share that nobody measured; interruptions and backchannels are synthetic
voices. All policies ask the same addressee model; people react to each. Thresholds were chosen on conversations of
other seeds, of the training and of these voices."""
_BASELINES = """\
The silence timer answers after 0.7 s without voice; the classifier alone when Smart Turn 3.2 says, at a pause of 0.2 s,
that the turn is over, or else after 3 s. Both wait for a first word that tells whom it is said to, stop for every voice
of 0.3 s, and know no emergency words."""


def _share(part: str, whole: str) -> Figure:
    def figure(score: DuplexScore) -> float | None:
        number = getattr(score, whole)
        return 100 * getattr(score, part) / number if number else None

    return figure


def _median(name: str) -> Figure:
    def figure(score: DuplexScore) -> float | None:
        values = getattr(score, name)
        return float(np.median(values)) if values else None

    return figure


def _late(score: DuplexScore) -> float | None:
    return float(np.quantile(score.latencies, 0.9)) if score.latencies else None


def _over(score: DuplexScore) -> float | None:
    number = len(score.stops) + score.talked_over
    return 100 * score.talked_over / number if number else None


FIGURES: dict[str, tuple[Figure, str]] = {
    "response, median (s)": (_median("latencies"), ".2f"),
    "response, 90th percentile (s)": (_late, ".2f"),
    "content, median (s)": (_median("content"), ".2f"),
    "cut-ins (%)": (_share("cut_ins", "turns"), ".1f"),
    "cut-ins in pauses (%)": (_share("paused_cut_ins", "paused"), ".1f"),
    "missed (%)": (_share("missed", "turns"), ".1f"),
    "stop, median (s)": (_median("stops"), ".2f"),
    "talked over (%)": (_over, ".1f"),
    "backchannels that stop it (%)": (_share("backchannel_stops", "backchannels"), ".1f"),
    "side talk that stops it (%)": (_share("side_stops", "side_over"), ".1f"),
    "side talk answered (%)": (_share("side_answered", "side"), ".1f"),
    "emergency after shown, median (s)": (_median("emergency_seen"), ".2f"),
    "emergency after said, median (s)": (_median("emergency_said"), ".2f"),
    "emergencies missed (%)": (_share("emergencies_missed", "emergencies"), ".1f"),
}
GOALS = {
    "response, median (s)": 0.7,
    "cut-ins (%)": 5.0,
    "stop, median (s)": 0.5,
    "backchannels that stop it (%)": 10.0,
    "side talk answered (%)": 5.0,
    "emergency after shown, median (s)": 0.4,
    "emergency after said, median (s)": 0.4,
}
"""At most."""


def write_page(results: Results, folder: Path, pictures: Path) -> Path:
    """Write the page into one folder, and a timeline of every scene into another.

    Raises
    ------
    InputError
        If they cannot be written, or there is nothing to draw with.
    """
    pictures.mkdir(parents=True, exist_ok=True)
    for number, scene in enumerate(results.scenes):
        _draw([scene], results.plan.seconds, pictures / f"scene_{number:02d}.png")
    lines = page_lines(results)
    return save_page(folder, NAME, lines, lambda path: _draw(results.scenes[:DRAWN], results.plan.seconds, path))


def page_lines(results: Results) -> Iterator[str]:
    """Write the page as Markdown."""
    plan = results.plan
    total = sum(results.of("duplex"), DuplexScore())
    yield from ("# How turns are taken", "")
    yield f"Generated by `hearing bench duplex` from {plan.scenes} scenes of {plan.seconds:g} s ({plan.split}'s voices,"
    yield f"seed {plan.seed}): {total.seconds / 60:.0f} minutes, {total.turns} turns said to the robot."
    yield from ("", _LEVEL, "")
    yield _LEGEND
    yield ""
    yield "## Goals"
    yield ""
    yield from table("figure", ("at most", "measured", "reached"), dict(_goals(results)))
    yield ""
    yield "## Policies"
    yield ""
    rows = {
        name: [_with_interval(results.of(policy), figure, style) for policy in POLICIES]
        for name, (figure, style) in FIGURES.items()
    }
    yield from table("figure", tuple(POLICIES), rows)
    yield ""
    yield _BASELINES
    yield ""
    yield f"Turns: {total.turns}, {total.paused} with a pause within;"
    yield f"interruptions {len(total.stops) + total.talked_over}, backchannels during its speech {total.backchannels},"
    yield f"side talk {total.side} (during its speech {total.side_over}), emergency words {total.emergencies}."
    yield ""
    yield f"![Who speaks when, in {DRAWN} scenes]({NAME}.png)"


def _goals(results: Results) -> Iterator[tuple[str, list[str]]]:
    scores = results.of("duplex")
    total = sum(scores, DuplexScore())
    for name, goal in GOALS.items():
        figure, style = FIGURES[name]
        value = figure(total)
        reached = "-" if value is None else "yes" if value <= goal + 1e-9 else "no"
        yield name, [format(goal, style), _with_interval(scores, figure, style), reached]


def _with_interval(scores: Sequence[DuplexScore], figure: Callable[[DuplexScore], float | None], style: str) -> str:
    value = figure(sum(scores, DuplexScore()))
    between = None if value is None else interval(scores, figure)
    if value is None:
        return "-"
    written = format(value, style)
    return written if between is None else f"{written} ({between[0]:{style}}-{between[1]:{style}})"


def _draw(scenes: Sequence[Scene], seconds: float, picture: Path) -> None:
    """Draw a timeline for every scene and policy: people above, the robot below."""
    try:
        from matplotlib.figure import Figure as Picture
    except ImportError as error:
        raise InputError(f"{error}; install what draws the picture: pip install 'robot-hearing[sim]'") from error
    number = len(scenes) * len(POLICIES)
    figure = Picture(figsize=(13, 1.1 * number + 0.8), layout="constrained")
    panels = figure.subplots(number, 1, sharex=True, squeeze=False)[:, 0]
    for at, panel in enumerate(panels):
        scene, policy = scenes[at // len(POLICIES)], list(POLICIES)[at % len(POLICIES)]
        _draw_timeline(panel, scene, policy)
        panel.set_xlim(0, seconds)
        panel.set_title(policy, fontsize="x-small", loc="left", pad=2)
    panels[-1].set_xlabel(
        "seconds; blue: to the robot, red: interruption, green: backchannel, grey: to somebody else; black: robot, "
        "x: it falls silent"
    )
    figure.savefig(picture, dpi=90)


def _draw_timeline(panel: Axes, scene: Scene, policy: str) -> None:
    for turn in scene.turns[policy]:
        panel.barh(-turn.person, turn.end - turn.begin, left=turn.begin, height=0.7, color=_KINDS[turn.kind])
    journal = scene.journals[policy]
    for speech in journal.speeches:
        if np.isfinite(speech.begin):
            panel.barh(0, speech.end - speech.begin, left=speech.begin, height=0.7, color="black")
    panel.plot(journal.stops, [0.0] * len(journal.stops), "x", color="C1", markersize=5)
    names = ["robot", *(str(person) for person in range(1, scene.people + 1))]
    panel.set_yticks(range(0, -scene.people - 1, -1), names, fontsize=6)
    panel.spines[["top", "right"]].set_visible(False)
