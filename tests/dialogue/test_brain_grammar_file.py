"""Grammars that are right, and what is said about those that are not."""

import json

import pytest

from hearing.dialogue.brains.grammar import alternatives
from hearing.dialogue.brains.grammar_file import load_grammar, parse_grammar
from hearing.dialogue.brains.pattern import parse_pattern
from hearing.errors import InputError
from hearing.recognition.phrases import check_phrases

SLOTS = "slots: {bay: {numbers: [1, 3]}, item: {values: {wrench: [spanner], hammer: }}, note: {text: true}}\n"


def intents(text):
    return SLOTS + f"intents: {{{text}}}"


def ways(text):
    return [" ".join(variant) for variant in parse_pattern(text).variants()]


def test_phrases_are_written_with_brackets():
    assert ways("go [to] (bay|dock) 4") == ["go to bay four", "go to dock four", "go bay four", "go dock four"]
    assert ways("a [b|(c|d) e]") == ["a b", "a c e", "a d e", "a"]
    assert ways("{x} and {y}") == ["{x} and {y}"]


def test_number_of_ways_is_counted_without_writing_them_out():
    assert parse_pattern("a [b|(c|d) e]").ways == 4
    assert parse_pattern("x " + "[(a|b|c|d)] " * 30).ways == 5**30


def test_package_grammar_is_complete():
    grammar = load_grammar()
    assert grammar.emergency_phrases()[:1] == ("stop now",)
    assert all(intent.replies for intent in grammar.intents.values())
    check_phrases(grammar.phrases())


def test_phrases_for_the_recognizer_hold_names_numbers_in_context_and_whole_commands():
    commands = 'go: {phrases: ["go to bay {bay}"]}, get: {phrases: ["get {item}"]}, x: {phrases: [halt]}'
    grammar = parse_grammar(intents(commands), "f")
    assert grammar.phrases() == (
        "robot", "wrench", "spanner", "hammer", "bay one", "bay two", "bay three", "halt",
    )  # fmt: skip


def test_tools_describe_slots():
    grammar = parse_grammar(
        intents('go: {about: Drive., phrases: ["get {item} [from bay {bay}]", "get {item} and say {note}"]}'), "f"
    )
    (tool,) = grammar.tools()
    parameters = tool["function"]["parameters"]
    assert tool["function"]["description"] == "Drive."
    assert parameters["properties"] == {
        "item": {"type": "string", "enum": ["wrench", "hammer"]},
        "bay": {"type": "integer", "minimum": 1, "maximum": 3},
        "note": {"type": "string"},
    }
    assert parameters["required"] == ["item"]
    json.dumps(tool)


def test_words_that_yaml_takes_for_truth_stay_words():
    grammar = parse_grammar("intents: {lamp: {phrases: [on, off, yes]}}", "f")
    assert [pattern.text for pattern in grammar.intents["lamp"].patterns] == ["on", "off", "yes"]


def test_alternatives_are_joined_as_people_do():
    assert alternatives(["Anna"]) == "Anna"
    assert alternatives(["Anna", "Ben", "Cleo"]) == "Anna, Ben or Cleo"


@pytest.mark.parametrize(
    ("text", "where", "hint"),
    [
        ("intents: [", "f.yaml, line 1", "mend the YAML"),
        ("a: 1\na: 2", "f.yaml, line 2", "twice"),
        ("\x00", "f.yaml", "not YAML"),
        ("- a", "top level", "write `name: ...`"),
        ("intent: {}", "intent:", "did you mean 'intents'"),
        ("robot: Anna", "intents", "write `name: ...`"),
        ("intents: {}", "intents", "there is none"),
        ("intents: {go to: {phrases: [go]}}", "intents.go to", "underscores"),
        ("intents: {x: {}}", "intents.x.phrases", "at least one phrase"),
        ("intents: {x: {phrases: [go], reply: '{y}'}}", "intents.x.reply", "nothing to put in for {y}"),
        ("intents: {x: {phrases: [go], reply: '{y'}}", "intents.x.reply", "each closed"),
        (intents("x: {phrases: ['a {item}'], reply: '{item:d}'}"), "intents.x.reply", "each closed"),
        ("intents: {x: {phrases: [true]}}", "intents.x.phrases", "quotation marks"),
        ("intents: {x: {phrases: ['a (b']}}", "intents.x.phrases[0]", "not closed"),
        ("intents: {x: {phrases: ['a b)']}}", "intents.x.phrases[0]", "closes nothing"),
        ("intents: {x: {phrases: ['a {b']}}", "intents.x.phrases[0]", "both braces"),
        ("intents: {x: {phrases: ['[a]']}}", "intents.x.phrases[0]", "says nothing"),
        ("intents: {x: {phrases: ['&']}}", "intents.x.phrases[0]", "no letters"),
        ("intents: {x: {phrases: ['a {b}']}}", "intents.x.phrases[0]", "no slot 'b'"),
        (intents("x: {phrases: ['a {itme}']}"), "intents.x.phrases[0]", "did you mean 'item'"),
        (intents("x: {phrases: ['a {bay} {bay}']}"), "intents.x.phrases[0]", "twice"),
        ("intents: {x: {phrases: ['a" + " [b]" * 13 + "']}}", "intents.x.phrases[0]", "8192 ways"),
        ("intents: {x: {phrases: [a, go]}, y: {phrases: [go]}}", "intents.y.phrases", "a phrase of 'x' too"),
        ("intents: {x: {phrases: [go], allow: bob}}", "intents.x.allow", "`anyone`"),
        ("intents: {x: {phrases: [go], emergency: 3}}", "intents.x.emergency", "true or false"),
        ("intents: {x: {phrases: [go], emergency: true, allow: known}}", "intents.x.emergency", "anyone may"),
        ("slots: {a: {}}\nintents: {x: {phrases: [go]}}", "slots.a", "write one of"),
        ("slots: {a: {text: true, numbers: [1, 2]}}\nintents: {x: {phrases: [go]}}", "slots.a", "write one of"),
        ("slots: {a: {numbers: [1, 5000]}}\nintents: {x: {phrases: [go]}}", "slots.a.numbers", "at most 1000"),
        ("slots: {a: {numbers: [3, 1]}}\nintents: {x: {phrases: [go]}}", "slots.a.numbers", "whole numbers"),
        ("slots: {a: {values: []}}\nintents: {x: {phrases: [go]}}", "slots.a.values", "write a list"),
        ("slots: {a: {values: {b: [d], c: [d]}}}\nintents: {x: {phrases: [go]}}", "slots.a.values.c", "also means 'b'"),
        ("replies: {doen: ok}\nintents: {x: {phrases: [go]}}", "replies.doen", "did you mean 'done'"),
        ("replies: {choose: '{a} or {b}'}\nintents: {x: {phrases: [go]}}", "replies.choose", "{first}, {second}"),
    ],
)
def test_bad_grammars_are_told_in_one_line(text, where, hint):
    with pytest.raises(InputError) as caught:
        parse_grammar(text, "f.yaml")
    message = str(caught.value)
    assert message.startswith("f.yaml")
    assert where in message
    assert hint in message
    assert "\n" not in message


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(InputError, match="cannot be read"):
        load_grammar(tmp_path / "none.yaml")
    (tmp_path / "bytes.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="UTF-8"):
        load_grammar(tmp_path / "bytes.yaml")
