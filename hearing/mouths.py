"""Mouths that a camera sees tell who talks: a track is believed the more, the more surely its mouth speaks.

A mouth that seems still says little: some people hardly move their lips, and some mouths are badly seen. A mouth that
speaks is also where the voice comes from, by some degrees more exactly than a small array can hear.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from hearing.mask_network import Masks
from hearing.sphere import azimuths_apart
from hearing.types import Mouth, Peak, Track

SPREAD = np.deg2rad(5.0)
"""Standard deviation in radians of where a voice is heard around its mouth."""
NEAR = np.deg2rad(10.0)
"""Radians from a mouth that speaks within which a voice is taken to come from it."""
WEIGHT = 0.6
"""Of a mouth's log odds, against those of the network that listens in its direction."""
LEAST, MOST = -0.4, 1.5
"""Limits of the log odds that a mouth adds."""
_LEAST = 0.02


def with_mouths(masks: Masks, tracks: Sequence[Track], mouths: Sequence[Mouth]) -> Masks:
    """Weigh the masks of tracks by the mouths that are seen where they are.

    Parameters
    ----------
    masks
        Of the tracks, in their order.
    tracks
        Where they are.
    mouths
        That are seen now; tracks where none is seen stay as they are.
    """
    if not tracks or not mouths:
        return masks
    apart = np.array([[azimuths_apart(t.direction.vector, m.direction.vector) for m in mouths] for t in tracks])
    nearest = apart.argmin(axis=1)
    speaking = np.clip([mouths[index].speaking for index in nearest], _LEAST, 1 - _LEAST)
    match = np.exp(-0.5 * (apart.min(axis=1) / SPREAD) ** 2)
    shift = (match * np.clip(WEIGHT * np.log(speaking / (1 - speaking)), LEAST, MOST))[:, None]
    heard = np.clip(masks.active, _LEAST, 1 - _LEAST)
    active = (1 / (1 + np.exp(-np.log(heard / (1 - heard)) - shift))).astype(np.float32)
    # A mouth makes no sound louder that is not heard.
    share = np.minimum(active / heard, 1.0).astype(np.float32)[..., None]
    return Masks(masks.direct * share, masks.speech * share, active)


def at_mouths(peaks: Sequence[Peak], mouths: Sequence[Mouth]) -> tuple[Peak, ...]:
    """Move what is heard close to a mouth that speaks to that mouth.

    Parameters
    ----------
    peaks
        Where sound may come from.
    mouths
        That are seen now.
    """
    speaking = [mouth for mouth in mouths if mouth.speaking > 0.5]
    if not speaking:
        return tuple(peaks)
    moved = []
    for peak in peaks:
        apart = [azimuths_apart(peak.direction.vector, mouth.direction.vector) for mouth in speaking]
        nearest = int(np.argmin(apart))
        moved.append(replace(peak, direction=speaking[nearest].direction) if apart[nearest] <= NEAR else peak)
    return tuple(moved)
