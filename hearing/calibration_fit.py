"""The geometry that fits measured differences of arrival times best: positions and directions solved for together.

Every stretch of speech has an unknown direction, every microphone an unknown position; all are found by Gauss-Newton
with robust weights. The directions are eliminated first (Schur complement; Triggs et al., 2000, Bundle adjustment,
section 6.1), so that the equations stay as small as the array. What the differences leave open is held by priors, the
nominal positions and the elevation of people's mouths. Most is open for microphones in one plane: an array that is
stretched along one axis hears the same as one whose talkers stand a bit lower in front of it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Priors:
    """What is known before: means and standard deviations, in metres and radians.

    Attributes
    ----------
    position_spread
        Of every coordinate of the microphones around its nominal value.
    elevation, elevation_spread
        Of the talkers.
    curvature, curvature_spread
        One over the talkers' distance, in 1/m.
    strain_spread
        By what share a planar array may seem stretched, because its talkers are not at the elevation they are taken to
        be at, and because the floor's and ceiling's reflections add to them.
    """

    position_spread: float = 0.005
    elevation: float = np.deg2rad(10.0)
    elevation_spread: float = np.deg2rad(25.0)
    curvature: float = 0.6
    curvature_spread: float = 0.2
    strain_spread: float = 0.04

    def for_plane(self) -> Priors:
        """Return what is to be taken for known where microphones lie in one plane.

        They hear the cosine of the elevation only. Were it free for every stretch, high elevations would win, at which
        it can follow any error of the measurement, and the array would grow with them.
        """
        return replace(self, elevation_spread=np.deg2rad(0.2))


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """Positions and directions that fit.

    Attributes
    ----------
    positions
        Of shape (n_microphones, 3), metres from the nominal centre, in the nominal orientation.
    standard_error
        Of every coordinate, of shape (n_microphones, 3), in metres.
    angles
        Azimuth and elevation of every stretch, of shape (n_stretches, 2), in radians.
    curvature
        One over the distance in 1/m.
    strain
        By what share a planar array seems stretched along its two axes and askew; empty for others.
    residual
        Robust standard deviation of the differences' misfit, in metres of path.
    """

    positions: FloatArray
    standard_error: FloatArray
    angles: FloatArray
    curvature: float
    strain: FloatArray
    residual: float


class ArrayFit:
    """Least squares over positions and directions.

    Parameters
    ----------
    nominal
        Centred positions of shape (n_microphones, 3) in metres.
    priors
        What is known before.
    """

    STEPS = 20
    CONVERGED = 1e-5
    """Metres and radians."""
    FLOOR = 2e-4
    """Metres below which misfits are no worse than each other."""
    CAUCHY = 2.0
    """Standard deviations from which the weight of a misfit falls (Cauchy loss)."""

    def __init__(self, nominal: FloatArray, priors: Priors) -> None:
        self._nominal, self._priors = nominal, priors
        self._first, self._second = np.triu_indices(len(nominal), k=1)
        pairs = np.arange(len(self._first))
        self._incidence = np.zeros((len(pairs), len(nominal)))
        self._incidence[pairs, self._first], self._incidence[pairs, self._second] = 1.0, -1.0
        self._n_positions = nominal.size
        self._strains = _plane_strains(nominal)

    def differences(self, fit: Fit) -> FloatArray:
        """Return the differences of paths that a fit predicts, of shape (n_stretches, n_pairs) in metres.

        Spherical waves to second order in the size of the array.
        """
        positions = fit.positions
        along = unit_vectors(fit.angles) @ self._strained(fit) @ positions.T
        paths = -along + fit.curvature / 2 * ((positions**2).sum(axis=1) - along**2)
        return np.asarray(paths[:, self._first] - paths[:, self._second])

    def _strained(self, fit: Fit) -> FloatArray:
        return np.asarray(np.eye(3) + np.tensordot(fit.strain, self._strains, axes=1))

    def start(self, angles: FloatArray) -> Fit:
        """Make a first guess: nominal positions, and given directions of shape (n_stretches, 2)."""
        unknown = np.zeros(len(self._strains))
        return Fit(self._nominal, np.zeros_like(self._nominal), angles, self._priors.curvature, unknown, 0.0)

    def solve(self, measured: FloatArray, weight: FloatArray, guess: Fit) -> Fit:
        """Fit to measured differences.

        Parameters
        ----------
        measured, weight
            Differences of paths in metres and how much each counts, both of shape (n_stretches, n_pairs).
        guess
            Where to start.
        """
        fit = guess
        for _ in range(self.STEPS):
            misfit = measured - self.differences(fit)
            scale = max(_robust_deviation(misfit, weight), self.FLOOR)
            # All pairs say no more than all microphones but one.
            trust = weight / (1 + (misfit / (self.CAUCHY * scale)) ** 2) * (2 / len(self._nominal)) / scale**2
            before = fit
            fit, covariance = self._step(fit, misfit, trust)
            moved = max(np.abs(fit.positions - before.positions).max(), np.abs(fit.angles - before.angles).max())
            if moved < self.CONVERGED:
                break
        misfit = measured - self.differences(fit)
        deviation = np.sqrt(np.diag(self._without_gauge(covariance))).reshape(-1, 3)
        return self._aligned(replace(fit, standard_error=deviation, residual=_robust_deviation(misfit, weight)))

    def _step(self, fit: Fit, misfit: FloatArray, trust: FloatArray) -> tuple[Fit, FloatArray]:
        """One Gauss-Newton step; also the covariance of the positions."""
        prior, n = self._priors, self._n_positions
        known = np.concatenate([self._nominal.ravel(), [prior.curvature], np.zeros(len(self._strains))])
        now = np.concatenate([fit.positions.ravel(), [fit.curvature], fit.strain])
        precision = np.full(len(known), prior.strain_spread**-2)
        precision[: n + 1] = prior.position_spread**-2
        precision[n] = prior.curvature_spread**-2
        # The weights of all pairs of a stretch are the Laplacian of a graph of the microphones.
        jacobian = self._jacobian(fit)
        laplacian = (self._incidence.T * trust[:, None]) @ self._incidence
        normal = jacobian.transpose(0, 2, 1) @ (laplacian @ jacobian)
        side = ((trust * misfit) @ self._incidence)[:, None] @ jacobian
        shared_matrix, mixed, own_matrix = normal[:, :-2, :-2].sum(axis=0), normal[:, :-2, -2:], normal[:, -2:, -2:]
        shared_side, own_side = side[:, 0, :-2].sum(axis=0) + precision * (known - now), side[:, 0, -2:]
        own_matrix = own_matrix + np.diag([1e-6, prior.elevation_spread**-2])
        own_side[:, 1] += (prior.elevation - fit.angles[:, 1]) * prior.elevation_spread**-2
        reduced = mixed @ np.linalg.inv(own_matrix)
        schur = shared_matrix + np.diag(precision) - (reduced @ mixed.transpose(0, 2, 1)).sum(axis=0)
        covariance = np.linalg.inv(schur)
        moved = covariance @ (shared_side - np.einsum("sik,sk->i", reduced, own_side))
        turned = np.linalg.solve(own_matrix, (own_side - moved @ mixed)[..., None])[..., 0]
        angles = fit.angles + np.clip(turned, -0.3, 0.3)
        angles[:, 1] = np.clip(angles[:, 1], -1.4, 1.4)
        fit = replace(
            fit,
            positions=fit.positions + moved[:n].reshape(-1, 3),
            curvature=fit.curvature + float(moved[n]),
            strain=fit.strain + moved[n + 1 :],
            angles=angles,
        )
        return fit, covariance[:n, :n]

    def _jacobian(self, fit: Fit) -> FloatArray:
        """Derive the paths of every stretch by what is looked for.

        Returns
        -------
        Of shape (n_stretches, n_microphones, n_unknowns): by all positions, the curvature, the strains, and the
        stretch's own azimuth and elevation.
        """
        n_stretches, n_microphones, n = len(fit.angles), len(self._nominal), self._n_positions
        positions, q = fit.positions, fit.curvature
        directions, strained = unit_vectors(fit.angles), self._strained(fit)
        u = directions @ strained
        along = u @ positions.T
        by_position = -u[:, None] + q * (positions - along[..., None] * u[:, None])
        by_direction = -positions - q * along[..., None] * positions
        jacobian = np.zeros((n_stretches, n_microphones, n + 3 + len(self._strains)))
        for axis in range(3):
            jacobian[:, np.arange(n_microphones), 3 * np.arange(n_microphones) + axis] = by_position[..., axis]
        jacobian[..., n] = ((positions**2).sum(axis=1) - along**2) / 2
        jacobian[..., n + 1 : -2] = np.einsum("smk,akl,sl->sma", by_direction, self._strains, directions)
        jacobian[..., -2:] = by_direction @ (_angle_derivatives(fit.angles) @ strained).transpose(0, 2, 1)
        return jacobian

    def _without_gauge(self, covariance: FloatArray) -> FloatArray:
        """Take shifts and rotations of the whole array, which nobody can hear, out of a covariance."""
        shifts = np.tile(np.eye(3), (len(self._nominal), 1))
        turns = np.stack([np.cross(axis, self._nominal).ravel() for axis in np.eye(3)], axis=1)
        basis = np.linalg.svd(np.concatenate([shifts, turns], axis=1), full_matrices=False)[0]
        rest = np.eye(self._n_positions) - basis @ basis.T
        return np.asarray(rest @ covariance @ rest)

    def _aligned(self, fit: Fit) -> Fit:
        """Keep the centre and the orientation of the nominal array."""
        rotation = procrustes(fit.positions, self._nominal)
        u = unit_vectors(fit.angles) @ rotation.T
        angles = np.stack([np.arctan2(u[:, 1], u[:, 0]), np.arcsin(np.clip(u[:, 2], -1, 1))], axis=1)
        positions = (fit.positions - fit.positions.mean(axis=0)) @ rotation.T
        return replace(fit, positions=positions, angles=angles)


def _plane_strains(nominal: FloatArray) -> FloatArray:
    """Return how a planar array can be stretched, as symmetric matrices of shape (3, 3, 3); (0, 3, 3) for others."""
    _, extent, axes = np.linalg.svd(nominal, full_matrices=False)
    if extent[2] > 0.05 * extent[0]:
        return np.zeros((0, 3, 3))
    first, second = axes[:2]
    askew = np.outer(first, second)
    return np.array([np.outer(first, first), np.outer(second, second), askew + askew.T])


def unit_vectors(angles: FloatArray) -> FloatArray:
    """Directions of shape (n, 3) of azimuths and elevations of shape (n, 2)."""
    azimuth, elevation = angles.T
    return np.stack(
        [np.cos(elevation) * np.cos(azimuth), np.cos(elevation) * np.sin(azimuth), np.sin(elevation)], axis=1
    )


def procrustes(points: FloatArray, target: FloatArray) -> FloatArray:
    """Rotation of shape (3, 3) that brings centred points of shape (n, 3) next to others (Kabsch, 1976)."""
    left, _, right = np.linalg.svd((target - target.mean(axis=0)).T @ (points - points.mean(axis=0)))
    flip = np.diag([1.0, 1.0, np.sign(np.linalg.det(left @ right)) or 1.0])
    return np.asarray(left @ flip @ right)


def _angle_derivatives(angles: FloatArray) -> FloatArray:
    """Derive the unit vectors by azimuth and elevation: of shape (n, 2, 3)."""
    azimuth, elevation = angles.T
    zero = np.zeros_like(azimuth)
    by_azimuth = np.stack([-np.cos(elevation) * np.sin(azimuth), np.cos(elevation) * np.cos(azimuth), zero], axis=1)
    by_elevation = np.stack(
        [-np.sin(elevation) * np.cos(azimuth), -np.sin(elevation) * np.sin(azimuth), np.cos(elevation)], axis=1
    )
    return np.stack([by_azimuth, by_elevation], axis=1)


def _robust_deviation(misfit: FloatArray, weight: FloatArray) -> float:
    """Judge the standard deviation of what counts by the median."""
    counted = np.abs(misfit[weight > 0])
    return 1.4826 * float(np.median(counted)) if counted.size else 0.0
