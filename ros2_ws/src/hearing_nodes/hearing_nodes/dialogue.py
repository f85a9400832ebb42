"""The dialogue node, first version: answers by text the person who spoke to the robot."""

from __future__ import annotations

import sys

from hearing_msgs.msg import DialogueAct, EndOfStream, Utterance

from hearing_nodes import conversions
from hearing_nodes.node import STATE_QOS, StageNode, run


class Dialogue(StageNode):
    """Answers every final utterance that was said to the robot, and nobody else.

    Subscribes `hearing/utterances` and `hearing/end_of_stream`; publishes `~/acts` and `~/end_of_stream`.
    """

    def __init__(self) -> None:
        super().__init__("dialogue")
        self.declare("threshold", 0.5, "Probability of being said to the robot from which on to answer", (0.0, 1.0))

    def activate(self) -> None:
        """Make the topics."""
        self._heard = self._said = 0
        self._answered: set[str] = set()
        self._end: EndOfStream | None = None
        self._acts = self.create_publisher(DialogueAct, "~/acts", STATE_QOS)
        self._ends = self.create_publisher(EndOfStream, "~/end_of_stream", STATE_QOS)
        self._topics = [
            self.create_subscription(Utterance, "hearing/utterances", self._listen, STATE_QOS),
            self.create_subscription(EndOfStream, "hearing/end_of_stream", self._on_end, STATE_QOS),
        ]

    def deactivate(self) -> None:
        """Drop the topics."""
        for subscription in self._topics:
            self.destroy_subscription(subscription)
        self.destroy_publisher(self._acts)
        self.destroy_publisher(self._ends)

    def _listen(self, message: Utterance) -> None:
        self._heard += 1
        utterance = conversions.utterance(message)
        addressed = utterance.final and utterance.words and utterance.addressed_to_robot >= self.value("threshold")
        # What is published once more, with another speaker, has been answered.
        if addressed and utterance.id not in self._answered:
            self._answered.add(utterance.id)
            self._acts.publish(
                DialogueAct(
                    header=message.header,
                    text=f"{utterance.speaker}: I heard: '{utterance.text}'",
                    addressee=utterance.speaker,
                    in_reply_to=utterance.id,
                )
            )
            self._said += 1
        self._end_if_complete()

    def _on_end(self, message: EndOfStream) -> None:
        self._end = message
        self._end_if_complete()

    def _end_if_complete(self) -> None:
        if self._end is not None and self._heard >= self._end.utterances:
            self._heard -= self._end.utterances
            self._ends.publish(EndOfStream(header=self._end.header, dialogue_acts=self._said))
            self._end, self._said = None, 0
            self._answered.clear()


def main() -> None:
    """Run the node."""
    sys.exit(run(Dialogue))


if __name__ == "__main__":
    main()
