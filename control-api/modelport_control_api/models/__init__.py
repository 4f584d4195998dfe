"""Models and their versions: what people upload, change, shift traffic between and delete."""
