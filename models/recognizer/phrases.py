"""What people say to robots and around them: sentence patterns, which `texts` puts together.

A pattern names what fills it in braces, a list of patterns here, a list of `words` or a function of `texts`, and puts
what may be left out in brackets.
"""

from __future__ import annotations

KINDS = {
    "command": 5,
    "report": 4,
    "ask": 4,
    "answer": 2,
    "safety": 2,
    "household": 2,
    "coffee": 1,
    "chat": 3,
    "numbers": 4,
    "spelling": 2,
    "short": 2,
    "plain": 8,
    "linked": 8,
}
"""Kinds of sentences and how often each is said."""

PATTERNS = """
command: [{hey}, ]{go} to {place}. | [{hey}, ]{fetch} {item}[ from {place}][, please]. | {fetch} {item} to {person}. |
    [Please ]{handle} {item}. | {handle} {item} and {go} back to {place}. | Stop[ right there]. | Follow {whom}. |
    Turn {side}[ at {place}]. | Turn around {number 2 9} times. | Move {measure_length} {direction}. | Lift {item}
    {direction}. | Hold {item}[ steady][, please]. | Let go of {item}. | Set {setting} to {measure}. | Put {item}
    {where} {item}. | {handle} {count} {part}s from {storage}. | Inspect {item} and tell me what you see. | Wait
    {duration}, then {do}. | [{hey}, ]can you {do}[, please]? | Could you {do} and then {do}? | Don't {do} until I
    {do}. | First {do}, then {do}. | {do}[, and be quick about it]. | Go to {room} {label}[, please]. | Take {code} to
    {storage} and bring back {code}. | Scan {item} and read me the serial number. | Bring me part {code}. | Show me
    {item} again. | Look {direction}. | Come {direction}[ a little]. | Slow down[, {person}]. | Keep going. | Open
    {tool_or_device} {number 1 30}. | Close the gripper[ gently]. | Hand me {item}[, would you]? | Start {process}. |
    Pause {process} for {duration}. | Cancel {process}. | Clear {place}[, please]. | Count {part}s in {storage}. |
    Remind me to {do} at {time}. | Wake me at {time}. | Tell {person} to {do}. | Call {person}[ on {phone}]. | Take
    {count} {part}s and {count} {part}s to {place}. | Deliver this {noun} to {address}. | Go home. | Dock now.
report: {item} is {state}. | {item} on {place} is {state} again. | The {part} has {fault}. | {setting} is at
    {measure}. | We've {done} {count} {part}s[ since {time}]. | There {isare_count} {part}s left in {storage}. |
    {person} {done} {item}. | I've {done} {item}[ already]. | The {tool} needs {repair}. | {process} will take
    {duration}. | I'm at {place}. | {process} is {percent} done. | {part} {code} didn't pass the inspection. | Line
    {number 1 12} is down. | Error {label}. | The shipment for {company} leaves at {time}. | {setting} went from
    {measure} to {measure}. | It broke at {time}. | I think {item} is {state}, but {person} says it's {state}. | We're
    short of {part}s. | That makes {count} boxes. | The order number is {label}. | Batch {code} has {count}
    {adjective} parts. | {person} is at {place} with {item}. | The {part} is {measure_length} long and
    {measure_length} wide. | It weighs {measure_weight}. | The {tool} is {where} {item}.
ask: Where is {item}? | Who {done} {item}? | What's {setting}? | How many {part}s do we have[ in {storage}]? | Is
    {item} {state}? | When does {process} start? | Why is {item} {state}? | Did {person} {do}? | Have you seen
    {person}? | Can you hear me? | What time is it? | How far is it to {place}? | Which {part} goes on {item}? | Do
    you need {item}? | What do you see? | What is {number 2 99} {operator} {number 2 99}? | Whose {noun} is this? |
    How long will it take to {do}? | Are you done? | Should I {do} or {do}? | Would you like {food} or {food}? |
    What's the weather like in {city}? | Is there a {tool} here? | Does {code} fit {code}? | Have we got any
    {adjective} {part}s? | What happened to {item}? | What's your name? | How do you spell {surname}? | What's the
    part number of {item}? | Is it {measure} or {measure}? | Where were you, {person}?
answer: Yes, {subject} {done} {item}. | No, {item} is at {place}. | I don't know, ask {person}. | It's {adverb}
    {adjective}. | About {duration}. | On {place}, {where} {item}. | Because {item} is {state}. | At {time}, I think.
    | {count} of them. | Not yet, but I'll {do} {when}. | Only if you {do} first. | That's {number 11 999}. | It's
    {measure}. | Sure, I can {do}. | Thanks, {person}, that's {adjective}. | I'm afraid {item} is {state}. | I have no
    idea what you mean. | Number {label}.
safety: Watch out[, {person}]! | Stop, stop! | Stand back from {item}! | Emergency stop! | Careful, {item} is {state}.
    | Fire on {place}! | Everybody out of {place}! | Don't touch {item}! | Get away from {item}, it's {state}! | Look
    out! | Put on your {gear}[, please]. | Call an ambulance to {place}! | Somebody is hurt at {place}. | {item} is
    about to fall! | Lock out {item} before you {do}. | Keep clear of {place}. | Hit the red button[ now]! | There's a
    leak in {place}! | Mind the {noun}. | Hands off! | Power down {item} immediately. | Nobody goes into {room}
    {label} without {gear}.
household: Turn {onoff} the {appliance}[ in the {house}]. | Set a timer for {duration}. | Set the {appliance} to
    {measure_heat}. | Play some {music}[ in the {house}]. | Vacuum the {house}. | What's in the {appliance}? | Add
    {food} to the shopping list. | Take the {household_item} to the {house}. | Close the {household_item}[ in the
    {house}]. | Dim the lights to {percent}. | The {household_item} in the {house} is {state}. | Bring {family}
    {food}[, please]. | Has anybody fed the {pet}? | Wash the {household_item} and put it in the {house}. | Lock the
    front door at {time}. | Where did {family} put the {household_item}?
coffee: Can I get {drink}[ with {extra}][, please]? | I'd like {drink} and {food}. | {count} coffees, {number 1 9}
    with {extra}. | That's {price}[, please]. | One {drink_kind}, no sugar. | Do you take {extra}? | a {drink_kind}
    for {person}, to go. | The coffee machine is {state}. | Make it {adjective}. | {drink} to table {number 1 40}. |
    I'll pay, it's only {price}.
chat: How was your {day}, {person}? | Did you watch the {sport} last night? | I'm {feeling} today. | See you {when}. |
    My {family_word} is {feeling} about {noun}s. | {person} is moving to {city} {when}. | We're having {food} for
    lunch. | I've been to {city} {count} times. | That was a {adjective} {noun}. | {subject} should take a break
    {when}. | Good morning, {person}. | It's my birthday on {date}. | Have you met {full_name}? | Nice to meet you,
    I'm {full_name}. | I work at {company}. | You can't be serious, {person}. | I told {person} to {do}, but nobody
    listens. | The boss wants to see you {when}. | My {family_word} lives in {city}, near {street}. | I used to work
    for {company} in {city}. | Let's talk about it {when}. | Traffic on {street} was {adjective} this morning. | Happy
    {holiday}, everyone! | {person} and {person} are on {day_part} shift.
numbers: My number is {phone}. | Call me on {phone}. | The address is {address}. | It's {address}, {city}. | The
    meeting is on {date}. | Extension {digits 4}. | The code is {digits 4}. | Order {label} is for {full_name}. | It
    costs {price}. | We paid {price} for {count} {part}s. | We made {large} {part}s last year. | The population of
    {city} is about {large}. | Version {version} is out. | I was born in {year}. | On {date} at {time}, {full_name}
    {done} {item}. | Flight {code} leaves from gate {label} at {time}. | Chapter {number 1 60}, page {number 2 900}. |
    The robot is at x {number 0 400}, y {number 0 400}. | The score is {number 0 9} to {number 0 9}. | The {ordinal}
    one from the left. | {number 2 99} {operator} {number 2 99} is more than {number 2 500}. | Torque {part} {code} to
    {measure}. | It rose by {percent} in {year}. | The bill comes to {price}, and the deposit is {price}. | {address},
    {city}, not {address}. | Take bus {label} to {street}. | Set channel {number 1 16} to {decimal} and channel
    {number 1 16} to {decimal}. | The network address is {network}. | {digits 6}, repeat, {digits 6}.
spelling: My name is {spelled}. | {spelled}, that's how you write it. | The part is called {code}. | Write down
    {code}, not {code}. | It's spelled {letters}. | Please look for {spelled}. | The password is {letters} {digits 3}.
    | {nato} {nato} {digits 2}. | The license plate is {letters} {digits 4}. | Unit {nato} {number 1 99}, go to
    {place}. | Room {code} belongs to {full_name}.
short: Yes. | No. | Stop! | Okay. | Thanks. | Hello? | {person}! | {hey}! | Go on. | Not now. | Over here! |
    {measure}. | {count}. | {code}. | {adjective}. | {place}. | Wait! | Again. | {time}. | {digits 3}. | What? | Which
    one? | That one. | {item}. | {date}. | Never mind. | {adverb}. | The {noun}. | Careful. | {city}. | All right. |
    Sorry. | Got it. | Of course. | {full_name}. | {color}. | Thank you.
plain: The {any_adjective} {any_noun} was {adverb} {any_adjective}. | {subject} {verb_past} the {any_noun} of the
    {any_adjective} {any_noun}. | There is no {any_noun} without {any_noun}. | {name} wrote a {any_adjective} book
    about {any_noun} and {any_noun}. | Have you ever heard of {any_name}, the {any_adjective} {any_noun}? | {subject}
    {verb_past} a {any_noun} in {any_name}. | a {any_noun} is more {any_adjective} than a {any_noun}. | What we need
    is {any_adjective} {any_noun}. | {any_noun} matters. | They {any_adverb} {verb_past} the {any_noun} {when_past}. |
    It was {any_adverb} {any_adjective}. | {any_name} is {any_adverb} {any_adjective}. | This {any_noun} {must} be
    {verb_past_regular} {any_adverb}. | Some people say that {any_noun} is {any_adjective}. | The {any_noun} and the
    {any_noun}. | {any_name} and {any_name} signed the {any_noun} in {year}. | Without {any_noun}, {subject} would
    have {verb_past_regular} the {any_noun}.
linked: {clause}. | {clause}, {conjunction} {clause}. | {when_clause}, {clause}. | {clause} because {clause}. | Did
    you know that {clause}? | I think {clause}. | {name} said that {clause}. | If {clause}, {clause}. | {any_adverb},
    {clause}. | {clause}, didn't {pronoun}? | It's {adjective} that {clause}. | Nobody believes that {clause}. | What
    if {clause}? | I'm sure {clause}.
clause: {subject} {verb_past} {thing} | {subject} {must} {verb} {thing} | {thing} {must} be {verb_past_regular} |
    {thing} is {any_adjective} | {subject} {verb_past} {thing} {when_past} | {subject} {must} {verb} {thing} {where}
    {thing} | {thing} {where} {thing} looked {any_adjective} | {subject} didn't {verb} {thing} | {subject} stopped
    {verb_ing} {thing} | {thing} and {thing} were {any_adverb} {any_adjective} | {subject} kept {verb_ing} {thing} in
    {city} | {family_word}s {verb} {any_noun} | {subject} was {verb_ing} {thing} with {name}
thing: the {noun} | a {adjective} {noun} | the {adjective} {noun} | his {noun} | our {any_noun} | the {any_noun} |
    some {any_noun} | my {noun} | {count_words} {noun}s | every {any_noun} | the {any_adjective} {any_noun} | her
    {color} {noun} | the {noun} of {name} | {any_noun}
subject: he | she | we | they | I | you | {name} | {title} {surname} | the {job} | my {family_word} | the {adjective}
    {job} | somebody
place: bay {number 1 40} | the {room_word} | {room_word} {number 1 30} | station {code} | the {adjective}
    {storage_word} | line {number 1 12} | aisle {label} | the {room_word} on the {ordinal} floor | {storage} | gate
    {code} | the {place_word} | the {place_word} next to the {room_word}
storage: {storage_word} {number 1 60} | {storage_word} {code} | the {color} {storage_word} | the {ordinal}
    {storage_word}
item: the {tool} | the {part} | the {adjective} {part} | the {color} {part} | part {code} | the {size} {tool} |
    {person}'s {tool} | the {machine} | that {part} | the {machine} in {place} | this {noun} | the {material} {part} |
    the {noun} | {machine} {number 1 20} | the {size} {noun} | a {tool}
do: {verb} {item} | {go} to {place} | {handle} {item} | {verb} the {noun} | {fetch} {item} | {verb} {part}s with the
    {tool} | check {setting} | {verb} {thing}
tool_or_device: door | valve | {storage_word} | gate | channel
room: room | office | lab | hall | building
person: {name} | {name} | {title} {surname}
full_name: {name} {surname}
whom: me | {person} | the {job} | the {color} line | that {noun}
measure: {measure_length} | {measure_weight} | {measure_heat} | {measure_other}
where: next to | under | behind | on top of | in front of | beside | above | near | between {part}s and | across from
    | inside | below
when: tomorrow | later | on {weekday} | next week | after lunch | at {time} | in {duration} | tonight | in {month} |
    soon | before the {noun}
when_past: yesterday | last {weekday} | in {year} | {duration} ago | last night | in {month} | this morning | at
    {time}
when_clause: when {clause} | before {clause} | after {clause} | while {clause} | as soon as {clause}
conjunction: and | but | so | or | although | yet
isare_count: are {number 11 400} | are only {count_words}
hey: hey | hey robot | hello | okay robot | excuse me | robot | listen | {name} | hi there
go: go | drive | walk | return | head | roll | come | move
fetch: bring me | fetch me | get me | give me | pass me | find me | pick up | grab | collect | carry | take
drink: a {drink_kind} | a {size} {drink_kind} | {count} {drink_kind}s | a {drink_kind} with {extra}
must: must | should | can | will | might | could | would | may | has to
measure_length: {quantity length}
measure_weight: {quantity weight}
measure_heat: {quantity heat}
measure_other: {quantity other}
duration: {quantity time} | half an hour | a minute | a moment | a second | an hour | two weeks
"""
