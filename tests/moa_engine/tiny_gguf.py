"""A language model of 1.3 MB that says what a test wants, for trying out what runs real ones.

It is a llama of one block whose attention and feed-forward weights are all zero, so that the next
token depends on the last one only. Embeddings are one-hot, and the output matrix says which character
follows which: with the chain "?yes\n" a prompt that ends in "?" is answered with "yes".
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path

_SPACE = "\u2581"  # as SentencePiece writes it
_TOKENS = [
    *("<unk>", "<s>", "</s>"),
    *(f"<0x{byte:02X}>" for byte in range(256)),
    _SPACE,
    *map(chr, range(33, 127)),
]
_KINDS = [2, 3, 3] + [6] * 256 + [1] * 95  # unknown, control, bytes, normal
_SIZE, _HEAD, _END = len(_TOKENS), 32, 2
_U32, _F32, _STRING, _ARRAY, _I32 = 4, 6, 8, 9, 5


def write_tiny_gguf(path: Path, *chains: str) -> Path:
    """Write the model; each character of a chain is followed by the next one, "\n" ends the answer.

    The format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md.
    """
    follows = {(_token(after), _token(before)) for chain in chains for before, after in pairwise(chain)}
    fields = [
        _field("general.architecture", _STRING, _text("llama")),
        _field("tokenizer.ggml.model", _STRING, _text("llama")),
        _field("tokenizer.ggml.tokens", _ARRAY, _array(_STRING, map(_text, _TOKENS))),
        _field("tokenizer.ggml.scores", _ARRAY, _array(_F32, [struct.pack("<f", 0)] * _SIZE)),
        _field(
            "tokenizer.ggml.token_type", _ARRAY, _array(_I32, (struct.pack("<i", kind) for kind in _KINDS))
        ),
        _field(
            "tokenizer.chat_template", _STRING, _text("{% for m in messages %}{{ m.content }}{% endfor %}")
        ),
        _field("llama.attention.layer_norm_rms_epsilon", _F32, struct.pack("<f", 1e-5)),
    ]
    numbers = {
        "llama.context_length": 131_072,
        "llama.embedding_length": _SIZE,
        "llama.block_count": 1,
        "llama.feed_forward_length": _HEAD,
        "llama.attention.head_count": 1,
        "llama.attention.key_length": _HEAD,
        "llama.attention.value_length": _HEAD,
        "llama.rope.dimension_count": _HEAD,
        "tokenizer.ggml.bos_token_id": 1,
        "tokenizer.ggml.eos_token_id": _END,
    }
    fields += [_field(key, _U32, struct.pack("<I", value)) for key, value in numbers.items()]
    ones = struct.pack(f"<{_SIZE}f", *[1.0] * _SIZE)
    tensors: dict[str, tuple[tuple[int, ...], bytes]] = {
        "token_embd.weight": ((_SIZE, _SIZE), _matrix(_SIZE, _SIZE, {(n, n) for n in range(_SIZE)})),
        "output.weight": ((_SIZE, _SIZE), _matrix(_SIZE, _SIZE, follows)),
    }
    for name in ("output_norm", "blk.0.attn_norm", "blk.0.ffn_norm"):
        tensors[f"{name}.weight"] = ((_SIZE,), ones)
    for name in ("attn_q", "attn_k", "attn_v", "ffn_gate", "ffn_up"):
        tensors[f"blk.0.{name}.weight"] = ((_SIZE, _HEAD), _matrix(_HEAD, _SIZE))
    for name in ("attn_output", "ffn_down"):
        tensors[f"blk.0.{name}.weight"] = ((_HEAD, _SIZE), _matrix(_SIZE, _HEAD))
    head = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(fields)) + b"".join(fields)
    data = b""
    for name, (shape, values) in tensors.items():
        head += _text(name) + struct.pack("<I", len(shape)) + struct.pack(f"<{len(shape)}Q", *shape)
        head += struct.pack("<IQ", 0, len(data))
        data += _aligned(values)
    path.write_bytes(_aligned(head) + data)
    return path


def _token(character: str) -> int:
    return _END if character == "\n" else _TOKENS.index(_SPACE if character == " " else character)


def _text(text: str) -> bytes:
    return struct.pack("<Q", len(text.encode())) + text.encode()


def _field(key: str, kind: int, value: bytes) -> bytes:
    return _text(key) + struct.pack("<I", kind) + value


def _array(kind: int, values: Iterable[bytes]) -> bytes:
    packed = list(values)
    return struct.pack("<IQ", kind, len(packed)) + b"".join(packed)


def _matrix(rows: int, columns: int, ones: Iterable[tuple[int, int]] = ()) -> bytes:
    data = bytearray(rows * columns * 4)
    for row, column in ones:
        struct.pack_into("<f", data, (row * columns + column) * 4, 1.0)
    return bytes(data)


def _aligned(data: bytes) -> bytes:
    return data + b"\0" * (-len(data) % 32)
