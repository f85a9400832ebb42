import numpy as np
import pytest

from hearing.dialogue.endings import TextCues, text_cues
from hearing.dialogue.floor import CUES, FloorModel, FloorState, PersonNow, RobotNow, TurnClock, as_matrix
from hearing.dialogue.listening import FloorListener
from hearing.dialogue.prosody import Prosody
from hearing.errors import InputError
from hearing.types import CueConfidence, Direction, SourceAudio, Track, Utterance, Word

TALK = PersonNow(Prosody(1.0, 0.1, 0.1, 0.8, -0.3, 0.3), addressed=0.8)
ROBOT = RobotNow()


def turn(seconds, text="Robot, bring the drill to bay four.", over=0.95, silence=20):
    """A turn whose words are shown at once, and silence after it."""
    talking = [PersonNow(TALK.prosody, text=text, text_end=seconds, addressed=0.9)] * round(seconds * 10)
    quiet = [
        PersonNow(text=text, text_end=seconds, final=True, addressed=0.9, sounds_over=over if at == 1 else None)
        for at in range(silence)
    ]
    return talking + quiet


def states(line, model=None):
    model = model or FloorModel()
    return [model.process((at + 1) / 10, {1: person}, ROBOT)[0] for at, person in enumerate(line)]


def test_probabilities_are_probabilities_and_times_are_times():
    found = states(turn(2.0))
    for state in found:
        assert 0 <= state.over <= 1
        assert 0 <= state.yields <= 1
        assert state.takes + state.backchannel + state.side == pytest.approx(1)
    assert found[19].talking
    assert found[19].run == pytest.approx(2.0)
    assert found[19].holds == 0
    assert found[24].silence == pytest.approx(0.5)
    assert not found[24].talking


def test_a_finished_command_is_over_sooner_than_a_broken_off_one():
    finished = states(turn(2.0))
    broken = states(turn(2.0, "Robot, bring the", over=0.05))
    assert finished[25].over > broken[25].over + 0.2
    assert broken[25].holds > 0.5


def test_people_do_not_depend_on_who_else_is_there():
    alone = states(turn(1.5))
    model = FloorModel()
    line, other = turn(1.5), turn(0.5, "Mm-hm.", silence=40)
    both = [
        next(s for s in model.process((at + 1) / 10, {7: other[at], 1: person}, ROBOT) if s.track_id == 1)
        for at, person in enumerate(line)
    ]
    assert [s.over for s in both] == pytest.approx([s.over for s in alone], abs=1e-5)


def test_a_new_stream_starts_afresh():
    model = FloorModel()
    first = states(turn(1.0), model)
    model.reset()
    assert states(turn(1.0), model) == first


def test_who_is_gone_is_forgotten():
    model = FloorModel()
    states(turn(1.0), model)
    assert model.process(9.0, {}, ROBOT) == ()
    assert model.process(9.1, {1: PersonNow()}, ROBOT)[0].speech == 0


def test_the_matrix_for_training_is_what_the_model_reads():
    ticks = [(at / 10, person, ROBOT) for at, person in enumerate(turn(1.0))]
    clock = TurnClock()
    rows = [clock.advance(*tick) for tick in ticks]
    matrix = as_matrix(ticks)
    np.testing.assert_array_equal(matrix, rows)
    assert matrix.shape == (len(ticks), len(CUES))
    assert np.isfinite(matrix).all()


def test_an_answer_begins_a_new_turn():
    clock = TurnClock()
    for at, (person, robot) in enumerate([(TALK, False)] * 5 + [(PersonNow(), True)] * 5 + [(TALK, False)] * 2):
        clock.advance(at / 10, person, RobotNow(robot))
    assert clock.speech == pytest.approx(0.2)


def test_missing_weights_are_told(tmp_path):
    with pytest.raises(InputError, match="no floor model"):
        FloorModel(tmp_path / "none.onnx")


@pytest.mark.parametrize(
    ("text", "cues"),
    [
        ("Robot, bring the", {"open"}),
        ("Bring it to, uh", {"filler"}),
        ("Uh-huh, okay.", {"backchannel", "complete"}),
        ("No, I meant bay five.", {"halts", "corrects", "complete"}),
        ("Where is the drill?", {"question", "complete"}),
        ("Go to the loading dock.", {"order", "complete"}),
    ],
)
def test_words_tell_how_far_they_have_got(text, cues):
    found = text_cues(text)
    assert cues <= {name for name in TextCues._fields if getattr(found, name) == 1}
    assert ("open" in cues) == bool(found.open)
    assert ("backchannel" in cues) == bool(found.backchannel)


class Finished:
    """A classifier that counts how often it is asked."""

    def __init__(self):
        self.asked = 0

    def probability(self, samples):
        self.asked += 1
        return 0.9


def test_the_listener_tells_everybody_every_tenth_of_a_second():
    classifier = Finished()
    listener = FloorListener(classifier=classifier)
    rng = np.random.default_rng(0)
    word = Word("Hello.", 0.1, 0.9, 0.9, 1.0)
    found = []
    for step in range(40):
        talking = np.full(4, float(step < 20), np.float32)
        tracks = [Track(id, step * 0.064, Direction(0.3 * id), 1.0) for id in (1, 2)]
        nothing, voice = np.zeros(1024, np.float32), rng.normal(0, 0.1, 1024).astype(np.float32)
        sources = [
            SourceAudio(1, voice, voice, talking, step * 1024),
            SourceAudio(2, nothing, nothing, 0 * talking, step * 1024),
        ]
        said = Utterance("u", 0, False, "Anna", 1, (word,), 0.0, 1.0, Direction(0.3), CueConfidence(0.9), 0.9)
        found += listener.process(tracks, sources, [said] if step == 18 else [])
    assert [s.time for s in found if s.track_id == 1] == pytest.approx([0.1 * k for k in range(1, 26)])
    assert len(found) == 50
    assert found[20].talking
    assert not found[-2].talking
    assert not any(s.talking for s in found if s.track_id == 2)
    assert classifier.asked == 1
    assert found[-1].direction == Direction(0.6)


class NotingModel:
    """Is told of people, and finds every turn over with one probability."""

    def __init__(self, over):
        self.over, self.texts = over, []

    def reset(self):
        pass

    def process(self, now, people, robot):
        self.texts += [person.text for person in people.values()]
        return tuple(FloorState(now, track, False, 0, 0, 0, self.over, 0, 0, 0, 0) for track in people)


def heard_texts(over, pause, blip=None):
    """Say "He never finds it.", and after a pause something else; return what the model was told in the second turn."""
    model = NotingModel(over)
    listener = FloorListener(model)
    word = Word("it.", 0.7, 0.9, 0.9, 1.0)
    said = Utterance("u", 0, True, "Anna", 1, (word,), 0.0, 0.9, Direction(0.3), CueConfidence(0.9), 0.1)
    for step in range(round((1.0 + pause + 0.5) / 0.064)):
        now = step * 0.064
        voice = now < 1.0 or now >= 1.0 + pause or (blip is not None and 0 <= now - blip < 0.2)
        samples, talking = np.zeros(1024, np.float32), np.full(4, float(voice), np.float32)
        sources = [SourceAudio(1, samples, samples, talking, step * 1024)]
        listener.process([Track(1, now, Direction(0.3), 1.0)], sources, [said] if step == 18 else [])
    return set(model.texts[-2:])


@pytest.mark.parametrize(
    ("over", "pause", "blip", "goes_on"),
    [(0.1, 3.0, None, True), (0.99, 3.0, None, False), (0.99, 1.0, None, True), (0.1, 7.0, None, False),
     (0.1, 7.0, 4.0, False)],
)  # fmt: skip
def test_what_was_over_or_said_long_ago_is_no_part_of_the_next_turn(over, pause, blip, goes_on):
    assert heard_texts(over, pause, blip) == ({"it."} if goes_on else {""})
