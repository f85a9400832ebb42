"""To whom an utterance is said: the probability that it is the robot, from words, dialogue and gaze.

A logistic regression on cues that people understand (`cue_values`); whoever looks at the robot at the end of an
utterance yields the turn to it (Richter et al. 2016, Are you talking to me?), but people also look at what they talk
about. `hearing_models.addressee.recipe` fits the weights.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hearing.attribution.clauses import Text
from hearing.attribution.names import NameCues, NameFinder
from hearing.attribution.wording import WordingCues, wording
from hearing.errors import InputError

FILE = "addressee.json"
CUES: dict[str, tuple[str, ...]] = {
    "name": NameCues._fields,
    "wording": WordingCues._fields,
    "dialogue": (
        "said_just_now", "said_lately", "robot_just_now", "robot_lately", "answers_robot", "goes_on",
    ),
    "company": ("alone", "others", "other_just_now", "other_lately", "other_last"),
    "gaze": ("seen", "faces", "faces_unnamed", "faces_talked_of"),
    "distance": ("placed", "near"),
}  # fmt: skip
"""All cues by kind, see `cue_values`."""
NUMBER = sum(map(len, CUES.values()))
_SUREST = 0.97
_MOST_FACING = 0.95
_JUST_NOW, _LATELY = 6.0, 30.0
_FEW = 4


@dataclass(frozen=True, slots=True)
class AddressCues:
    """What is known of an utterance, or of its first words.

    Attributes
    ----------
    text
        Its words so far.
    facing
        Share of the last second for which the speaker's face is towards the robot, the mean of `Face.facing`, or None
        if no camera sees it.
    distance
        Metres to the speaker, or None if unknown.
    since_addressed
        Seconds from the last utterance of this speaker that was said to the robot to the beginning of this one, or
        None if there was none.
    since_robot_spoke
        Seconds since the robot spoke, 0 if it still did, or None if it never has.
    others
        Number of other people heard in the last 20 s.
    since_other
        Seconds since somebody else spoke, 0 if he still did, or None.
    """

    text: str
    facing: float | None = None
    distance: float | None = None
    since_addressed: float | None = None
    since_robot_spoke: float | None = None
    others: int = 0
    since_other: float | None = None


class AddresseeModel:
    """Tells how likely utterances are said to the robot.

    Parameters
    ----------
    robot_names
        What people call it, of one or more words each. It is called "robot" too.
    people
        Given names of people who may be around; common ones are known anyway.
    weights
        File that the recipe has written; by default the package's.

    Raises
    ------
    InputError
        If the file is missing, damaged or of another version, or a name has no letters.

    Examples
    --------
    >>> from dataclasses import replace
    >>> model = AddresseeModel()
    >>> model.probability(AddressCues("Robot, bring me the wrench.")) > 0.9
    True
    >>> model.probability(AddressCues("Yesterday the robot dropped it again.")) < 0.1
    True
    >>> among_others = AddressCues("Hand me the wrench.", others=1, since_other=4.0)
    >>> model.probability(replace(among_others, facing=0.9)) > 0.7
    True
    >>> model.probability(replace(among_others, facing=0.0)) < 0.3
    True
    """

    def __init__(
        self, robot_names: Sequence[str] = ("robot",), people: Sequence[str] = (), weights: Path | None = None
    ) -> None:
        if nameless := next((name for name in robot_names if not Text(name).words), None):
            raise InputError(f"robot name {nameless!r}: it needs letters")
        path = weights or own_weights()
        try:
            record = json.loads(path.read_text(encoding="utf-8"))
            if {kind: tuple(fitted) for kind, fitted in record["weights"].items()} != CUES:
                raise ValueError("other cues")
            self._bias = float(record["bias"])
            self._weights = np.array([float(w) for fitted in record["weights"].values() for w in fitted.values()])
            self._finder = NameFinder(robot_names, (*map(str, record["people"]), *map(str.lower, people)))
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise InputError(
                f"{path}: no weights of addressees ({error!r}); fit them anew, or install again"
            ) from error

    def probability(self, cues: AddressCues) -> float:
        """Return the probability that an utterance is said to the robot; 0.03 to 0.97 at most."""
        odds = self._bias + float(self._weights @ cue_values(cues, self._finder))
        return float(np.clip(1 / (1 + np.exp(-odds)), 1 - _SUREST, _SUREST))


def own_weights() -> Path:
    """Give the file of the project's own weights."""
    return Path(str(resources.files("hearing_models"))) / "addressee" / "weights" / FILE


def cue_values(cues: AddressCues, finder: NameFinder) -> NDArray[np.float64]:
    """Return the cues in numbers of about 0 to 1, of shape (n_cues,), in the order of `CUES`.

    Of the words, see `NameCues` and `WordingCues`. Times t fade as exp(-t / 6 s), "just now", and exp(-t / 30 s),
    "lately", and are 0 where nothing happened: the speaker addressed the robot (`said`), the robot spoke, somebody else
    spoke. Who is there: nobody else (`alone`), a third of the number of others, whether somebody else spoke last. Gaze
    is the log-odds of `facing` over 3, the distance 1 at the robot and 0.5 at 2 m; unknown ones are 0, and `seen` and
    `placed` tell so. Four products: few words just after the robot spoke (`answers_robot`), having addressed the robot
    without anybody else speaking since (`goes_on`), and what a gaze is worth where nobody is called (`faces_unnamed`)
    or the robot is talked about, at which one looks then (`faces_talked_of`).
    """
    names, manner, few = _read(cues.text, finder)
    said, said_lately = _fading(cues.since_addressed)
    robot, robot_lately = _fading(cues.since_robot_spoke)
    other, other_lately = _fading(cues.since_other)
    alone = float(cues.others == 0)
    other_last = float(
        cues.since_other is not None
        and all(cues.since_other < t for t in (cues.since_addressed, cues.since_robot_spoke) if t is not None)
    )
    seen, gaze = 0.0, 0.0
    if cues.facing is not None:
        share = min(max(cues.facing, 1 - _MOST_FACING), _MOST_FACING)
        seen, gaze = 1.0, math.log(share / (1 - share)) / 3
    placed, near = 0.0, 0.0
    if cues.distance is not None:
        placed, near = 1.0, 2 / (2 + max(cues.distance, 0.0))
    called = max(names.called, names.called_last)
    unnamed = 1 - max(called, names.person, names.person_last)
    return np.array(
        [
            *names, *manner,
            said, said_lately, robot, robot_lately, few * robot, (1 - other_last) * said,
            alone, min(cues.others, 3) / 3, other, other_lately, other_last,
            seen, gaze, gaze * unnamed, gaze * names.mentioned,
            placed, near,
        ],
        np.float64,
    )  # fmt: skip


@lru_cache(maxsize=256)
def _read(text: str, finder: NameFinder) -> tuple[NameCues, WordingCues, float]:
    """Return the cues of the words, and whether they are few."""
    words = Text(text)
    names, starts = finder.find(words)
    return names, wording(words, starts), float(len(words.words) <= _FEW)


def _fading(seconds: float | None) -> tuple[float, float]:
    if seconds is None:
        return 0.0, 0.0
    return math.exp(-max(seconds, 0.0) / _JUST_NOW), math.exp(-max(seconds, 0.0) / _LATELY)
