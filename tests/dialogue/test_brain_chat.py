"""The language model as brain, against an endpoint on this machine that behaves well or badly."""

import math

import pytest
from fake_chat import FakeChat, Reply, call, wait_until

from hearing.dialogue.brains.brain import (
    Ask,
    Command,
    DialogueContext,
    Failed,
    Nothing,
    PersonHere,
    Say,
    UserTurn,
    Waiting,
)
from hearing.dialogue.brains.chat import ChatBrain
from hearing.dialogue.brains.chat_stream import Endpoint
from hearing.dialogue.brains.fallback import CANNOT_THINK, FallbackBrain
from hearing.dialogue.brains.grammar_brain import GrammarBrain
from hearing.dialogue.brains.grammar_file import load_grammar
from hearing.errors import InputError
from hearing.types import Direction

CONTEXT = DialogueContext()
GRAMMAR = load_grammar()


@pytest.fixture
def server():
    fake = FakeChat()
    yield fake
    fake.stop()


def endpoint(server, **settings):
    return Endpoint(server.url, "test", **{"first_piece": 20.0, "between": 20.0, **settings})


def turn(text, number=1, speaker="Anna", **more):
    start = 5.0 * number
    return UserTurn(f"u{number}", text, speaker, start_time=start, end_time=start + 1, **more)


def events(answer):
    return [event for event in answer if not isinstance(event, Waiting)]


def texts(answer):
    return [event.text for event in events(answer) if isinstance(event, Say | Ask)]


def test_answer_comes_in_sentences(server):
    server.replies = [Reply(["I am ", "fine, th", "ank you. How ", "are you? ", "**Good**"])]
    brain = ChatBrain(endpoint(server))
    assert texts(brain.respond(turn("how are you"), CONTEXT)) == ["I am fine, thank you.", "How are you?", "Good"]
    assert brain.poll().state == "ready"
    assert brain.poll().answers == 1
    assert brain.poll().first_piece is not None


def test_long_first_clause_starts_early(server):
    server.replies = [Reply(["As far as I know, ", "nobody is there."])]
    answer = ChatBrain(endpoint(server)).respond(turn("who is there"), CONTEXT)
    assert texts(answer) == ["As far as I know,", "nobody is there."]


def test_thoughts_are_not_spoken(server):
    server.replies = [Reply(["<th", "ink>Hmm. What? ", "</think>", "Yes: 3 < 4."])]
    assert texts(ChatBrain(endpoint(server)).respond(turn("is 3 below 4"), CONTEXT)) == ["Yes:", "3 < 4."]


def test_iterator_does_not_wait(server):
    server.replies = [Reply(["Late."], hangs=0.2)]
    assert isinstance(next(ChatBrain(endpoint(server)).respond(turn("hello"), CONTEXT)), Waiting)


def test_model_is_told_who_said_what_to_whom_and_from_where(server):
    brain = ChatBrain(endpoint(server), persona="You carry parts.")
    overheard = turn("The press is loud.", 1, "Ben", direction=Direction(math.radians(-40)))
    people = (PersonHere("Anna", Direction(math.radians(30))), PersonHere("Ben"))
    asked = turn("What did he say?", 2, direction=Direction(math.radians(30)))
    events(brain.respond(asked, DialogueContext(people, (overheard,), "Robbie")))
    system, user = server.requests[0]["messages"]
    assert "Robbie" in system["content"]
    assert "Anna (30 degrees to your left), Ben (somewhere)" in system["content"]
    assert system["content"].endswith("You carry parts.")
    assert user["content"].splitlines() == [
        "Ben (40 degrees to your right, overheard): The press is loud.",
        "Anna (30 degrees to your left, to you): What did he say?",
    ]


def test_overheard_turns_are_told_once(server):
    brain = ChatBrain(endpoint(server))
    overheard = turn("The press is loud.", 9, "Ben")
    for number in (1, 2):
        events(brain.respond(turn("hello", number), DialogueContext(overheard=(overheard,))))
    assert str(server.requests[1]).count("The press is loud.") == 1


def test_history_holds_only_what_was_heard(server):
    server.replies = [Reply(["It is in bay four. ", "Take the left door."]), Reply(["Fine."])]
    brain = ChatBrain(endpoint(server))
    events(brain.respond(turn("where is it", 1), CONTEXT))
    brain.heard("It is in")
    brain.heard("It is in bay four.")
    events(brain.respond(turn("and then", 2), CONTEXT))
    events(brain.respond(turn("hello", 3), CONTEXT))
    roles = [message["role"] for message in server.requests[2]["messages"]]
    assert roles == ["system", "user", "assistant", "user"]
    assert server.requests[1]["messages"][2]["content"] == "It is in bay four."
    assert "interrupted" in server.requests[1]["messages"][3]["content"]
    assert "Take the left door" not in str(server.requests[1])
    assert "Fine" not in str(server.requests[2])


def test_prepared_answer_is_used_and_a_wrong_one_is_dropped(server):
    brain = ChatBrain(endpoint(server))
    brain.prepare(turn("who are"), CONTEXT)
    brain.prepare(turn("who are you"), CONTEXT)
    brain.prepare(turn("who are you"), CONTEXT)
    assert texts(brain.respond(turn("Who are you?"), CONTEXT)) == ["Hello there."]
    asked = [request["messages"][-1]["content"].rpartition(": ")[2] for request in server.requests]
    assert asked.count("who are you") == 1
    assert "Who are you?" not in asked
    brain.prepare(turn("what is", 2), CONTEXT)
    assert texts(brain.respond(turn("what is that", 2), CONTEXT)) == ["Hello there."]
    assert any("what is that" in request["messages"][-1]["content"] for request in server.requests)


def test_preparation_is_not_remembered(server):
    brain = ChatBrain(endpoint(server))
    brain.prepare(turn("secret"), CONTEXT)
    events(brain.respond(turn("hello", 2), CONTEXT))
    (asked,) = (request for request in server.requests if "hello" in str(request))
    assert "secret" not in str(asked)


def test_cancel_ends_the_answer_and_the_connection(server):
    server.replies = [Reply(["One. "] * 1000, delay=0.02)]
    brain = ChatBrain(endpoint(server))
    answer = brain.respond(turn("count"), CONTEXT)
    while not isinstance(next(answer), Say):
        pass
    brain.cancel()
    assert list(answer) == []
    wait_until(server.closed.is_set)


def test_functions_go_through_permissions_and_confirmations(server):
    server.replies = [
        Reply(call("fetch", '{"item": "spa', 'nner", "bay": "four"}')),
        Reply(call("empty_bay", '{"bay": 3}')),
        Reply(call("empty_bay", '{"bay": 3}')),
    ]
    brain = ChatBrain(endpoint(server), GrammarBrain(GRAMMAR))
    command, said = events(brain.respond(turn("something for bolts from the fourth", 1), CONTEXT))
    assert (command.intent, command.slots, command.speaker) == ("fetch", {"item": "wrench", "bay": 4}, "Anna")
    assert said == Say("I am getting the wrench from bay 4.")
    assert texts(brain.respond(turn("tidy up", 2), CONTEXT)) == ["Shall I really throw away everything in bay 3?"]
    stranger = events(brain.respond(turn("tidy up", 3, "talker_1"), CONTEXT))
    assert not any(isinstance(event, Command) for event in stranger)
    assert "only people I know" in stranger[0].text
    names = [tool["function"]["name"] for tool in server.requests[0]["tools"]]
    assert names == list(GRAMMAR.intents)


@pytest.mark.parametrize(
    "pieces", [call("dance", "{}"), call("fetch", '{"item": "moon"}'), call("fetch", "{oops"), call("fetch", "[1]")]
)
def test_calls_of_what_does_not_exist_do_nothing(server, pieces):
    server.replies = [Reply(pieces)]
    brain = ChatBrain(endpoint(server), GrammarBrain(GRAMMAR))
    assert events(brain.respond(turn("dance"), CONTEXT)) == [Say(GRAMMAR.replies.not_understood)]
    assert "does not exist" in brain.poll().message


def test_empty_answer_is_nothing_to_say(server):
    server.replies = [Reply([])]
    assert isinstance(events(ChatBrain(endpoint(server)).respond(turn("hm"), CONTEXT))[0], Nothing)


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (Reply(["I am "], breaks_off=True), "broke off"),
        (Reply([b"data: {oops\n\n"]), "cannot be read"),
        (Reply([b'data: {"choices": 3}\n\n']), "cannot be read"),
        (Reply([b"data: [1]\n\n"]), "cannot be read"),
        (Reply([b'data: {"error": "out of memory"}\n\n']), "out of memory"),
        (Reply(status=500), "HTTP 500"),
        (Reply(status=404), "HTTP 404"),
    ],
)
def test_what_goes_wrong_is_told_and_counted(server, reply, reason):
    server.replies = [reply]
    brain = ChatBrain(endpoint(server))
    last = events(brain.respond(turn("hello"), CONTEXT))[-1]
    assert isinstance(last, Failed)
    assert reason in last.reason
    assert brain.poll().failures == 1


@pytest.mark.parametrize(
    ("reply", "settings", "reason"),
    [
        (Reply(["Late."], hangs=10), {"first_piece": 0.2}, "too slow"),
        (Reply([{"reasoning_content": "hm"}] * 500, delay=0.02), {"first_piece": 0.2}, "too slow"),
        (Reply(["First. ", "Second."] + [" Third."] * 5, delay=1.0), {"between": 0.2}, "in the middle"),
    ],
)
def test_slow_answers_are_given_up(server, reply, settings, reason):
    server.replies = [reply]
    last = events(ChatBrain(endpoint(server, **settings)).respond(turn("hello"), CONTEXT))[-1]
    assert isinstance(last, Failed)
    assert reason in last.reason


def test_commands_go_on_while_the_model_is_away_and_it_says_so_once(server):
    server.stop()
    grammar = GrammarBrain(GRAMMAR)
    brain = FallbackBrain(ChatBrain(endpoint(server), grammar), grammar)
    assert texts(brain.respond(turn("what is the meaning of life", 1), CONTEXT)) == [CANNOT_THINK]
    command, _ = events(brain.respond(turn("bring me the hammer", 2), CONTEXT))
    assert command.slots == {"item": "hammer"}
    again = texts(brain.respond(turn("what is the meaning of life", 3), CONTEXT))
    assert again == [GRAMMAR.replies.not_understood]
    assert brain.poll().state == "probing"


def test_killed_in_the_middle_of_an_answer_and_back(server):
    server.replies = [Reply(["Once upon a time. ", "There "], breaks_off=True), Reply(["I am back."])]
    grammar = GrammarBrain(GRAMMAR)
    brain = FallbackBrain(ChatBrain(endpoint(server), grammar), grammar)
    answer = brain.respond(turn("tell me a story", 1), CONTEXT)
    heard = []
    for event in answer:
        if isinstance(event, Say):
            heard.append(event.text)
            server.stop()
    assert heard == ["Once upon a time.", CANNOT_THINK]
    command, _ = events(brain.respond(turn("come here", 2), CONTEXT))
    assert command.intent == "come"
    server.start()
    wait_until(lambda: brain.poll().state == "ready")
    assert texts(brain.respond(turn("are you back", 3), CONTEXT)) == ["I am back."]
    server.replies = [Reply(["No."], breaks_off=True)]
    assert texts(brain.respond(turn("really", 4), CONTEXT))[-1] == CANNOT_THINK


def test_clear_commands_do_not_wait_for_the_model(server):
    server.replies = [Reply(["Late."], hangs=10)]
    grammar = GrammarBrain(GRAMMAR)
    brain = FallbackBrain(ChatBrain(endpoint(server), grammar), grammar)
    command, _ = list(brain.respond(turn("robot, go to bay 4"), CONTEXT))
    assert command.slots == {"bay": 4}
    assert server.requests == []


def test_answers_to_the_grammars_questions_do_not_go_to_the_model(server):
    grammar = GrammarBrain(GRAMMAR)
    brain = FallbackBrain(ChatBrain(endpoint(server), grammar), grammar)
    assert texts(grammar.respond(turn("tell ben", 1), CONTEXT)) == ["What shall I say?"]
    command, _ = events(brain.respond(turn("the weather is nice", 2), CONTEXT))
    assert command.slots == {"person": "Ben", "message": "the weather is nice"}
    assert server.requests == []


def test_model_knows_what_the_grammar_did(server):
    grammar = GrammarBrain(GRAMMAR)
    brain = FallbackBrain(ChatBrain(endpoint(server), grammar), grammar)
    events(brain.respond(turn("go to bay 4", 1), CONTEXT))
    brain.heard("Going to bay 4.")
    events(brain.respond(turn("why did you do that", 2), CONTEXT))
    messages = server.requests[0]["messages"]
    assert messages[2] == {"role": "assistant", "content": "Going to bay 4."}
    assert "You did: go_to_bay, bay 4." in messages[3]["content"]


def test_brains_are_swapped_with_their_conversation(server):
    first, second = ChatBrain(endpoint(server)), ChatBrain(endpoint(server))
    events(first.respond(turn("my name is Anna", 1), CONTEXT))
    first.cancel()
    second.conversation = first.conversation
    events(second.respond(turn("what is my name", 2), CONTEXT))
    assert "my name is Anna" in str(server.requests[1])


@pytest.mark.parametrize(
    ("settings", "hint"),
    [
        ({"url": "localhost:8080", "model": "m"}, "http://HOST:PORT/v1"),
        ({"url": "http://localhost/v1", "model": ""}, "name a model"),
        ({"url": "http://localhost/v1", "model": "m", "between": 0}, "above 0"),
    ],
)
def test_endpoints_that_cannot_be(settings, hint):
    with pytest.raises(InputError, match=hint):
        Endpoint(**settings)
