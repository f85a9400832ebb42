"""What answers: commands of a grammar, a language model, or both."""
