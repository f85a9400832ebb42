"""The pretrained networks that the project builds on; see README.md for the model cards."""
