"""What `hearing bench` measures: parts of the system by themselves, on simulated scenes whose truth is known."""
