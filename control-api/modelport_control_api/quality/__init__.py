"""How good a model's predictions were: what was predicted beside what turned out to be true."""
