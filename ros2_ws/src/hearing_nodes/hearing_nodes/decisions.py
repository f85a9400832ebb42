"""What the dialogue decides, as messages."""

from __future__ import annotations

from geometry_msgs.msg import Point, PointStamped
from hearing_msgs import msg
from std_msgs.msg import Header

from hearing.dialogue.acts import DialogueAct, Do, Duck, Emergency, Look, Pause, Resume, Speak
from hearing.dialogue.brains.brain import Command
from hearing.types import Direction

EMERGENCY = "stop"
"""Intent of the command that an emergency word gives."""
GAZE_DISTANCE = 1.5
"""Metres in front of the array at which a gaze target is put: how far somebody is, nobody knows."""
_VOICE = {Duck: msg.DialogueAct.DUCK, Pause: msg.DialogueAct.PAUSE, Resume: msg.DialogueAct.RESUME}


def act_message(act: DialogueAct, header: Header, latest: dict[int, str]) -> msg.DialogueAct:
    """Convert a decision.

    Parameters
    ----------
    act
        The decision.
    header
        When it was made.
    latest
        Id of the latest utterance, by track.
    """
    made = msg.DialogueAct(header=header)
    if isinstance(act, Speak):
        made.kind, made.text, made.addressee, made.answer_id = msg.DialogueAct.SAY, act.text, act.to, act.answer_id
        made.in_reply_to = latest.get(act.track_id, "")
    elif isinstance(act, Look):
        made.kind, made.addressee, made.in_reply_to = msg.DialogueAct.LOOK, act.person, latest.get(act.track_id, "")
    elif isinstance(act, Do):
        command = act.command
        made.kind, made.text = msg.DialogueAct.COMMAND, command.intent
        made.addressee, made.in_reply_to = command.speaker, command.turn_id
    elif isinstance(act, Emergency):
        made.kind, made.text = msg.DialogueAct.EMERGENCY, act.word
        made.addressee, made.in_reply_to = act.speaker, act.utterance_id
    else:
        made.kind, made.answer_id = _VOICE.get(type(act), msg.DialogueAct.STOP), act.answer_id
    return made


def command_message(command: Command, header: Header) -> msg.Command:
    """Convert a command."""
    return msg.Command(
        header=header,
        intent=command.intent,
        slots=list(command.slots),
        values=[str(value) for value in command.slots.values()],
        speaker=command.speaker,
        turn_id=command.turn_id,
        replaces=command.replaces or "",
        confidence=command.confidence,
    )


def emergency_message(act: Emergency, header: Header) -> msg.Command:
    """Make the command to stop whatever moves."""
    return msg.Command(
        header=header, intent=EMERGENCY, speaker=act.speaker, turn_id=act.utterance_id, confidence=1.0, emergency=True
    )


def gaze_message(direction: Direction, header: Header) -> PointStamped:
    """Make the point that the robot shall look at, in the frame of the microphone array."""
    x, y, z = (GAZE_DISTANCE * direction.vector).tolist()
    return PointStamped(header=header, point=Point(x=x, y=y, z=z))
