"""Conversations that were written by hand, not made of the recipe's lines, to judge the model on.

A line says who speaks to whom, where his face is at the end (`@` the robot's camera, `~` in between, `x` elsewhere),
and what he says; two dots and a number are seconds in which nobody speaks. What the robot says is not judged.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from hearing_models.addressee.dialogues import Example

from hearing.attribution.addressee import AddressCues

_FACES = {"@": 0.9, "~": 0.4, "x": 0.03}
_LINE = re.compile(r"(\w+) > (\w+) ([@~x]): (.*)")
_SECONDS_PER_WORD = 0.35
_PAUSE = 0.6
LOOKED_AT: tuple[str, ...] = (
    """
Anna > robot @: Hey robot, do you have a minute?
robot > Anna @: Yes, what can I do for you?
Anna > robot @: We're missing a pallet of hinges. Could you go and see whether it's still at the loading dock?
robot > Anna @: I will go there now.
Anna > robot @: And bring the paperwork if you find it.
Ben > Anna x: Did you ask it about the hinges?
Anna > Ben x: Yeah, it's going over there now.
Ben > Anna ~: I bet the robot gets stuck behind the forklift again.
Anna > Ben x: Be nice. It found the washers yesterday.
..14
Ben > Anna x: So are you going to your sister's on Sunday?
Anna > Ben x: I guess so. She wants me to bring the cake.
Ben > Anna x: Lemon cake? Save me a piece.
..9
robot > Anna @: I am back. The pallet is at the loading dock. Shall I bring it here?
Anna > robot @: Yes, right next to the drill press.
Ben > robot ~: No, hang on. Put it by the window.
Anna > Ben x: Why the window?
Ben > Anna x: Because we need the space for the new press.
Anna > robot @: Fine, by the window then.
Ben > robot @: Thanks, robot.
""",
    """
Carl > robot @: Morning. Start with the boxes from yesterday.
Carl > robot x: The small ones go on top.
..6
Carl > robot @: Not that one. The brown one underneath.
Carl > robot @: Careful with it.
Carl > robot @: A bit higher. Higher. Okay, let go.
..25
Carl > nobody x: Where on earth did I leave my glasses.
Carl > nobody x: Three, four, five, that makes five.
Carl > robot ~: How many did you count?
robot > Carl @: I counted six boxes.
Carl > robot @: Six? Check again please.
Carl > nobody x: Hello? Yes, this is Carl. No, I'm in the hall.
Carl > nobody x: I'll call you back in ten minutes. Can you email me the list?
Carl > nobody x: Okay. Bye.
..8
Carl > robot @: Robot, what did you find?
robot > Carl @: There are six boxes. One of them is open.
Carl > robot @: Which one?
robot > Carl @: The second from the left.
Carl > robot @: Close it and take all of them upstairs.
""",
    """
Dora > Emil x: Emil, can you give me the pliers?
Emil > Dora x: The long ones or the short ones?
Dora > Emil x: Long ones. Thanks.
Emil > Dora x: This bolt is totally rusted.
Dora > Emil x: Spray some oil on it and wait.
..4
Emil > Dora x: Hold the light a bit closer.
Dora > Emil x: Like this?
Emil > Dora x: Perfect. Don't move.
Dora > Emil ~: Should we let the robot hold it?
Emil > Dora x: It shakes too much.
Dora > robot @: Robot, come over here and hold the lamp.
Emil > robot @: A little to the left.
Emil > robot @: Yes, stay like that.
Emil > Dora x: Okay, now give me the wrench.
Dora > Emil x: Which size?
Emil > Dora x: Thirteen.
Dora > Emil x: Here.
Emil > Dora x: Turn it slowly. Slowly!
Dora > Emil x: I am turning it slowly.
Emil > robot ~: You can put the lamp down now.
Dora > robot @: And go charge, you must be nearly empty.
""",
    """
Finn > Gina x: I swear, if they change the schedule one more time, I quit.
Gina > Finn x: You say that every week.
Finn > Gina x: This time I mean it.
Hugo > robot @: Excuse me, where can I find Mister Olsen?
robot > Hugo @: Mister Olsen is in the control room.
Hugo > robot @: And how do I get there?
robot > Hugo @: Down the hallway, second door on the right.
Hugo > robot @: Thank you very much.
Gina > Finn x: Who was that?
Finn > Gina x: Some guy from the insurance, I think.
Gina > Finn ~: Funny, he asked the robot instead of us.
Finn > Gina x: Robots are more polite.
Gina > robot @: Are you more polite than Finn?
robot > Gina @: I try to be.
Finn > Gina x: See? It's learning.
Gina > Finn x: Come on, back to work.
Finn > robot @: Hey, play something by Queen.
Gina > Finn x: Not again!
Gina > robot @: Robot, turn it down.
Finn > robot x: Louder, robot!
Gina > Finn x: Stop it, I'm on the phone.
""",
    """
Ida > Jon x: The inspector comes at two, so everything must be clean by then.
Jon > Ida x: Got it. What about the paint?
Ida > Jon x: Leave it, just cover it up.
Ida > robot @: Robot, sweep the floor between the lathes.
Jon > robot @: And empty the bins when you're done.
Ida > Jon x: Jon, the labels on the cabinets are wrong.
Jon > Ida x: I printed new ones. They're on my desk.
Ida > Jon x: Then go get them.
..5
robot > Ida @: The floor is done.
Ida > robot @: That was quick. Do the windows next.
Jon > Ida x: Does the robot even know how to do windows?
Ida > Jon x: It watched me last week.
Ida > robot @: You remember how, right?
robot > Ida @: Yes, from left to right.
Ida > robot @: Exactly.
..18
Jon > Ida x: He's early!
Ida > robot @: Stop. Leave that and wait in the corner.
Ida > Kurt x: Good afternoon, come in. Watch the cable.
Kurt > Ida ~: Is that the new robot?
Ida > Kurt ~: Yes, it started in May.
Kurt > robot @: Hello there. What's your name?
robot > Kurt @: People call me robot.
Kurt > Ida x: Charming. Shall we begin with the fire exits?
""",
)
"""What went wrong in these was looked at while the recipe was made."""
UNSEEN: tuple[str, ...] = (
    """
Lena > Moritz x: This crate weighs a ton.
Moritz > Lena x: Why don't we let the robot take it?
Lena > Moritz ~: Because last time it broke the lid.
Moritz > robot @: Robot, can you lift forty kilos?
robot > Moritz @: My limit is fifty kilos.
Moritz > Lena x: There you go.
Lena > robot @: Alright, then take this side.
Lena > robot x: Mind the step.
Moritz > Lena x: You're talking to it like to a person.
Lena > Moritz x: It helps me concentrate.
Lena > robot ~: Keep coming, keep coming.
Lena > robot @: And down.
Moritz > Lena x: Not bad at all.
..10
Lena > Moritz x: Do we have to bring back the other crate, too?
Moritz > Lena x: Let me look at the list.
Moritz > nobody x: Four seven one, four seven two, here it is.
Moritz > Lena x: Yes, that one too.
Lena > robot @: You heard him. Go get it.
robot > Lena @: Do you mean crate four seven two?
Lena > robot ~: That's the one.
""",
    """
Nora > robot @: Is anybody in the paint shop?
robot > Nora @: I do not know. Shall I look?
Nora > robot @: Yes, and tell them we're closing at five.
..30
Otis > Nora x: Nora, your phone is ringing.
Nora > Otis x: Can you pick it up? My hands are dirty.
Otis > nobody x: Nora's phone, Otis speaking. She can't come right now.
Otis > nobody x: I'll tell her. Bye.
Otis > Nora x: It was the dentist. You forgot your appointment.
Nora > Otis x: Oh no, what time is it?
Otis > Nora x: Half past three.
robot > Nora @: There are two people in the paint shop.
Nora > robot x: Thank you.
Nora > Otis x: I really have to go. Can you finish this?
Otis > Nora x: Sure. What's left?
Nora > Otis x: Tighten the last four screws and wipe it clean.
Otis > robot @: Fetch me a clean rag, will you?
Otis > robot @: Not the oily one.
Nora > Otis @: It's behind you, robot, I mean Otis.
Otis > Nora x: Very funny.
""",
    """
Paula > Quentin x: Let's try it with the lid off.
Quentin > Paula x: Okay, one, two, three, pull!
Paula > Quentin x: It's stuck.
Quentin > robot x: Robot, give us some light here.
Paula > Quentin x: Now I see it. There's a screw we missed.
Quentin > Paula x: Give me the small screwdriver.
Paula > Quentin x: Where did you put it?
Quentin > Paula x: In your pocket.
Quentin > robot x: Move the light up.
Quentin > robot x: More. Stop.
Paula > Quentin x: Got it. It's out.
Quentin > robot @: Good. Switch the light off and write down the serial number.
robot > Quentin @: The serial number is seven seven one nine.
Quentin > Paula x: Is that the one from the list?
Paula > Quentin x: Seven seven one nine, yes.
Paula > robot @: Order a new one for tomorrow.
Quentin > Paula @: Can it do that?
Paula > Quentin ~: It orders everything, even my coffee.
""",
    """
Rita > robot @: Good morning. How long have you been on?
robot > Rita @: I was started two hours ago.
Rita > robot @: Any trouble so far?
robot > Rita @: The left conveyor stopped once.
Rita > robot @: Why?
robot > Rita @: A box was caught in the guide.
Rita > Sven x: Sven, did you hear that? The conveyor stopped again.
Sven > Rita x: I cleaned the guide on Friday.
Rita > Sven x: Maybe it's bent.
Sven > Rita x: I'll have a look after breakfast.
Rita > robot @: Keep an eye on it and call me when it happens again.
Rita > robot x: Actually, call Sven.
Sven > Rita x: Thanks a lot.
Tom > Rita x: Who ordered three hundred gaskets?
Rita > Tom x: Nobody. We need thirty.
Tom > Rita ~: Then it was the robot.
Rita > robot @: Did you order three hundred gaskets?
robot > Rita @: Yes, on Monday, for Sven.
Sven > Rita x: I said thirty!
Tom > robot @: Please cancel it.
""",
    """
Uma > Viktor x: What a noise today.
Viktor > Uma x: They're cutting the long beams.
Uma > Viktor x: I can hardly hear myself.
Viktor > robot @: Could you close the gate?
Uma > Viktor x: You could close it yourself, you know.
Viktor > Uma x: I'm carrying this.
Uma > robot @: Wait, there's somebody coming through.
Willy > Uma x: Hi all. Is this where the sheets go?
Uma > Willy x: Just put them on the rack over there.
Viktor > robot @: Help him with the sheets.
Willy > robot @: Hey there, big guy. Take the other end.
Willy > robot ~: Easy, easy. To your right. Perfect.
Uma > Viktor x: It likes him.
Viktor > Uma x: Robots don't like anybody.
Willy > Viktor x: Can you sign for these?
Viktor > Willy x: Where? Here?
Willy > Viktor x: And on the second page, please.
Willy > robot @: See you, robot.
Viktor > robot @: Now close the gate.
Uma > Viktor x: Finally.
""",
)
"""Written when the recipe was finished."""


def written_examples(conversations: Sequence[str]) -> list[Example]:
    """Return what people say in conversations, as a robot called "robot" with a camera notices it."""
    examples: list[Example] = []
    for number, conversation in enumerate(conversations):
        examples += _examples(conversation.strip().splitlines(), 100 * number)
    return examples


def _examples(lines: list[str], first: int) -> list[Example]:
    time, numbers = 0.0, dict[str, int]()
    ends: dict[str, float] = {}
    addressed: dict[str, float] = {}
    examples = []
    for line in lines:
        found = _LINE.fullmatch(line)
        if found is None:
            time += float(line.removeprefix(".."))
            continue
        speaker, to, face, text = found.groups()
        start = time + _PAUSE
        time = start + _SECONDS_PER_WORD * len(text.split())
        since = {name: start - end for name, end in ends.items()}
        robot = since.pop("robot", None)
        since.pop(speaker, None)
        if speaker != "robot":
            cues = AddressCues(
                text=text,
                facing=_FACES[face],
                since_addressed=start - addressed[speaker] if speaker in addressed else None,
                since_robot_spoke=robot,
                others=sum(age < 20 for age in since.values()),
                since_other=min(since.values(), default=None),
            )
            of_speaker = first + numbers.setdefault(speaker, len(numbers))
            examples.append(Example(cues, to == "robot", "robot", "written", of_speaker, start, time))
        ends[speaker] = time
        if to == "robot":
            addressed[speaker] = time
    return examples
