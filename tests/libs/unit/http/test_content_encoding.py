"""Compressed bodies come out as they went in, or with the status that says why not, within the bound."""

import gzip
import os
import tracemalloc
import zlib

import pytest
from modelport_http.content_encoding import Undecodable, deflate, inflate

BODY = b'{"input": [5.1, 3.5, 1.4, 0.2]}' * 30


def raw_deflate(body: bytes) -> bytes:
    squeezer = zlib.compressobj(wbits=-15)
    return squeezer.compress(body) + squeezer.flush()


@pytest.mark.parametrize(
    ("encoding", "sent"),
    [
        ("gzip", gzip.compress(BODY)),
        ("GZIP ", gzip.compress(BODY)),
        ("x-gzip", gzip.compress(BODY, 1)),
        ("gzip", gzip.compress(BODY[:40]) + gzip.compress(BODY[40:])),
        ("deflate", zlib.compress(BODY)),
        ("deflate", zlib.compress(BODY, 9)),
        ("deflate", raw_deflate(BODY)),
        ("identity", BODY),
    ],
)
def test_what_was_compressed_comes_out_as_it_went_in(encoding: str, sent: bytes) -> None:
    assert inflate(sent, encoding, len(BODY)) == BODY


@pytest.mark.parametrize(
    ("encoding", "sent", "status"),
    [
        ("gzip", BODY, 400),
        ("gzip", b"", 400),
        ("gzip", gzip.compress(BODY)[:-9], 400),
        ("gzip", gzip.compress(BODY)[:-1] + b"x", 400),
        ("gzip", gzip.compress(BODY) + b"more", 400),
        ("gzip", gzip.compress(b"") * 17, 400),
        ("gzip", zlib.compress(BODY), 400),
        ("deflate", b"", 400),
        ("deflate", gzip.compress(BODY), 400),
        ("deflate", zlib.compress(BODY)[:-5], 400),
        ("deflate", zlib.compress(BODY) * 2, 400),
        ("br", BODY, 415),
        ("gzip, deflate", gzip.compress(zlib.compress(BODY)), 415),
        ("\xff" * 5000, BODY, 415),
    ],
)
def test_a_broken_stream_is_400_and_another_encoding_415(encoding: str, sent: bytes, status: int) -> None:
    with pytest.raises(Undecodable) as refused:
        inflate(sent, encoding, 10_000)
    assert refused.value.status == status
    assert len(refused.value.detail) < 200


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_what_inflates_beyond_the_bound_is_413_and_never_held(encoding: str) -> None:
    size = 50_000_000
    sent = gzip.compress(bytes(size)) if encoding == "gzip" else zlib.compress(bytes(size))
    tracemalloc.start()
    with pytest.raises(Undecodable) as refused:
        inflate(sent, encoding, 1_000_000)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert refused.value.status == 413
    assert peak < 8_000_000


def test_the_bound_is_the_last_size_that_is_taken() -> None:
    body = os.urandom(1000)
    assert inflate(gzip.compress(body), "gzip", 1000) == body
    with pytest.raises(Undecodable):
        inflate(gzip.compress(body), "gzip", 999)


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_a_response_comes_out_of_what_it_was_compressed_to(encoding: str) -> None:
    assert inflate(deflate(BODY, encoding), encoding, len(BODY)) == BODY
