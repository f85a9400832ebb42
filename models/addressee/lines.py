"""What people say to a robot, to each other and to themselves: lines by kind, which `dialogues` puts together.

A term in braces is filled in from the words of the recognizer's recipe, or is a kind itself; {colleague} is called by
name. Of every kind each fifth line is kept for calibration and each fifth for development, and so are words, so that
whoever adds lines adds them anywhere.
"""

from __future__ import annotations

LINES = """
errand: bring me {item} | get {item} from {place} | take {item} to {place} | go to {place} and fetch {item} | carry this
    to {place} | put {item} on {place} | hand me {item} | pass me that {part} | give me {item} | grab {item} | hold this
    for a second | hold {item} steady | pick up {item} | lift this with me | move {item} to {place} | check {item} |
    look at {item} | clean {place} | sort the {part}s into {place} | count the {part}s in {place} | find {item} | open
    {place} | close the {household_item} | turn {onoff} the {appliance} | unload {place} | hang up {item} | leave it
    next to {item} | push {item} over here | throw that away | wipe {item} down | show me {item} | read me the label on
    {item} | wrap {item} | tell {person} that {item} is {state} | set {setting} higher | press the {color} button |
    stack the {part}s by {place} | empty {place} | bring {number} {part}s | bring {item} back | help me with {item} |
    measure {item} | load {item} into {place}
robot_errand: come here | come over here | follow me | follow {person} | go to {place} | drive to {place} | drive back
    to {place} | go home | go back to your charging station | dock now | wait at {place} | wait there until I call you |
    move back a bit | move forward | turn around | turn {side} | stay where you are | scan {item} | take a picture of
    {item} | start {process} | pause {process} | stop {process} | resume {process} | lower your arm | open your gripper
    | raise the {part} a little | slow down | keep a distance of two meters | look {direction} | repeat that | say that
    again | speak louder | be quiet now | remind me at noon | set a timer for {number} minutes | play {music} | add
    {food} to the list | record the value of {setting} | switch to manual mode | calibrate the {tool} | update the map
    of {place} | patrol {place} | show the map | tell me when you are done | report your status | dim the lights | run
    the self test | give me the status of {item} | show me the picture of your camera | read me the next order | tell me
    what you see | bring me {item}, it's in {place} | help me find {item} | tell me the value of {setting}
colleague_errand: sign here | call me when you get home | send me the email | take a break | ask {person} about the
    shift plan | sit down for a minute | have some {food} | tell your wife hello from me | come with me to the canteen |
    don't tell {person} | put on your {gear} | go home and get some sleep | let's go for lunch | take the rest of the
    day off | write that in the log before you leave | ring the boss | watch your head | forget about it | don't worry
    about it | give my regards to {person} | think about it until {weekday} | wash your hands first | drink some water |
    move your car | take care of yourself
robot_question: what do you see | can you hear me | can you see {item} | are you ready | are you charging | where are
    you going | how much battery do you have | what's your name | how heavy is {item} | what time is it | what's the
    weather tomorrow | how many {part}s are left | did you find {item} | where did you put {item} | what did {person}
    say | who is at {place} | what is {number} times {number} | do you know {person} | what can you do | how long will
    it take | what are you doing | do you understand me | are you stuck | what's next on the list | is {place} free |
    what is the value of {setting} | why did you stop | when will you be back | how do I open {item} | what is this
any_question: where is {item} | is {item} ready | how many {part}s do we have | what's wrong with {item} | which {part}
    goes here | who took {item} | is {place} open | is {process} finished | what's {setting} | where do the {part}s go |
    does this {part} fit | when does {process} start | do we need more {part}s | is {item} still {state} | what happened
    to {item} | have you seen {person} | have you got {item} | did you check {item} | do you need {item} | can you reach
    {item} | which one is it | are you done with {item} | is that the right {part} | how far is {place}
colleague_question: how was your {day} | are you coming to lunch | did you see the {sport} last night | how are your
    kids | do you want a coffee | are you on the {day_part} shift tomorrow | did {person} call you back | where did you
    park | what did the boss say | have you heard about {person} | are you going on vacation this year | did you sleep
    well | is your {family_word} better | what are you having for lunch | who's covering for {person} on {weekday} | do
    you think they'll give us a raise | how long have you worked here | can you drive me home | do you believe that |
    why are you so {feeling} | when do you finish today | did you get the email | you want some {food} | isn't that
    {person}'s car | could you cover for me on {weekday}
follow_up: and the other one too | and then {item} | no, the {color} one | not that one, the other one | a bit more | a
    little higher | more to the {side} | faster | slower | again | that's enough | one more | two more please | now
    {item} | and {place} | no, I meant {place} | no, {item} | the next one | further | just the {part} | that one over
    there | yes, that one | also {item} | then {item} | the same again | put it back | not there | leave it | take it |
    bring it here | and how many of them | what about {item} | and where is the {part} | higher | all of them
answer: yes | no | yes please | no thanks | the {color} one | in {place} | {number} of them | {number} | at {place} | I
    don't know | about {number} | {item} | not yet | next to {item} | on {weekday} | from {place} | yes, I did | no, not
    that one | the {size} one | maybe later | neither | both | sure | I think so | it's in {place} | {person} has it |
    yeah go ahead | that's right | no, wait | correct
halt: stop | wait | stop it | stop right there | hold on | wait a second | cancel that | never mind | forget it | no no
    no | stop stop | not now | abort | halt | that's wrong, stop | okay stop | wait, not yet | pause | enough | hang on
thanks: thank you | thanks | thanks a lot | good job | well done | great, thank you | perfect | very good | nice work |
    okay thanks | that's it, thanks | thank you, that's all | excellent | good | all right, thanks
greeting: hello | good morning | hi | hi there | good evening | hey | hello there | morning | how are you | nice to meet
    you | how are you today | see you tomorrow | bye | good night | goodbye
tell_robot: my name is {person} | this is {person} | I'm at {place} | {item} is at {place} now | we need {number} more
    {part}s | I'm done with {item} | {item} goes to {place} | that's {item} | I need {item} | I'd like {food} | I want
    you to take {item} to {place} | you dropped {item} | you're in my way | you forgot {item} | this is called a {part}
    | there's a {part} missing | your {side} wheel is {state} | the way to {place} is blocked | I'll be at {place} | you
    can go now | it's too {adjective} | you are too close | I can't hear you | I didn't understand that
about_robot: the {robot} dropped it again | that {robot} is {state} | the {robot} has {fault} | our {robot} is faster
    than {person} | did you see what the {robot} did | I don't trust that {robot} | {person} programmed the {robot} |
    they want to buy two more {robot}s | the {robot} can do that later | ask the {robot} | let the {robot} carry it | is
    the {robot} listening to us | when does the {robot} go back to {place} | the {robot}'s battery is {state} | he
    crashed the {robot} into {place} | we should tell the {robot} to bring {item} | I like the new {robot} | {robot}s
    will take our jobs | the {robot} always gets stuck at {place} | somebody has to charge the {robot} | what does the
    {robot} want | it's a {robot}, it can't understand you | the {robot} in {place} is down | you have to call the
    {robot} by its name | yesterday the {robot} stood in front of {place} | watch out for the {robot} | my {family_word}
    has a {robot} at home | can the {robot} lift that | no {robot} can do that | the {robot} needs a new {part} |
    without the {robot} this would take hours | look at the {robot} | {person} talks to the {robot} all day
chat: I'm {feeling} today | {person} is on vacation until {weekday} | my {family_word} is getting married | we went to
    {city} last summer | the {sport} was unbelievable | he never listens | she told me she's leaving | they're closing
    the canteen at {number} | I couldn't sleep last night | traffic was terrible this morning | we had {food} for dinner
    | I heard {person} got promoted | my back hurts | that's what I told him | it's going to rain on {weekday} | I've
    worked here for {number} years | the boss is in a bad mood | you should have seen his face | we're moving to {city}
    next year | he bought a new car | I'd rather be at home | honestly, I don't care | she makes the best {food} | it
    was so funny | you won't believe what {person} did | I owe you one | I have to pick up my {family_word} at {number}
    | let me tell you something | that's not my problem | you were right about {person}
report: {item} is {state} | {item} is {state} again | we're short of {part}s | line {number} is down | {setting} is too
    high | I've already {done} {item} | {person} {done} {item} yesterday | the {part} has {fault} | the shipment leaves
    at {number} | the order for {company} is late | I'll do {item} after lunch | {process} takes longer than planned |
    somebody left {item} at {place} | the {tool} needs {repair} | I put it in {place} | we {done} {number} {part}s since
    this morning | he broke {item} | it worked fine last week | the {part} doesn't fit | I think it's the {part} | they
    changed {setting} without telling us | {person} wants it by {weekday} | {place} is full | there are {number} left |
    it was at {place} this morning | that {part} is {adjective} | we have to wait for {person} | I left it on {place}
reply: I don't think so | he's at {place} | because it's {state} | me too | that's what I thought | not really | I have
    no idea | ask {person} | it was {adjective} | on {weekday}, I think | {person} told me | sure, give me a minute |
    I'll do it later | no, she's {feeling} | about {number} hours | I'm coming | we did that already | exactly | same
    here | of course not | yes, but it's {adjective} | it depends | I wouldn't | nobody knows | you're welcome | here
    you go | just a second, I'm busy | he did it | with {person} | they said {number}
backchannel: okay | mm-hm | right | yeah | uh-huh | oh | I see | really | all right | wow | yes | sure | hm | got it |
    oh no | oh really | no way | good | true | nice
warning: watch out | careful | look out behind you | mind your fingers | get away from {item} | don't touch that | stand
    back | it's hot | stop the line | get down | somebody call a doctor | your shoe is open | behind you | heads up |
    move, move
oneself: where did I put {item} | damn it | oh come on | let me see | okay, what's next | that's strange | ouch | now
    where's {item} | {number}, {number}, {number} | why doesn't this work | I always forget that | {color} goes to
    {color} | hmm, the {part} is {state} | almost there | come on, come on | one more turn | what the hell | no, this is
    wrong | I need a {part} | not again
telephone: hello, this is {person} speaking | yes, I can hear you | can you call me back later | I'm at work right now |
    no, I'll be home at {number} | could you send me the address | okay, bye | tell mom I'll be late | what did they say
    | yes, on {weekday} | I can't talk now, it's loud here | how much is it | wait, I'll write it down | let me ask
    {person} | you're breaking up | love you, bye
aside: {word} {word} {word} | I said the {part} | it says {number} here | {person} and {person} | the {color} {part} |
    {place} | in the {household_item} | {adjective}, isn't it | {number} {part}s | for {company} | that {machine} |
    nothing but {part}s | the {adjective} one | every {weekday} | with {food}
"""
WAYS = """
ask: can you {do} | could you {do} | could you please {do} | would you {do} | will you {do}, please | please {do} |
    {do}, please | I need you to {do} | I want you to {do} | I'd like you to {do} | you can {do} now | would you mind
    and {do} | now {do} | and now {do} | okay, {do} | then {do} | you should {do} | why don't you {do} | {do}, would you
    | just {do} | go and {do} | you have to {do} | first {do} | {do} when you have time | can you quickly {do}
"""
"""Ways of asking for what is to be done."""
PLACES = """
place: the {room_word} | the {storage_word} | {storage_word} {number} | the {place_word} | bay {number} | line {number}
    | the {color} {storage_word} | station {number} | the {machine} | gate {number} | my desk | the other side
item: the {tool} | the {part} | the {color} {part} | the {size} {tool} | that {part} | this {noun} | the {machine} |
    {person}'s {tool} | the {adjective} {part} | a {tool} | the {noun} | the {material} {part} | these {part}s | it
word: {adjective} | {noun} | {verb} | {color} | {part} | {city} | {adverb}
number: two | three | four | five | six | seven | eight | nine | ten | twelve | fifteen | twenty | forty | 2 | 3 | 4 | 5
    | 7 | 12 | 30
"""
"""Terms that are made of words."""
ROBOT_NAMES = """Rosie Atlas Pepper factory_bot Robbie Toto Luna Max helper machine Nova work_bot Bender Ada Titan
    Sparky mister_robot Juno Otto"""
ROBOT_HEARD = """row_bot robo roba robots robert rowboat rabbit bro road rowan robin the_robot rubber robe ruan"""
"""What recognizers make of "robot" in noise."""
OPENINGS = """So Well Okay And Now Oh Yeah No Listen Um"""
GROUPS = """guys everybody boss mate folks man buddy dude"""
SOUND_ALIKE = """Robert Robin Rob Rupert Roberto Robyn Rowan Herbert"""
"""People whose names are nearly "robot"."""
MORE_PEOPLE = """James Mary John Patricia Robert Jennifer Michael Linda David Elizabeth William Barbara Richard Susan
    Joseph Jessica Thomas Sarah Christopher Karen Charles Lisa Daniel Nancy Matthew Betty Anthony Sandra Mark Margaret
    Steven Ashley Andrew Kimberly Paul Emily Joshua Donna Kenneth Michelle Kevin Carol Brian Amanda George Melissa
    Timothy Deborah Ronald Stephanie Jason Edward Jeffrey Ryan Jacob Gary Nicholas Eric Jonathan Stephen Larry Justin
    Scott Brandon Benjamin Gregory Frank Raymond Alexander Patrick Jack Dennis Jerry Tyler Aaron Adam Nathan Henry
    Douglas Zachary Kyle Walter Jeremy Keith Roger Lawrence Christian Albert Joe Bryan Billy Bruce Willie Jordan Dylan
    Alan Ralph Roy Juan Wayne Philip Bobby Emma Olivia Sophia Isabella Charlotte Laura Amy Angela Helen Anna Brenda
    Pamela Nicole Samantha Katherine Christine Rebecca Catherine Victoria Kelly Julie Peter Tom Tim Mike Dave Steve Jim
    Bob Bill Dan Chris Matt Nick Andy Tony Kate Jane Sue Liz Jenny Emil Hans Klaus Ali Omar"""
"""Given names in English, besides those of the recognizer's words."""
