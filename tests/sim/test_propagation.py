"""The physics of sound on its way: when, how loud, at which pitch, and without clicks."""

import numpy as np
import pytest
from hearing_sim import Room
from hearing_sim.motion import Pose, PoseWaypoint, Trajectory, Waypoint
from hearing_sim.propagation import PointSource, Receiver, SoundField, split_bands
from hearing_sim.room import RoomAcoustics
from scipy.signal import firwin, oaconvolve, stft

from hearing.arrays import SPEED_OF_SOUND, load_array
from hearing.types import SAMPLE_RATE

FREE = RoomAcoustics(Room(size=(40.0, 40.0, 20.0), rt60=0))
ROOM = RoomAcoustics(Room(size=(6.0, 5.0, 3.0), rt60=0.4))


def still(*position):
    return PointSource(Trajectory([Waypoint(0.0, position)]))


def moving(*places):
    return PointSource(Trajectory([Waypoint(time, place) for time, place in places]))


def receiver(*position, array="respeaker_6mic", yaw_deg=30.0, **options):
    positions = load_array(array).positions
    options = {"delays": np.zeros(len(positions)), **options}
    return Receiver(Pose([PoseWaypoint(0.0, position, yaw_deg)]), positions, **options)


def arrivals(responses):
    """Delays in samples of responses (n_taps, n_channels) with a single path, from the slope of their phase."""
    first = round(float(np.argmax(np.abs(responses[:, 0]))))
    spectrum = np.fft.rfft(responses, 4096, axis=0)
    omega = 2 * np.pi * np.arange(len(spectrum))[:, None] / 4096
    band = slice(64, 1792)
    phase = np.unwrap(np.angle(spectrum * np.exp(1j * omega * first))[band], axis=0)
    return first - np.array([np.polyfit(omega[band, 0], column, 1)[0] for column in phase.T])


def heard(field, source, signal, seconds=None):
    out = np.zeros((round((seconds or len(signal) / SAMPLE_RATE) * SAMPLE_RATE), len(field._receiver.microphones)))
    field.hear(source, signal, 0, out)
    return out


@pytest.mark.parametrize("place", [(22.3, 21.1, 10.4), (20.6, 20.2, 10.1), (5.0, 30.0, 3.0)])
def test_direct_sound_arrives_when_geometry_says(place):
    ears = receiver(20.0, 20.0, 10.0, array="head_8mic")
    delays = arrivals(SoundField(FREE, ears).response(still(*place), 0.0))
    distances = np.linalg.norm(ears.positions(np.zeros(1))[0] - np.array(place), axis=1)
    expected = distances / SPEED_OF_SOUND * SAMPLE_RATE
    assert np.abs(delays - expected).max() < 1 / 8
    assert np.abs((delays - delays[0]) - (expected - expected[0])).max() < 1 / 100


def test_level_falls_6_db_per_doubling_of_distance():
    field = SoundField(FREE, receiver(5.0, 20.0, 10.0))
    noise = np.random.default_rng(0).standard_normal(SAMPLE_RATE)
    level = [10 * np.log10(np.mean(heard(field, still(5.0 + d, 20.0, 10.0), noise)[2000:] ** 2)) for d in (2, 4, 8, 16)]
    np.testing.assert_allclose(np.diff(level), -6.02, atol=0.15)


def test_microphone_delays_are_heard():
    delays = np.array([0.0, 1.5, -0.7, 0.3, 0.0, 2.2]) / SAMPLE_RATE
    ideal, real = (receiver(20.0, 20.0, 10.0, delays=d) for d in (np.zeros(6), delays))
    shift = [arrivals(SoundField(FREE, ears).response(still(23.0, 20.0, 10.0), 0.0)) for ears in (ideal, real)]
    np.testing.assert_allclose(shift[1] - shift[0], delays * SAMPLE_RATE, atol=0.01)


@pytest.mark.parametrize(
    ("towards", "factor"), [(True, 1 / (1 - 1 / SPEED_OF_SOUND)), (False, 1 / (1 + 1 / SPEED_OF_SOUND))]
)
def test_a_source_that_moves_at_1_m_per_s_has_doppler(towards, factor):
    near, far = (8.0, 20.0, 10.0), (12.0, 20.0, 10.0)
    source = moving((0.0, far if towards else near), (4.0, near if towards else far))
    tone = np.sin(2 * np.pi * 2000 * np.arange(4 * SAMPLE_RATE) / SAMPLE_RATE)
    field = SoundField(FREE, receiver(4.0, 20.0, 10.0))
    part = heard(field, source, tone)[SAMPLE_RATE : 3 * SAMPLE_RATE, 0]
    spectrum = np.abs(np.fft.rfft(part * np.hanning(len(part)), 1 << 20))
    shift = np.argmax(spectrum) * SAMPLE_RATE / (1 << 20) - 2000
    assert shift == pytest.approx(2000 * (factor - 1), rel=0.02)


def test_a_moving_array_hears_the_same_doppler_as_a_moving_source():
    tone = np.sin(2 * np.pi * 1000 * np.arange(2 * SAMPLE_RATE) / SAMPLE_RATE)
    drives = Pose([PoseWaypoint(0.0, (10.0, 20.0, 10.0)), PoseWaypoint(2.0, (12.0, 20.0, 10.0))])
    field = SoundField(FREE, Receiver(drives, np.zeros((1, 3)), np.zeros(1)))
    part = heard(field, still(20.0, 20.0, 10.0), tone)[SAMPLE_RATE // 2 :, 0]
    spectrum = np.abs(np.fft.rfft(part * np.hanning(len(part)), 1 << 20))
    assert np.argmax(spectrum) * SAMPLE_RATE / (1 << 20) - 1000 == pytest.approx(1000 / SPEED_OF_SOUND, rel=0.02)


def test_what_stands_still_sounds_the_same_on_the_way_for_moving_things():
    """The two renderings, by impulse response and by running delays, are the same but for the random late part."""
    ears = receiver(2.0, 2.0, 1.0, body_radius=0.09)
    source = PointSource(
        Trajectory([Waypoint(0.0, (4.0, 3.0, 1.5))]), lambda times: np.tile([-1.0, 0.0, 0.0], (len(times), 1))
    )
    noise = np.random.default_rng(0).standard_normal(SAMPLE_RATE)
    noise = oaconvolve(noise, firwin(101, 7000, fs=SAMPLE_RATE), mode="same")

    class EarlyOnly(SoundField):
        def _late(self, *_):
            return np.zeros((1, 6))

    field = EarlyOnly(ROOM, ears)
    by_response = heard(field, source, noise, 1.5)
    running = np.zeros_like(by_response)
    field._hear_moving(source, noise, 0, running)
    error = np.mean((running - by_response) ** 2) / np.mean(by_response**2)
    assert 10 * np.log10(error) < -50


def test_late_part_is_as_loud_for_moving_things():
    field = SoundField(ROOM, receiver(2.0, 2.0, 1.0))
    noise = np.random.default_rng(0).standard_normal(2 * SAMPLE_RATE)
    power = [
        np.mean(heard(field, source, noise)[SAMPLE_RATE // 2 :] ** 2)
        for source in (still(4.0, 3.0, 1.5), moving((0.0, (4.0, 3.0, 1.5)), (2.0, (4.0, 3.02, 1.5))))
    ]
    assert power[1] == pytest.approx(power[0], rel=0.15)


def test_no_clicks_where_paths_bend_and_the_robot_turns():
    """A tone stays a tone: a click would spread over all frequencies (spectral flux)."""
    poses = [
        PoseWaypoint(0.0, (2.0, 2.0, 1.0)),
        PoseWaypoint(2.0, (2.5, 2.0, 1.0), 120.0),
        PoseWaypoint(4.0, (3.0, 2.0, 1.0), 100.0),
    ]
    ears = Receiver(Pose(poses), load_array("respeaker_6mic").positions, np.zeros(6), body_radius=0.1)
    bends = ((0.0, (4.0, 3.0, 1.5)), (1.0, (5.0, 3.0, 1.5)), (2.5, (4.5, 4.0, 1.5)), (4.0, (1.0, 4.0, 1.5)))
    tone = np.sin(2 * np.pi * 500 * np.arange(4 * SAMPLE_RATE) / SAMPLE_RATE)
    image = heard(SoundField(ROOM, ears), moving(*bends), tone)
    frequencies, _, spectra = stft(image[:, 0], SAMPLE_RATE, nperseg=512, noverlap=384)
    level = np.abs(spectra)[:, 20:-20]
    assert 20 * np.log10(level[frequencies > 1500].max() / level.max()) < -45
    flux = np.abs(np.diff(level, axis=1))[frequencies > 1500].sum(axis=0)
    assert flux.max() < 0.01 * level.max()


def test_who_turns_away_is_heard_less_above_all_at_high_frequencies():
    noise = np.random.default_rng(0).standard_normal(SAMPLE_RATE)
    field = SoundField(FREE, receiver(20.0, 20.0, 10.0))
    way = Trajectory([Waypoint(0.0, (22.0, 20.0, 10.0))])
    towards, away = (
        heard(field, PointSource(way, lambda times, x=x: np.tile([x, 0.0, 0.0], (len(times), 1))), noise)[2000:, 0]
        for x in (-1.0, 1.0)
    )
    loss = [np.mean(split_bands(towards)[i] ** 2) / np.mean(split_bands(away)[i] ** 2) for i in range(2)]
    assert 2 < 10 * np.log10(loss[0]) < 5
    assert 10 < 10 * np.log10(loss[1]) < 18


def test_a_body_shadows_the_far_microphones():
    noise = np.random.default_rng(0).standard_normal(SAMPLE_RATE)
    for radius, lowest, highest in ((None, -1.0, 1.0), (0.1, 5.0, 30.0)):
        ears = receiver(20.0, 20.0, 10.0, array="head_8mic", body_radius=radius)
        image = heard(SoundField(FREE, ears), still(23.0, 20.0, 10.0), noise)[2000:]
        near = np.argmax(ears.positions(np.zeros(1))[0][:, 0])
        far = np.argmin(ears.positions(np.zeros(1))[0][:, 0])
        high = [np.mean(split_bands(image[:, channel])[1] ** 2) for channel in (near, far)]
        assert lowest < 10 * np.log10(high[0] / high[1]) < highest


def test_sound_before_its_emission_is_silence():
    """Nothing arrives before the direct sound, moving or not."""
    click = np.zeros(SAMPLE_RATE)
    click[4000] = 1.0
    field = SoundField(ROOM, receiver(2.0, 2.0, 1.0))
    for source in (still(4.0, 3.0, 1.5), moving((0.0, (4.0, 3.0, 1.5)), (1.0, (4.5, 3.0, 1.5)))):
        image = heard(field, source, click)
        first = 4000 + int(2.2 / SPEED_OF_SOUND * SAMPLE_RATE)
        assert np.abs(image[: first - 60]).max() < 1e-3 * np.abs(image).max()
