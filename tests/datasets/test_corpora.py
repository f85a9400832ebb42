"""Every loader reads a tiny tree that is laid out like the published corpus."""

import json

import av
import numpy as np
import pytest
import soundfile
from hearing_datasets import CORPORA, load_corpus, read_clip, read_manifest, write_manifest
from hearing_datasets.text import normalized_text, plain_text

from hearing.errors import InputError

RATE = 16_000


def sound(path, seconds=2.0, channels=1):
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = 0.1 * np.random.default_rng(0).standard_normal((round(seconds * RATE), channels))
    soundfile.write(path, noise, RATE)


def text(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content))


def film(path, seconds=2.0):
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w", format="mp4") as container:
        video, audio = container.add_stream("mpeg4", rate=25), container.add_stream("aac", rate=RATE)
        video.width = video.height = 64
        for _ in range(round(25 * seconds)):
            container.mux(video.encode(av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), format="bgr24")))
        frame = av.AudioFrame.from_ndarray(
            np.zeros((1, round(seconds * RATE)), np.float32), format="fltp", layout="mono"
        )
        frame.rate = RATE
        container.mux(audio.encode(frame))
        container.mux(video.encode())
        container.mux(audio.encode())


def librispeech(root):
    sound(root / "dev-clean" / "84" / "121123" / "84-121123-0000.flac")
    text(root / "dev-clean" / "84" / "121123" / "84-121123.trans.txt", "84-121123-0000 GO DO YOU HEAR\n")
    text(root / "SPEAKERS.TXT", "; a comment\n84   | F | dev-clean | 8.02 | Christie Nowak\n")


def ami(root):
    for number in (1, 2):
        sound(root / "ES2002a" / "audio" / f"ES2002a.Array1-0{number}.wav", 6.0)
    words = "".join(
        f'<w nite:id="w{i}" starttime="{start}" endtime="{start + 0.3}">{word}</w>'
        for i, (start, word) in enumerate([(0.5, "okay"), (0.9, "so"), (3.0, "T_V_")])
    )
    root_tag = '<nite:root xmlns:nite="http://nite.sourceforge.net/">'
    comma = '<w nite:id="p" starttime="1.2" endtime="1.2" punc="true">,</w><vocalsound nite:id="v" type="laugh"/>'
    text(root / "words" / "ES2002a.B.words.xml", f"{root_tag}{words}{comma}</nite:root>")
    speaker = '<speaker nxt_agent="B" global_name="FEE005"/>'
    meetings = f'<meetings><meeting observation="ES2002a">{speaker}</meeting></meetings>'
    text(root / "corpusResources" / "meetings.xml", meetings)


def chime6(root):
    for channel in (1, 2):
        sound(root / "audio" / "dev" / f"S02_U01.CH{channel}.wav", 5.0)
    entry = {"start_time": "0:00:01.50", "end_time": "0:00:03.00", "words": "hm [laughs] well", "speaker": "P05"}
    text(root / "transcriptions" / "dev" / "S02.json", [entry | {"location": "kitchen"}])


def libricss(root):
    session = root / "for_release" / "OV10" / "overlap_ratio_10.0_sil0.1_1.0_session0_actual10.1"
    sound(session / "record" / "raw_recording.wav", 5.0, channels=7)
    table = "start_time\tend_time\tspeaker\tutterance_id\ttranscription\n1.0\t3.5\t1089\t1089-134686-0000\tHE HOPED\n"
    text(session / "transcription" / "meeting_info.txt", table)


def easycom(root):
    sound(root / "Main" / "Glasses_Microphone_Array_Audio" / "Session_1" / "01-00-288.wav", 5.0, channels=6)
    entry = {"Start_Frame": 20, "End_Frame": 50, "Transcription": "Pass the salt.", "Participant_ID": 3}
    text(root / "Main" / "Speech_Transcriptions" / "Session_1" / "01-00-288.json", [entry])


def musan(root):
    sound(root / "noise" / "free-sound" / "noise-free-sound-0000.wav")
    sound(root / "speech" / "librivox" / "speech-librivox-0000.wav")


def demand(root):
    for channel in range(1, 17):
        sound(root / "DKITCHEN" / f"ch{channel:02d}.wav", 1.0)


def lrs3(root):
    film(root / "pretrain" / "spk1" / "00001.mp4")
    table = "Text:  HELLO THERE\nConf:  5\n\nWORD START END ASDSCORE\nHELLO 0.1 0.5 9.1\nTHERE 0.6 0.9 8.0\n"
    text(root / "pretrain" / "spk1" / "00001.txt", table)


def grid(root):
    film(root / "s1" / "video" / "bbaf2n.mpg")
    text(root / "s1" / "align" / "bbaf2n.align", "0 5000 sil\n5000 12500 bin\n12500 20000 blue\n20000 50000 sil\n")


def kit(root):
    sound(root / "speech" / "one" / "first.flac")
    entry = {"audio": "first.flac", "duration": 2.0, "licence": "CC0", "text": "the first", "speaker": "eve"}
    text(root / "speech" / "one" / "manifest.jsonl", json.dumps(entry) + "\n")


EXPECTED = {
    # recordings, channels of the first, text and speaker of the first supervision, its start and end
    "librispeech": (1, 1, "go do you hear", "libri-84", 0.0, 2.0),
    "ami": (1, 2, "okay so", "FEE005", 0.5, 1.2),
    "chime6": (1, 2, "hm well", "P05", 1.5, 3.0),
    "libricss": (1, 7, "he hoped", "libri-1089", 1.0, 3.5),
    "easycom": (1, 6, "Pass the salt.", "Session_1-3", 1.0, 2.5),
    "musan": (2, 1, None, None, 0.0, 2.0),
    "demand": (1, 16, None, None, 0.0, 1.0),
    "lrs3": (1, 1, "hello there", "lrs3-spk1", 0.0, 2.0),
    "grid": (1, 1, "bin blue", "grid-s1", 0.0, 2.0),
    "kit": (1, 1, "the first", "eve", 0.0, 2.0),
}


@pytest.fixture
def loaded(request, tmp_path):
    name = request.param
    globals()[name](tmp_path / name)
    return name, load_corpus(name, tmp_path / name)


def test_every_corpus_has_a_test():
    assert set(EXPECTED) == set(CORPORA)


@pytest.mark.parametrize("loaded", EXPECTED, indirect=True)
def test_corpus_is_read(loaded):
    name, corpus = loaded
    recordings, channels, words, speaker, start, end = EXPECTED[name]
    assert len(corpus.recordings) == recordings
    assert corpus.recordings[0].channels == channels
    first = corpus.supervisions[0]
    assert (first.text, first.speaker) == (words, speaker)
    assert first.start == pytest.approx(start)
    assert first.end == pytest.approx(end, abs=0.15)
    if first.words:
        assert " ".join(word.word for word in first.words) == words


@pytest.mark.parametrize("loaded", EXPECTED, indirect=True)
def test_manifest_round_trip(loaded, tmp_path):
    _, corpus = loaded
    write_manifest(corpus, tmp_path / "manifest")
    again = read_manifest(tmp_path / "manifest", corpus.name)
    assert again.recordings == corpus.recordings
    assert again.licence == corpus.licence
    for one, other in zip(again.supervisions, corpus.supervisions, strict=True):
        assert (one.id, one.text, one.speaker, one.custom) == (other.id, other.text, other.speaker, other.custom)
        assert [(w.word, w.start) for w in one.words] == [(w.word, w.start) for w in other.words]


def test_lhotse_manifest_fields(tmp_path):
    ami(tmp_path / "ami")
    write_manifest(load_corpus("ami", tmp_path / "ami"), tmp_path)
    recording = json.loads((tmp_path / "recordings.jsonl").read_text().splitlines()[0])
    assert set(recording) == {"id", "sources", "sampling_rate", "num_samples", "duration", "channel_ids"}
    assert recording["sources"][1] | {"source": ""} == {"type": "file", "channels": [1], "source": ""}
    supervision = json.loads((tmp_path / "supervisions.jsonl").read_text().splitlines()[0])
    assert {"id", "recording_id", "start", "duration", "channel", "text", "speaker", "alignment"} <= set(supervision)
    assert supervision["alignment"]["word"][0] == ["okay", 0.5, 0.3, None]


def test_clips_of_a_corpus_can_be_heard(tmp_path):
    chime6(tmp_path)
    (clip,) = load_corpus("chime6", tmp_path).clips()
    assert len(read_clip(clip)) == round(1.5 * RATE)


@pytest.mark.parametrize("name", CORPORA)
def test_another_folder_is_refused_in_one_line(tmp_path, name):
    (tmp_path / "thesis.tex").write_text("precious")
    with pytest.raises(InputError, match=r"expected files .* in it") as caught:
        load_corpus(name, tmp_path)
    assert "\n" not in str(caught.value)


def test_unknown_corpus_and_missing_folder(tmp_path):
    with pytest.raises(InputError, match="corpus 'amy' is unknown; known are: kit, librispeech"):
        load_corpus("amy", tmp_path)
    with pytest.raises(InputError, match="no such folder"):
        load_corpus("ami", tmp_path / "nowhere")
    with pytest.raises(InputError, match=r"no recordings\.jsonl here"):
        read_manifest(tmp_path)


def test_damaged_manifest_names_file_and_line(tmp_path):
    (tmp_path / "recordings.jsonl").write_text('{"id": 1}\n')
    with pytest.raises(InputError, match=r"recordings\.jsonl, line 1: no manifest entry"):
        read_manifest(tmp_path)


@pytest.mark.parametrize(
    ("raw", "plain"),
    [
        ("HE SAID <UNK> YES", "he said yes"),
        ("well [noise] {pause} fine", "well fine"),
        ("on the T_V_ now", "on the T V now"),
        ("Mixed CASE stays", "Mixed CASE stays"),
        ("", ""),
    ],
)
def test_markup_is_removed(raw, plain):
    assert plain_text(raw) == plain


def test_texts_that_say_the_same_are_equal():
    assert normalized_text("TWENTY-ONE COLOURS") == normalized_text("21 colors")
