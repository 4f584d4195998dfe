"""Keras files and TensorFlow SavedModels on TensorFlow."""
