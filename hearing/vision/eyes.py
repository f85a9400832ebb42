"""What a camera sees of people: who is where, and whose mouth speaks."""

from __future__ import annotations

from hearing.memory import PeopleStore
from hearing.vision.camera import Camera, Image
from hearing.vision.face import Sight
from hearing.vision.face_tracker import FaceTracker
from hearing.vision.gallery import FaceGallery
from hearing.vision.identity import FaceEncoder
from hearing.vision.lips import LipReader


class Eyes:
    """Follows the faces before a camera, recognises them, and reads their lips.

    Parameters
    ----------
    camera
        Its calibration.
    name
        Of the camera, put before the ids of its faces; needed if there are several.
    people
        Who is known from before; without, nobody is.

    Raises
    ------
    InputError
        If a network's file is not on this machine.
    """

    def __init__(self, camera: Camera, name: str = "", people: PeopleStore | None = None) -> None:
        self._tracker = FaceTracker(camera, name=name)
        encoder = FaceEncoder()
        self._gallery = FaceGallery(encoder, people.faces(encoder.name) if people else None)
        self._reader = LipReader()
        self.reset()

    @property
    def latency(self) -> float:
        """Seconds until a new face is seen; what faces do that are known is seen with their frame."""
        return self._tracker.latency + self._reader.latency

    def reset(self) -> None:
        """Start a new stream."""
        for stage in (self._tracker, self._gallery, self._reader):
            stage.reset()
        self._sight = Sight(0.0, (), ())

    def process(self, image: Image, time: float) -> Sight:
        """Look at the next frame.

        Parameters
        ----------
        image
            Blue, green, red: uint8 of shape (height, width, 3), as the camera's calibration says.
        time
            Stream time of the frame in seconds.

        Returns
        -------
        What is seen in it; for a frame that is not newer than the last one, the last sight again.

        Raises
        ------
        InputError
            If the image has another size or type, or the time is no number.
        """
        late = self._tracker.late
        followed = self._tracker.process(image, time)
        if self._tracker.late == late:
            faces = self._gallery.process(image, followed, time)
            people = {face.id: ratios for face in faces if (ratios := self._gallery.who(face.id))}
            self._sight = Sight(time, faces, self._reader.process(faces, time), people)
        return self._sight
