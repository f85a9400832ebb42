import numpy as np
import pytest
from hearing_sim import ArrayPose, Room
from hearing_sim.room import impulse_responses, measure_rt60

from hearing.arrays import SPEED_OF_SOUND, load_array
from hearing.errors import InputError
from hearing.types import SAMPLE_RATE

POSE = ArrayPose("respeaker_6mic", (4.0, 4.0, 2.5), yaw_deg=30.0)


def direct_path_delay(response, distance):
    """Delay of the first arrival in samples, from the slope of its phase."""
    first = round(distance / SPEED_OF_SOUND * SAMPLE_RATE)
    direct = response[: first + 60]
    spectrum = np.fft.rfft(direct, 4096)
    omega = 2 * np.pi * np.arange(len(spectrum)) / 4096
    band = slice(256, 1536)
    residual = np.unwrap(np.angle(spectrum * np.exp(1j * omega * first))[band])
    return first - np.polyfit(omega[band], residual, 1)[0]


def test_direct_path_arrives_when_and_as_loud_as_geometry_says():
    source = np.array([5.1, 4.9, 2.8])
    microphones = POSE.to_room(load_array(POSE.geometry).positions)
    responses = impulse_responses(Room((8.0, 8.0, 5.0), 0.4), source[None], microphones)[0]
    distances = np.linalg.norm(microphones - source, axis=1)

    delays = np.array([direct_path_delay(r, d) for r, d in zip(responses, distances, strict=True)])
    expected = distances / SPEED_OF_SOUND * SAMPLE_RATE
    assert np.abs(delays - expected).max() < 1 / 8
    assert np.abs((delays - delays[0]) - (expected - expected[0])).max() < 1 / 8

    peaks = [
        np.abs(np.fft.rfft(r[: int(d / SPEED_OF_SOUND * SAMPLE_RATE) + 60], 4096))[512]
        for r, d in zip(responses, distances, strict=True)
    ]
    np.testing.assert_allclose(peaks, 1 / distances, rtol=0.05)


@pytest.mark.parametrize("rt60", [0.3, 0.6])
def test_reverberation_time_is_about_what_was_asked(rt60):
    responses = impulse_responses(Room((6.0, 5.0, 3.0), rt60), np.array([[2.0, 2.0, 1.5]]), np.array([[4.0, 3.0, 1.2]]))
    assert measure_rt60(responses[0, 0]) == pytest.approx(rt60, rel=0.35)


def test_impossibly_dry_room_is_refused():
    with pytest.raises(InputError, match="raise rt60"):
        impulse_responses(Room((20.0, 20.0, 10.0), 0.1), np.array([[1.0, 1.0, 1.0]]), np.array([[2.0, 2.0, 1.0]]))
