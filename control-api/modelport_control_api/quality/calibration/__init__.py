"""What a version's probabilities are worth: how often a class was true that was given such a probability."""
