"""Rooms: impulse responses by the image source method (Allen & Berkley 1979), with pyroomacoustics."""

from __future__ import annotations

import math

import numpy as np
import pyroomacoustics as pra
from hearing_sim.scene import Room
from numpy.typing import NDArray

from hearing.arrays import SPEED_OF_SOUND
from hearing.errors import InputError
from hearing.types import SAMPLE_RATE


def impulse_responses(
    room: Room, sources: NDArray[np.float64], microphones: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Compute the impulse responses from every source to every microphone.

    Parameters
    ----------
    room
        The room; its absorption follows from the reverberation time by inverting Sabine's formula.
    sources, microphones
        Positions of shape (n_sources, 3) and (n_microphones, 3) in metres in the room.

    Returns
    -------
    Float64 array of shape (n_sources, n_microphones, n_taps). The direct path arrives after distance / speed of sound
    with amplitude 1 / distance.

    Raises
    ------
    InputError
        If no walls give this room such a short reverberation time.
    """
    try:
        absorption, max_order = pra.inverse_sabine(room.rt60, room.size, c=SPEED_OF_SOUND)
    except ValueError as error:
        raise InputError(f"room: {list(room.size)} m is too large for rt60 {room.rt60} s; raise rt60") from error
    shoebox = pra.ShoeBox(room.size, fs=SAMPLE_RATE, materials=pra.Material(absorption), max_order=max_order)
    for source in sources:
        shoebox.add_source(source)
    shoebox.add_microphone_array(microphones.T)
    shoebox.compute_rir()

    # pyroomacoustics delays everything by half its fractional delay filter.
    offset = pra.constants.get("frac_delay_length") // 2
    taps = math.ceil(1.2 * room.rt60 * SAMPLE_RATE)
    responses = np.zeros((len(sources), len(microphones), taps))
    for m, per_source in enumerate(shoebox.rir):
        for s, response in enumerate(per_source):
            kept = response[offset : offset + taps]
            responses[s, m, : len(kept)] = kept
    return responses


def measure_rt60(response: NDArray[np.float64]) -> float:
    """Measure the reverberation time of an impulse response in seconds, from its decay between -5 and -35 dB.

    Schroeder (1965), backward integration.
    """
    return float(pra.experimental.measure_rt60(response, fs=SAMPLE_RATE, decay_db=30))
