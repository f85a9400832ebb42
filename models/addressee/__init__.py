"""To whom utterances are said: dialogues around a robot, and the recipe of `hearing.attribution.addressee`."""
