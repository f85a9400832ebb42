"""The robot in a conversation: what the microphones hear goes in, what the loudspeaker plays comes out.

pipeline -> interlocutor -> loudspeaker, and what was played goes back into the pipeline's echo canceller with the next
block.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hearing.dialogue.acts import DialogueAct
from hearing.dialogue.controller import DuplexController
from hearing.dialogue.interlocutor import Interlocutor, Stretch, Voices
from hearing.dialogue.listening import FloorListener
from hearing.errors import InputError
from hearing.pipeline import Pipeline
from hearing.speech import Synthesizer
from hearing.speech.noise import NoiseLevel
from hearing.types import AudioBlock, Float32Array, HearingOutput, SourceAudio, Track


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
    full_scale_db
        Level in dB SPL of a sine of full scale at the microphones, so that the robot speaks up in noise; None where
        nobody knows it.

    Attributes
    ----------
    robot
        What decides and speaks: to be stopped, muted, given another brain.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        controller: DuplexController,
        synthesizer: Synthesizer,
        floor: FloorListener,
        full_scale_db: float | None = None,
    ) -> None:
        self._pipeline, self._full_scale = pipeline, full_scale_db
        self._noise = NoiseLevel()
        self.robot = Interlocutor(controller, synthesizer, floor)
        pipeline.listener = self._listen
        pipeline.listen_for(controller.config.emergency)
        self._begin()

    def reset(self) -> None:
        """Start a new stream."""
        self._pipeline.reset()
        self.robot.reset()
        self._begin()

    def _begin(self) -> None:
        self._noise.reset()
        self._played: Float32Array | None = None
        self._voices: list[Voices] = []

    def process(self, block: AudioBlock, played: float | None = None) -> Exchange:
        """Take what was recorded while the last samples were played.

        Parameters
        ----------
        block
            All of the same length, each following on the last one.
        played
            Stream time in seconds up to which the loudspeaker has played what it was given; None: all of it. Speech
            that does not come out is held, and given up after a while, see `DuplexConfig.lost`.

        Raises
        ------
        InputError
            If the block is longer or shorter than the one before, or does not fit the pipeline.
        """
        size = len(block.samples)
        given = np.zeros(size, np.float32) if self._played is None else self._played
        if len(given) != size:
            raise InputError(f"a block of {size} samples after one of {len(given)}: give equal ones")
        if played is not None and played <= block.start_time:
            given = np.zeros(size, np.float32)
        heard = self._pipeline.process(block, given[:, None])
        level = self._noise.process(block.samples) if self._full_scale is not None else None
        noise = None if level is None or self._full_scale is None else level + self._full_scale
        stretch = Stretch(
            block.start_sample, size, tuple(self._voices), heard.utterances, heard.faces, noise, played, heard.spotted
        )
        self._voices.clear()
        acts, self._played = self.robot.process(stretch)
        return Exchange(heard, acts, self._played)

    def _listen(self, tracks: tuple[Track, ...], sources: tuple[SourceAudio, ...]) -> None:
        self._voices.append((tracks, sources))
