"""The robot in a conversation: what the microphones hear goes in, what the loudspeaker plays comes out.

pipeline -> floor model -> duplex controller -> synthesis -> loudspeaker, and what was played goes back into the
pipeline's echo canceller with the next block.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hearing.dialogue.acts import DialogueAct, Duck, Pause, Resume, Speak, Spoken, Stop
from hearing.dialogue.controller import DuplexController, Heard
from hearing.dialogue.floor import FloorState, RobotNow
from hearing.dialogue.listening import FloorListener
from hearing.errors import InputError
from hearing.pipeline import Pipeline
from hearing.speech import LombardFilter, LombardStyle, Speaking, Synthesizer, split_clauses
from hearing.types import AudioBlock, Float32Array, HearingOutput, SourceAudio, Track

DUCKED_DB = -9.0
"""Level of the robot's voice while somebody says something that may be worth listening to."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """What happened in a block.

    Attributes
    ----------
    heard
        What the pipeline has to say.
    acts
        What the robot decided to do.
    samples
        What its loudspeaker is to play next, of shape (n_samples,): as long as the block.
    """

    heard: HearingOutput
    acts: tuple[DialogueAct, ...]
    samples: Float32Array


class Conversation:
    """Streaming: listens, decides and speaks. One block's sound is played while the next one is recorded.

    Parameters
    ----------
    pipeline
        Hears; its listener becomes this object's.
    controller
        Decides.
    synthesizer
        Speaks.
    floor
        Tells who has the floor.
    """

    def __init__(
        self, pipeline: Pipeline, controller: DuplexController, synthesizer: Synthesizer, floor: FloorListener
    ) -> None:
        self._pipeline, self._controller, self._synthesizer, self._floor = pipeline, controller, synthesizer, floor
        self._lombard = LombardFilter()
        pipeline.listener = self._listen
        self.reset()

    def reset(self) -> None:
        """Start a new stream."""
        self._pipeline.reset()
        self._controller.reset()
        self._floor.reset()
        self._lombard.reset()
        self._speaking: tuple[str, Speaking] | None = None
        self._played: Float32Array | None = None
        self._steps: list[tuple[tuple[Track, ...], tuple[SourceAudio, ...]]] = []

    def process(self, block: AudioBlock) -> Exchange:
        """Take what was recorded while the last samples were played.

        Parameters
        ----------
        block
            All of the same length, each following on the last one.

        Raises
        ------
        InputError
            If the block is longer or shorter than the one before, or does not fit the pipeline.
        """
        played = np.zeros(len(block.samples), np.float32) if self._played is None else self._played
        if len(played) != len(block.samples):
            raise InputError(f"a block of {len(block.samples)} samples after one of {len(played)}: give equal ones")
        heard = self._pipeline.process(block, played[:, None])
        acts = self._controller.process(block.end_time, Heard(self._states(heard), heard.utterances, self._spoken()))
        for act in acts:
            self._do(act, block)
        samples = np.zeros(len(block.samples), np.float32)
        if self._speaking is not None:
            samples = self._speaking[1].advance(len(block.samples))
        self._played = self._lombard.process(samples)
        return Exchange(heard, tuple(acts), self._played)

    def _listen(self, tracks: tuple[Track, ...], sources: tuple[SourceAudio, ...]) -> None:
        self._steps.append((tracks, sources))

    def _states(self, heard: HearingOutput) -> Sequence[FloorState]:
        """Ask the floor model about the steps of the block."""
        robot = RobotNow(self._speaking is not None and self._speaking[1].sounding, self._controller.asked)
        states: tuple[FloorState, ...] = ()
        for number, (tracks, sources) in enumerate(self._steps):
            utterances = heard.utterances if number == 0 else ()
            states += self._floor.process(tracks, sources, utterances, heard.faces, robot)
        self._steps.clear()
        return states

    def _spoken(self) -> Spoken | None:
        if self._speaking is None:
            return None
        name, speaking = self._speaking
        finished = speaking.remaining <= 0
        return Spoken(name, speaking.said(), speaking.unsaid(), speaking.words(), finished)

    def _do(self, act: DialogueAct, block: AudioBlock) -> None:
        """Carry out what concerns the loudspeaker."""
        if isinstance(act, Speak):
            if self._speaking is None or self._speaking[0] != act.answer_id:
                self._speaking = act.answer_id, Speaking(block.start_sample + len(block.samples))
            for clause in split_clauses(act.text):
                self._speaking[1].add(self._synthesizer.speak(clause, LombardStyle()))
        elif self._speaking is not None and isinstance(act, (Duck, Pause, Resume, Stop)):
            speaking = self._speaking[1]
            if self._speaking[0] != act.answer_id:
                return
            if isinstance(act, Duck):
                speaking.duck(DUCKED_DB)
            elif isinstance(act, Pause):
                speaking.pause()
            elif isinstance(act, Resume):
                speaking.resume()
            else:
                speaking.stop()
