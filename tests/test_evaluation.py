import io
import json
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from hearing.errors import InputError
from hearing.evaluation import Score, evaluate, render
from hearing.evaluation.diarization import DiarizationErrorRate, diarization_error_rate
from hearing.evaluation.directions import angular_distance, frame_errors
from hearing.evaluation.words import AttributionErrorRate

Record = dict[str, Any]


def segment(speaker: str, words: str, start: float, end: float, azimuth: float | None = None, **more: Any) -> Record:
    place = {} if azimuth is None else {"azimuth_deg": azimuth}
    return {
        "session_id": "s",
        "speaker": speaker,
        "words": words,
        "start_time": start,
        "end_time": end,
        **place,
        **more,
    }


TRUTH = [
    segment("anna", "Please stop the second machine.", 0.0, 2.0, 30.0),
    segment("ben", "The belt is running hot again.", 3.0, 5.0, -60.0),
    segment("anna", "I will fetch twenty two bolts.", 12.0, 14.0, 30.0),
]
HEARD = [
    segment("talker_1", "please stop the second machine", 0.0, 2.0, 30.0),
    segment("talker_2", "the belt is running hot again", 3.0, 5.0, -60.0),
    segment("talker_1", "I will fetch 22 bolts", 12.0, 14.0, 30.0),
]


def write_lines(path: Path, records: list[Record]) -> None:
    path.write_text("".join(json.dumps(record) + "\n" for record in records))


def tracks_of(segments: list[Record], shift: float = 0.0) -> list[Record]:
    return [
        {
            "time": frame / 10,
            "track_id": 1,
            "azimuth_deg": s["azimuth_deg"] + shift,
            "elevation_deg": 0.0,
            "activity": 0.9,
            "kind": "talker",
        }
        for s in segments
        for frame in range(round(10 * s["start_time"]), round(10 * s["end_time"]))
    ]


class Case:
    """A reference and a hypothesis on disk."""

    def __init__(self, path: Path) -> None:
        self.recording, self.out = path / "recording", path / "out"
        (self.recording / "reference").mkdir(parents=True)
        self.out.mkdir()

    def score(self, truth: list[Record] = TRUTH, heard: list[Record] = HEARD) -> Score:
        (self.recording / "reference" / "segments.json").write_text(json.dumps(truth))
        (self.out / "segments.json").write_text(json.dumps(heard))
        return evaluate(self.recording, self.out)


@pytest.fixture
def case(tmp_path: Path) -> Case:
    return Case(tmp_path)


def renamed(speakers: dict[int, str]) -> list[Record]:
    return [heard | {"speaker": speakers.get(i, heard["speaker"])} for i, heard in enumerate(HEARD)]


def test_perfect(case: Case) -> None:
    write_lines(case.out / "tracks.jsonl", tracks_of(HEARD))
    score = case.score()
    assert score.orc is not None
    assert score.attribution is not None
    assert (score.cp.errors, score.tcp.errors, score.orc.errors) == (0, 0, 0)
    assert score.cp.length == 16
    assert score.attribution == AttributionErrorRate(0, 16)
    assert score.diarization.error_rate == 0.0
    assert score.diarization.length == pytest.approx(6.0)
    assert score.frame_direction_errors == (0.0,) * 60
    assert score.segment_direction_errors == (0.0,) * 3
    assert score.false_alarm_words == 0


def test_reference_may_be_the_reference_folder_or_the_file(case: Case) -> None:
    score = case.score()
    assert evaluate(case.recording / "reference", case.out) == score
    assert evaluate(case.recording / "reference" / "segments.json", case.out) == score


def test_session_ids_may_differ(case: Case) -> None:
    assert case.score(heard=[heard | {"session_id": "other"} for heard in HEARD]).cp.errors == 0


def test_one_utterance_given_to_the_other_speaker(case: Case) -> None:
    score = case.score(heard=renamed({2: "talker_2"}))
    assert score.orc is not None
    assert score.orc.errors == 0
    # the five words of the last utterance are missing from one speaker and too many at the other
    assert score.cp.errors == 10
    assert score.attribution == AttributionErrorRate(5, 16)
    assert score.diarization.confusion == pytest.approx(2.0)


def test_a_speaker_split_in_two_is_an_attribution_error(case: Case) -> None:
    score = case.score(heard=renamed({2: "talker_3"}))
    assert score.attribution == AttributionErrorRate(5, 16)


def test_words_that_are_not_recognized_do_not_count_in_attribution(case: Case) -> None:
    heard = [HEARD[0], segment("talker_2", "something else entirely", 3.0, 5.0), HEARD[2]]
    assert case.score(heard=heard).attribution == AttributionErrorRate(0, 10)


def test_words_at_the_wrong_time_are_errors_of_tcpwer_only(case: Case) -> None:
    heard = [HEARD[0], HEARD[1], HEARD[2] | {"start_time": 32.0, "end_time": 34.0}]
    score = case.score(heard=heard)
    assert score.cp.errors == 0
    assert score.tcp.errors == 10


def test_more_speakers_than_orc_can_compute(case: Case) -> None:
    score = case.score(heard=[segment(f"t{i}", "hello there", i, i + 1) for i in range(11)])
    assert score.orc is None
    assert score.attribution is None
    assert score.cp.errors > 0
    assert score.to_dict()["orcwer"] is None
    Console(quiet=True).print(render(score))


def test_more_speakers_than_meeteval_maps(case: Case) -> None:
    with pytest.raises(InputError, match="hypothesis: 21 speakers"):
        case.score(heard=[segment(f"t{i}", "hello", i, i + 1) for i in range(21)])


def test_many_words_fall_back_to_the_greedy_orc(case: Case) -> None:
    truth = [segment("ab"[i % 2], f"a{i} b{i} c{i} d{i} e{i} f{i}", 4.0 * i, 4.0 * i + 3) for i in range(40)]
    heard = [s | {"speaker": f"t{i % 5}"} for i, s in enumerate(truth)]
    score = case.score(truth, heard)
    assert score.orc is not None
    assert score.orc.error_rate == 0.0


def test_empty_hypothesis(case: Case) -> None:
    score = case.score(heard=[])
    assert score.orc is not None
    assert score.cp.error_rate == score.tcp.error_rate == score.orc.error_rate == 1.0
    assert score.diarization.error_rate == 1.0
    assert score.attribution == AttributionErrorRate(0, 0)
    assert score.hypothesis_words == 0


def test_noise_alone_counts_inserted_words(case: Case) -> None:
    score = case.score(truth=[], heard=[segment("talker_1", "thank you", 1.0, 2.0, 0.0)])
    assert score.cp.error_rate is None
    assert score.cp.insertions == 2
    assert score.false_alarm_words == 2
    assert score.diarization.error_rate is None
    assert score.diarization.false_alarm == pytest.approx(1.0)


def test_nothing_said_and_nothing_heard(case: Case) -> None:
    score = case.score(truth=[], heard=[])
    assert score.cp.errors == 0
    assert score.to_dict()["cpwer"]["error_rate"] is None
    Console(quiet=True).print(render(score))


def test_words_in_silence_are_false_alarms(case: Case) -> None:
    words = [("near", 2.3), ("far", 8.0), ("away", 8.5)]
    write_lines(
        case.out / "words.jsonl",
        [{"word": word, "start_time": start, "end_time": start + 0.2} for word, start in words],
    )
    assert case.score().false_alarm_words == 2


def test_no_more_words_in_silence_than_words(case: Case) -> None:
    words = ["Mr.", "Twenty", "Two,", "uh,", "I'm", "here"]
    write_lines(case.out / "words.jsonl", [{"word": word, "start_time": 0.0, "end_time": 2.0} for word in words])
    score = case.score([], [segment("talker_1", " ".join(words), 0.0, 2.0)])
    assert score.false_alarm_words == score.hypothesis_words == 6


def test_shifted_directions(case: Case) -> None:
    write_lines(case.out / "tracks.jsonl", tracks_of(HEARD, shift=12.0))
    score = case.score(heard=[heard | {"azimuth_deg": heard["azimuth_deg"] - 4.0} for heard in HEARD])
    assert score.segment_direction_errors == pytest.approx((4.0,) * 3)
    assert score.frame_direction_errors == pytest.approx((12.0,) * 60)
    direction = score.to_dict()["direction_error_deg"]
    assert direction == {"median": 12.0, "p90": 12.0, "within_10": 0.0, "count": 60}


def test_sources_tell_where_talkers_really_are(case: Case) -> None:
    source = {"source": "anna", "kind": "talker", "azimuth_deg": 33.0, "active": True}
    machine = {"source": "fan", "kind": "noise", "azimuth_deg": 30.0, "active": True}
    silent = {"source": "ben", "kind": "talker", "azimuth_deg": 30.0, "active": False}
    write_lines(case.recording / "reference" / "sources.jsonl", [s | {"time": 1.0} for s in (source, machine, silent)])
    write_lines(case.out / "tracks.jsonl", tracks_of(HEARD))
    assert case.score().frame_direction_errors == pytest.approx((3.0,))


def test_tracks_of_noise_and_silent_tracks_do_not_count(case: Case) -> None:
    noise = [track | {"kind": "noise"} for track in tracks_of(HEARD)]
    silent = [track | {"activity": 0.1} for track in tracks_of(HEARD)]
    write_lines(case.out / "tracks.jsonl", noise + silent)
    assert case.score().frame_direction_errors == ()


def test_angles_are_circular() -> None:
    assert angular_distance(179.0, -179.0) == pytest.approx(2.0)
    assert angular_distance(-170.0, 190.0) == pytest.approx(0.0)
    assert angular_distance(0.0, 180.0) == pytest.approx(180.0)


def test_directions_of_talkers_at_the_same_time_are_mapped_one_to_one() -> None:
    assert frame_errors({0: [10.0, 50.0]}, {0: [52.0, 11.0]}) == pytest.approx((1.0, 2.0))
    assert frame_errors({0: [10.0], 1: [20.0]}, {0: [90.0, 15.0]}) == pytest.approx((5.0,))


def test_latencies_and_real_time_factor(case: Case) -> None:
    times = {"start_time": 0.5, "end_time": 1.0}
    words = [{"word": "w", **times, "emitted_partial": 1.0 + i, "emitted_final": 5.0} for i in range(11)]
    write_lines(case.out / "words.jsonl", words)
    (case.out / "timing.json").write_text(json.dumps({"audio_seconds": 20.0, "total_seconds": 5.0}))
    result = case.score().to_dict()
    assert result["latency_partial_seconds"] == {"p50": 5.0, "p90": 9.0}
    assert result["latency_final_seconds"] == {"p50": 4.0, "p90": 4.0}
    assert result["real_time_factor"] == 0.25


def test_scores_add_up(case: Case) -> None:
    good, bad = case.score(), case.score(heard=[])
    total = good + bad
    assert total.cp.error_rate == 0.5
    assert total.diarization.error_rate == 0.5
    assert len(total.segment_direction_errors) == 3
    zero = Score.zero() + good
    assert zero.to_dict() == good.to_dict()


def test_the_table_shows_the_numbers(case: Case) -> None:
    console = Console(record=True, width=120, file=io.StringIO())
    console.print(render(case.score(heard=renamed({2: "talker_2"}))))
    text = console.export_text()
    assert "62.5%" in text
    assert "5 of 16 recognized words" in text


@pytest.mark.parametrize(
    ("reference", "hypothesis", "missed", "false_alarm", "confusion", "length"),
    [
        # overlapping speech of which one speaker is heard
        ([("A", 0, 4), ("B", 2, 6)], [("x", 0, 6)], 2.0, 0.0, 2.0, 8.0),
        # the mapping takes the longest common time, not the first speaker
        ([("A", 0, 1), ("A", 1, 4), ("B", 4, 6)], [("x", 0, 1), ("y", 1, 4), ("x", 4, 6)], 0.0, 0.0, 1.0, 6.0),
        # segments of one speaker that overlap count once
        ([("A", 0, 4), ("A", 2, 6)], [("x", 0, 6)], 0.0, 0.0, 0.0, 6.0),
        ([("A", 0, 2)], [("x", 1, 3)], 1.0, 1.0, 0.0, 2.0),
        ([("A", 0, 2)], [("x", 0, 2), ("y", 0, 2)], 0.0, 2.0, 0.0, 2.0),
        ([], [], 0.0, 0.0, 0.0, 0.0),
    ],
)
def test_diarization_error_by_hand(
    reference: list[tuple[str, float, float]],
    hypothesis: list[tuple[str, float, float]],
    missed: float,
    false_alarm: float,
    confusion: float,
    length: float,
) -> None:
    rate = diarization_error_rate(
        [segment(speaker, "", start, end) for speaker, start, end in reference],
        [segment(speaker, "", start, end) for speaker, start, end in hypothesis],
    )
    assert rate == DiarizationErrorRate(missed, false_alarm, confusion, length)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "not JSON"),
        ("{}", "not a list"),
        ("[1]", "segment 1 is not an object"),
        ('[{"speaker": "a", "words": "b", "start_time": "x", "end_time": 1}]', "start_time"),
        ('[{"speaker": "a", "start_time": 0, "end_time": 1}]', "needs `speaker`"),
        ('[{"speaker": ["a"], "words": "b", "start_time": 0, "end_time": 1}]', "needs `speaker`"),
        (json.dumps([TRUTH[0] | {"azimuth_deg": "left"}]), "`azimuth_deg` is 'left'"),
        (json.dumps([TRUTH[0] | {"end_time": 160_000}]), "times are seconds"),
        ('[{"speaker": "a", "words": "b", "start_time": 2, "end_time": 1}]', "ends before it starts"),
        (json.dumps([TRUTH[0], TRUTH[1] | {"session_id": "t"}]), "2 sessions"),
    ],
)
def test_broken_segments_are_refused(case: Case, content: str, message: str) -> None:
    case.score()
    (case.out / "segments.json").write_text(content)
    with pytest.raises(InputError, match=message):
        evaluate(case.recording, case.out)


def test_broken_lines_are_refused(case: Case) -> None:
    (case.out / "tracks.jsonl").write_text('{"time": 0.0}\n')
    with pytest.raises(InputError, match="line 1: `azimuth_deg`"):
        case.score()


def test_missing_folders_are_refused(case: Case, tmp_path: Path) -> None:
    case.score()
    with pytest.raises(InputError, match="no such file"):
        evaluate(tmp_path / "nowhere", case.out)
    with pytest.raises(InputError, match=r"no reference/segments\.json"):
        evaluate(tmp_path, case.out)
    with pytest.raises(InputError, match=r"no segments\.json"):
        evaluate(case.recording, tmp_path)
