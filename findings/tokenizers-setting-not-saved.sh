#!/usr/bin/env bash
# tokenizers 0.23.3: `encode_special_tokens = True`, with which a server keeps what a user types from becoming a special
# token ("[SEP]", an end of turn), is not in tokenizer.json, nor in a pickle or a deep copy. Truncation and padding are.
# A tokenizer that a worker process gets by pickle, or a server reads from its file, reads user text as control tokens again.
# Seen: "hello [SEP]" is hello, [, SEP, ] before and hello, [SEP] after.
# Exits 1 if that changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check "tokenizers==0.23.3"
"$folder/venv/bin/python" - <<'PYTHON'
import copy
import pickle

from tokenizers import Tokenizer
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import Whitespace
from tokenizers.trainers import BpeTrainer

tokenizer = Tokenizer(BPE(unk_token="[UNK]"))
tokenizer.pre_tokenizer = Whitespace()
trainer = BpeTrainer(special_tokens=["[UNK]", "[SEP]"], show_progress=False)
tokenizer.train_from_iterator(["hello world [SEP]"] * 5, trainer)
tokenizer.encode_special_tokens = True
tokenizer.enable_truncation(9)
tokenizer.enable_padding(length=4)
before = tokenizer.encode("hello [SEP]").tokens
print("before:", before)
assert before == ["hello", "[", "SEP", "]"]
copies = {
    "tokenizer.json": Tokenizer.from_str(tokenizer.to_str()),
    "pickle": pickle.loads(pickle.dumps(tokenizer)),
    "deepcopy": copy.deepcopy(tokenizer),
}
for name, back in copies.items():
    after = back.encode("hello [SEP]").tokens
    print(f"{name}: {after}")
    assert not back.encode_special_tokens and after[:2] == ["hello", "[SEP]"]
    assert (back.truncation, back.padding) == (tokenizer.truncation, tokenizer.padding)
    back.encode_special_tokens = True
    assert back.encode("hello [SEP]").tokens == before
PYTHON
