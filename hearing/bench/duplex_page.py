"""The page about turn-taking, and pictures of who spoke when."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from hearing.bench.duplex import Results
from hearing.bench.duplex_policies import POLICIES, STOP_DELAY
from hearing.bench.duplex_rooms import ROBOT_DELAY
from hearing.bench.duplex_score import GIVEN_UP, PATIENCE, DuplexScore, Figure, Scene, interval
from hearing.bench.page import save_page, table
from hearing.bench.self_hearing import RT60, SelfHeard
from hearing.errors import InputError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

NAME = "duplex"
DRAWN = 3
"""Scenes in made-up company on the page; the folder of measurements has all."""
_KINDS = {"request": "C0", "barge_in": "C3", "halt": "C3", "backchannel": "C2", "side": "0.7"}
_LEGEND = f"""\
In brackets: where 95 % of the figure lie if the scenes are drawn anew.

- response: from the true end of a turn to the robot's first sound, openers such as "Okay," included; content: to the
  first word after openers and names. Both in seconds, of turns that were not cut into.
- cut-ins: turns to the robot in which it began to answer before they were over; in pauses: of those turns that have a
  silence of 0.4 s or more within.
- missed: turns to the robot that it did not answer within {PATIENCE:g} s, nor stopped for.
- stop: from the first sound of an interruption until the robot was silent; talked over: interruptions during which it
  spoke on for {GIVEN_UP:g} s.
- backchannels, side talk: those that it fell silent for while it spoke; answered: turns said to somebody else that it
  answered.
- emergency: from the moment at which the word was shown in a partial transcript, and from its end, until everything
  stops; below 0 where the word was spotted before it was shown.
- stops for nobody: times that it fell silent though nobody spoke; self-hearing: utterances with words, heard by the
  pipeline while nobody spoke, per hour of the robot's speech, before its own words are taken out of them."""

_ROOMS = f"""\
The pipeline hears six microphones in simulated rooms; the robot's own voice comes out of its loudspeaker into them
while it speaks, and people react to when it does. Two or three people (one synthetic voice at four pitches) stand
1.7 to 1.9 m away, ask, think for 0.8 to 2 s in the middle of a turn, say "mm-hm", interrupt, talk to each other,
shout "stop", or ask at the same time, in offices, workshops and halls with machines of 50 to 66 dB and
reverberation of 0.35 to 0.8 s. From a decision to the loudspeaker {ROBOT_DELAY:g} s are counted for computing and
buffers. Nobody moves, there is no camera."""

_EVENTS = f"""\
One to three people around a robot are made up, to count more turns than rooms are affordable for. Prosody, and what
the packaged classifier says, come from recorded and synthetic voices in noise (6 to 30 dB); words are shown as late
as the pipeline shows them in the rooms, and emergency words are spotted as often and as soon as
[there](spotting.md); how likely turns seem to be said to the robot is what the addressee model makes of made-up
dialogues. Whether there is voice is known as late as in the rooms, and from a decision to the loudspeaker
{STOP_DELAY:g} s are counted. Room, echo and self-hearing are not in it. A quarter of the turns have a pause of 0.4 to
5 s within, a share that nobody measured; interruptions and backchannels are synthetic voices that the floor model was
not trained on. All policies ask the same addressee model; people react to each. Thresholds were chosen on
conversations of other seeds with these voices."""
_BASELINES = """\
The silence timer answers after 0.7 s without voice; the classifier alone when Smart Turn 3.2 says, at a pause of 0.2 s,
that the turn is over, or else after 3 s. Both wait for a first word that tells whom it is said to, stop for every voice
of 0.3 s, and know no emergency words."""
_CURVE = """\
How early it stops for an interruption, and how often for a backchannel, is one choice: the probability of an
interruption at which it falls silent."""
_ALONE = f"""\
The robot talks alone, answers and sentences about anything, in a room of 8 x 6.5 m with RT60 {RT60:g} s, in streams
of five minutes that begin with a canceller that knows nothing of the room. Counted are utterances that the pipeline
makes of it, those whose words were passed on before they were known to be its own, and those that nobody knew to be
its own."""


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


def _per_hour(score: DuplexScore) -> float | None:
    return 3600 * score.ghosts / score.spoken if score.spoken else None


def _count(name: str) -> Figure:
    def figure(score: DuplexScore) -> float | None:
        return float(getattr(score, name))

    return figure


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
IN_ROOMS: dict[str, tuple[Figure, str]] = {
    **{name: figure for name, figure in FIGURES.items() if not name.startswith(("content", "emergency after shown"))},
    "stops for nobody": (_count("unprovoked_stops"), ".0f"),
    "self-hearing (utterances per hour)": (_per_hour, ".1f"),
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
        _draw([scene], pictures / f"scene_{number:02d}.png")
    for number, scene in enumerate(results.rooms):
        _draw([scene], pictures / f"room_{number:02d}.png")
    lines = page_lines(results)
    return save_page(folder, NAME, lines, lambda path: _draw([*results.rooms, *results.scenes[:DRAWN]], path))


def page_lines(results: Results) -> Iterator[str]:
    """Write the page as Markdown."""
    yield from ("# How turns are taken", "", "Generated by `hearing bench duplex`.", "")
    yield _LEGEND
    yield from ("", "## Goals", "")
    rooms = [scene.scores["duplex"] for scene in results.rooms]
    columns = ("at most", "in rooms", "in made-up company", "reached")
    yield from table("figure", columns, dict(_goals(rooms, results.of("duplex"))))
    if results.rooms:
        yield from _room_lines(results)
    if results.alone:
        yield from ("", "## Hearing itself", "", _ALONE, "")
        yield from table("place", tuple(_HEARD), {name: _heard_row(heard) for name, heard in results.alone.items()})
    yield from _company_lines(results)
    yield from ("", f"![Who speaks when, in rooms and in {DRAWN} scenes in made-up company]({NAME}.png)")


_HEARD = ("minutes of its speech", "utterances of the pipeline", "passed on at first", "left", "what they say")


def _heard_row(heard: SelfHeard) -> list[str]:
    texts = "; ".join(heard.texts) or "-"
    return [f"{heard.spoken / 60:.1f}", str(heard.leaked), str(heard.shown), str(heard.left), texts]


def _room_lines(results: Results) -> Iterator[str]:
    total = sum((scene.scores["duplex"] for scene in results.rooms), DuplexScore())
    names = ", ".join(dict.fromkeys(scene.name for scene in results.rooms))
    yield from ("", "## In rooms", "", _ROOMS, "")
    yield f"{len(results.rooms)} scenes ({names}), seed {results.plan.seed}:"
    yield from (f"{total.seconds / 60:.1f} minutes, {_numbers(total)}", "")
    scores = {policy: [scene.scores[policy] for scene in results.rooms] for policy in POLICIES}
    yield from _policies(scores, IN_ROOMS)


def _company_lines(results: Results) -> Iterator[str]:
    plan = results.plan
    total = sum(results.of("duplex"), DuplexScore())
    yield from ("", "## In made-up company", "", _EVENTS, "")
    yield f"{plan.scenes} scenes of {plan.seconds:g} s ({plan.split}'s voices, seed {plan.seed}):"
    yield from (f"{total.seconds / 60:.0f} minutes, {_numbers(total)}", "")
    yield from _policies({policy: results.of(policy) for policy in POLICIES}, FIGURES)
    yield from ("", _BASELINES)
    if results.curve:
        names = ("stop, median (s)", "talked over (%)", "backchannels that stop it (%)", "side talk that stops it (%)")
        rows = {
            f"{stop:g}": [_with_interval(scores, *FIGURES[name]) for name in names]
            for stop, scores in results.curve.items()
        }
        yield from ("", "### When to stop", "", _CURVE, "")
        yield from table("stops at", names, rows)


def _policies(scores: dict[str, list[DuplexScore]], figures: dict[str, tuple[Figure, str]]) -> Iterator[str]:
    rows = {
        name: [_with_interval(scores[policy], figure, style) for policy in POLICIES]
        for name, (figure, style) in figures.items()
    }
    yield from table("figure", tuple(POLICIES), rows)


def _numbers(total: DuplexScore) -> str:
    return (
        f"{total.turns} turns said to the robot, {total.paused} with a pause within,\n"
        f"{len(total.stops) + total.talked_over} interruptions, {total.backchannels} backchannels during its speech,\n"
        f"{total.side} turns of side talk ({total.side_over} during its speech), {total.emergencies} emergency words."
    )


def _goals(rooms: list[DuplexScore], company: list[DuplexScore]) -> Iterator[tuple[str, list[str]]]:
    for name, goal in GOALS.items():
        figure, style = FIGURES[name]
        values = [figure(sum(scores, DuplexScore())) for scores in (rooms, company)]
        known = [value <= goal + 1e-9 for value in values if value is not None]
        reached = "-" if not known else "yes" if all(known) else "no" if not any(known) else "in one"
        cells = [_with_interval(scores, figure, style) for scores in (rooms, company)]
        yield name, [format(goal, style), *cells, reached]


def _with_interval(scores: Sequence[DuplexScore], figure: Callable[[DuplexScore], float | None], style: str) -> str:
    value = figure(sum(scores, DuplexScore()))
    between = None if value is None else interval(scores, figure)
    if value is None:
        return "-"
    written = format(value, style)
    return written if between is None else f"{written} ({between[0]:{style}}-{between[1]:{style}})"


def _draw(scenes: Sequence[Scene], picture: Path) -> None:
    """Draw a timeline for every scene and policy: people above, the robot below."""
    try:
        from matplotlib.figure import Figure as Picture
    except ImportError as error:
        raise InputError(f"{error}; install what draws the picture: pip install 'robot-hearing[sim]'") from error
    number = len(scenes) * len(POLICIES)
    figure = Picture(figsize=(13, 1.0 * number + 0.8), layout="constrained")
    panels = figure.subplots(number, 1, squeeze=False)[:, 0]
    for at, panel in enumerate(panels):
        scene, policy = scenes[at // len(POLICIES)], list(POLICIES)[at % len(POLICIES)]
        _draw_timeline(panel, scene, policy)
        panel.set_xlim(0, max(score.seconds for score in scene.scores.values()))
        panel.set_title(f"{scene.name}: {policy}", fontsize="x-small", loc="left", pad=2)
        panel.tick_params(labelsize=6)
    panels[-1].set_xlabel(
        "seconds; blue: to the robot, red: interruption, green: backchannel, grey: to somebody else; black: robot, "
        "x: it falls silent"
    )
    figure.savefig(picture, dpi=80)


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
