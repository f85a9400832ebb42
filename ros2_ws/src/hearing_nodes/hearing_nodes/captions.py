"""The captions node: shows who says what, live in the terminal, and writes the session's files at its end."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

from hearing_msgs.msg import DialogueAct, EndOfStream, TrackArray, Utterance

from hearing.captions import LiveCaptions
from hearing.outputs import SessionLog, check_out_dir
from hearing.types import HearingOutput
from hearing_nodes import conversions
from hearing_nodes.node import OK, STATE_QOS, WARN, Diagnosis, StageNode, run

GRACE = 10.0
"""Seconds after the end of a stream in which what is still missing may come."""


class Captions(StageNode):
    """Shows captions and collects the session.

    Subscribes `hearing/tracks`, `hearing/utterances`, `hearing/end_of_stream`, `dialogue/acts` and
    `dialogue/end_of_stream`.
    """

    aspect = "captions"

    def __init__(self) -> None:
        super().__init__("captions")
        self.declare("out", "", "Folder to which the session's files are written at the end; empty: none are written")
        self.declare("session_id", "session", "Name of the session in the files", live=True)
        self.declare("dialogue", True, "Wait for the dialogue node's end of the stream, too", live=True)
        self.declare("exit_at_end", False, "End the process at the end of the stream", live=True)

    def configure(self) -> None:
        """Check where the files go."""
        if self.value("out"):
            check_out_dir(Path(self.value("out")))

    def activate(self) -> None:
        """Make the topics and take over the lower edge of the terminal."""
        self._shown = LiveCaptions()
        self._begin()
        self._received: Counter[str] = Counter()
        self._shown_so_far: Counter[str] = Counter(utterances=0, dialogue_acts=0)
        self._topics = [
            self.create_subscription(TrackArray, "hearing/tracks", self._on_tracks, STATE_QOS),
            self.create_subscription(Utterance, "hearing/utterances", self._on_utterance, STATE_QOS),
            self.create_subscription(EndOfStream, "hearing/end_of_stream", self._on_hearing_end, STATE_QOS),
            self.create_subscription(DialogueAct, "dialogue/acts", self._on_act, STATE_QOS),
            self.create_subscription(EndOfStream, "dialogue/end_of_stream", self._on_dialogue_end, STATE_QOS),
        ]
        self._patience = self.create_timer(GRACE, self._give_up, autostart=False)
        self._shown.start()

    def deactivate(self) -> None:
        """Give the terminal back."""
        self._shown.stop()
        self.destroy_timer(self._patience)
        for subscription in self._topics:
            self.destroy_subscription(subscription)

    def diagnose(self) -> Diagnosis:
        """Tell whether there is somebody who hears."""
        if not self.count_publishers("hearing/utterances"):
            return Diagnosis(WARN, "no hearing node publishes utterances", self._shown_so_far)
        return Diagnosis(OK, "shows captions", self._shown_so_far)

    def _begin(self) -> None:
        self._log = SessionLog()
        self._shown.forget()
        self._hearing_end: EndOfStream | None = None
        self._dialogue_end: EndOfStream | None = None

    def _on_tracks(self, message: TrackArray) -> None:
        self._received["track_arrays"] += 1
        self._log.add(HearingOutput(tracks=conversions.tracks(message)))
        self._end_if_complete()

    def _on_utterance(self, message: Utterance) -> None:
        self._received["utterances"] += 1
        self._shown_so_far["utterances"] += 1
        utterance = conversions.utterance(message)
        self._log.add(HearingOutput(utterances=(utterance,)))
        self._shown.show(utterance)
        self._end_if_complete()

    def _on_act(self, message: DialogueAct) -> None:
        self._received["dialogue_acts"] += 1
        self._shown_so_far["dialogue_acts"] += 1
        if message.kind == DialogueAct.SAY:
            self._shown.write(f"{'robot → ':>19}{message.addressee}: {message.text}")
        elif message.kind in (DialogueAct.COMMAND, DialogueAct.EMERGENCY):
            what = "does " if message.kind == DialogueAct.COMMAND else "EMERGENCY "
            self._shown.write(f"{what:>19}{message.text}, for {message.addressee}")
        self._end_if_complete()

    def _on_hearing_end(self, message: EndOfStream) -> None:
        self._hearing_end = message
        self._patience.reset()
        self._end_if_complete()

    def _on_dialogue_end(self, message: EndOfStream) -> None:
        self._dialogue_end = message
        self._end_if_complete()

    def _end_if_complete(self) -> None:
        """Write the session when everything that belongs to it has come: topics overtake each other."""
        hearing, dialogue = self._hearing_end, self._dialogue_end
        if hearing is None or (dialogue is None and self.value("dialogue")):
            return
        expected = Counter(track_arrays=hearing.track_arrays, utterances=hearing.utterances)
        if dialogue is not None:
            expected["dialogue_acts"] = dialogue.dialogue_acts
        if self._received >= expected:
            self._received -= expected
            self._finish(hearing)

    def _give_up(self) -> None:
        """Write the session although something that belongs to it was lost."""
        self.get_logger().warning("messages of the stream were lost, or the dialogue node is not there")
        self._received.clear()
        self._finish(self._hearing_end)

    def _finish(self, end: EndOfStream) -> None:
        self._patience.cancel()
        if self.value("out"):
            self._log.write(Path(self.value("out")), self.value("session_id"), conversions.timing(end))
        self._begin()
        if self.value("exit_at_end"):
            self.end()


def main() -> None:
    """Run the node."""
    sys.exit(run(Captions))


if __name__ == "__main__":
    main()
