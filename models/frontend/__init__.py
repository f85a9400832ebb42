"""Networks of the front end: which bins are speech, and which are the talker in one direction."""
