"""A brain that thinks when it can and obeys always."""

from __future__ import annotations

from collections.abc import Iterator

from hearing.dialogue.brains.brain import BrainEvent, BrainHealth, DialogueContext, Failed, Nothing, Say, UserTurn
from hearing.dialogue.brains.chat import ChatBrain
from hearing.dialogue.brains.conversation import Conversation
from hearing.dialogue.brains.grammar_brain import GrammarBrain

CANNOT_THINK = "I cannot think right now, but I can still do commands."


class FallbackBrain:
    """Answers clear commands by the grammar at once, and everything else by the language model.

    Where that is away, slow or breaks off, the robot says so once, and again only after it has answered in between; the
    commands go on.

    Parameters
    ----------
    chat
        The language model; from now on it has the grammar's conversation.
    grammar
        The commands.
    """

    def __init__(self, chat: ChatBrain, grammar: GrammarBrain) -> None:
        self.chat, self.grammar = chat, grammar
        self.conversation = grammar.conversation
        self._told = False

    @property
    def conversation(self) -> Conversation:
        """What was said, to both."""
        return self.grammar.conversation

    @conversation.setter
    def conversation(self, conversation: Conversation) -> None:
        self.chat.conversation = self.grammar.conversation = conversation

    def prepare(self, turn: UserTurn, context: DialogueContext) -> None:
        """Parse the turn so far, and let the model think about it unless it is a command."""
        if self.grammar.understands(turn):
            self.chat.cancel()
        else:
            self.chat.prepare(turn, context)

    def respond(self, turn: UserTurn, context: DialogueContext) -> Iterator[BrainEvent]:
        """Answer a turn, see `Brain.respond`."""
        if self.grammar.understands(turn):
            self.chat.cancel()
            return self.grammar.respond(turn, context)
        return self._think(self.chat.respond(turn, context), turn, context)

    def heard(self, text: str) -> None:
        """Take note of what was heard, see `Brain.heard`."""
        self.conversation.heard(text)

    def cancel(self) -> None:
        """Stop answering and preparing."""
        self.chat.cancel()
        self.grammar.cancel()

    def poll(self) -> BrainHealth:
        """Look after the language model, and tell how it is."""
        return self.chat.poll()

    def _think(self, answer: Iterator[BrainEvent], turn: UserTurn, context: DialogueContext) -> Iterator[BrainEvent]:
        said = False
        for event in answer:
            if isinstance(event, Failed):
                yield from self._without(turn, context, said)
                return
            if isinstance(event, Say):
                said, self._told = True, False
            yield event

    def _without(self, turn: UserTurn, context: DialogueContext, said: bool) -> Iterator[BrainEvent]:
        """Go on without the model: say so once, and let the grammar ask back if it half understood."""
        news = not self._told
        if news:
            self._told = True
            notice = Say(CANNOT_THINK)
            self.conversation.add(notice)
            yield notice
        if said:
            return
        for event in self.grammar.respond(turn, context):
            if not (news and event in (Say(self.grammar.grammar.replies.not_understood), Nothing("no command"))):
                yield event
