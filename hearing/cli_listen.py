"""`hearing listen`: live microphones and a camera, without ROS."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Annotated

import numpy as np
import typer

from hearing.cli_show import Host, Token, needs_web
from hearing.console import say
from hearing.errors import InputError

if TYPE_CHECKING:
    from hearing.arrays import MicrophoneArray
    from hearing.captions import LiveCaptions
    from hearing.memory import PeopleStore
    from hearing.outputs import SessionLog
    from hearing.pipeline import Pipeline
    from hearing.types import AudioBlock, HearingOutput
    from hearing.vision.live import LiveCamera
    from hearing.web import WebView

MAX_GAP = 60.0
"""Seconds without sound that are filled with silence; after more the session ends."""
SILENCE = 1e-10
"""Power below which levels are not told apart: -100 dB."""


def listen(
    array: Annotated[str, typer.Option(help="Array name or YAML file; see `hearing arrays`.")],
    device: Annotated[str, typer.Option(help="Part of the microphones' name, or their number.")] = "",
    camera: Annotated[int | None, typer.Option(help="Number of the camera; needs --lens.")] = None,
    lens: Annotated[Path | None, typer.Option(help="YAML file of the camera: its lens and its place.")] = None,
    people: Annotated[Path | None, typer.Option(help="Folder of people who are known; see `hearing enroll`.")] = None,
    phrases: Annotated[Path | None, typer.Option(help="Text file of words to expect, one a line.")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder for the outputs at the end.")] = None,
    seconds: Annotated[float | None, typer.Option(help="Stop after so long; by default with Ctrl-C.")] = None,
    web: Annotated[int | None, typer.Option(help="Port of a web page that shows it too.", min=0, max=65535)] = None,
    web_host: Host = "127.0.0.1",
    web_token: Token = None,
) -> None:
    """Show live who says what, from where."""
    from hearing.arrays import load_array
    from hearing.captions import LiveCaptions
    from hearing.memory import open_people
    from hearing.outputs import SessionLog, Timing, check_out_dir
    from hearing.pipeline import Pipeline
    from hearing.recognition.phrases import read_phrases

    if (camera is None) != (lens is None):
        raise InputError("--camera and --lens go together: the number of a camera, and the file that describes it")
    if seconds is not None and seconds <= 0:
        raise InputError(f"--seconds is {seconds:g}; give more than 0")
    microphones, known = load_array(array), open_people(people) if people is not None else None
    if out is not None:
        check_out_dir(out)
    pipeline = Pipeline.create(microphones, known=known.known() if known is not None else None)
    pipeline.bias(read_phrases(phrases) if phrases is not None else ())
    log, captions = SessionLog(video=camera is not None), LiveCaptions()
    with ExitStack() as closing:
        eyes = _camera(camera, lens, known, closing) if camera is not None and lens is not None else None
        page = _page(pipeline, web, web_host, web_token, closing) if web is not None else None
        captions.start()
        closing.callback(captions.stop)
        try:
            for block, output in _live(pipeline, microphones, device, eyes, seconds):
                _take(output, log, captions)
                if page is not None:
                    _show(page, pipeline, block, output)
        except KeyboardInterrupt:
            say("stopped")
        heard = pipeline.seconds
        _take(pipeline.flush(), log, captions)
    if out is not None:
        log.write(out, "live", Timing(heard, sum(pipeline.compute_seconds.values()), pipeline.compute_seconds))


def _take(output: HearingOutput, log: SessionLog, captions: LiveCaptions) -> None:
    log.add(output)
    for utterance in output.utterances:
        captions.show(utterance)


def _page(pipeline: Pipeline, port: int, host: str, token: str | None, closing: ExitStack) -> WebView:
    with needs_web():
        from hearing.web import WebView
    page = WebView(pipeline.check_phrases)
    say(f"the page is at {page.start(host, port, token)}")
    closing.callback(page.stop)
    return page


def _show(page: WebView, pipeline: Pipeline, block: AudioBlock, output: HearingOutput) -> None:
    """Show on the page what was heard, and expect what was asked for there."""
    levels = 10 * np.log10(np.mean(np.square(block.samples), axis=0) + SILENCE)
    health = {
        "seconds": pipeline.seconds,
        "latency": pipeline.latency,
        "real_time_factor": sum(pipeline.compute_seconds.values()) / max(pipeline.seconds, 1.0),
        "queue": pipeline.queue.waiting,
        "behind": pipeline.queue.behind,
        "levels_db": levels.tolist(),
        "faults": [fault.message for fault in pipeline.faults],
    }
    page.show(output, health)
    if (phrases := page.asked()) is not None:
        pipeline.bias(phrases)


def _camera(number: int, lens: Path, people: PeopleStore | None, closing: ExitStack) -> LiveCamera:
    try:
        from hearing.vision.live import LiveCamera
    except ImportError as error:
        raise InputError(f"{error}; a camera needs more packages: pip install 'robot-hearing[vision]'") from error
    return closing.enter_context(LiveCamera(number, lens, people))


def _live(
    pipeline: Pipeline, array: MicrophoneArray, device: str, eyes: LiveCamera | None, seconds: float | None
) -> Iterator[tuple[AudioBlock, HearingOutput]]:
    """Hear what the microphones record, and see what the camera sees, for so many seconds, or until Ctrl-C."""
    from hearing.continuity import Continuity, Faults
    from hearing.microphones import live_blocks
    from hearing.types import SAMPLE_RATE

    faults, warned = Faults(), 0
    continuity = Continuity(MAX_GAP, faults)
    began = time.monotonic()
    for block in live_blocks(device, array, Event(), say):
        admission = continuity.admit(block, round(block.start_sample / SAMPLE_RATE * 1e9))
        if admission.restart:
            say(f"no sound for more than {MAX_GAP:g} s: the session ends here; start `hearing listen` again")
            return
        for admitted in admission.blocks:
            yield admitted, pipeline.process(admitted, sights=eyes.sights(began) if eyes is not None else ())
        if faults.gaps > warned:
            warned = faults.gaps
            say(f"notice: {faults.lost_samples / SAMPLE_RATE:.1f} s of sound were lost; is this machine too slow?")
        if seconds is not None and pipeline.seconds >= seconds:
            return
