# SPDX-License-Identifier: Apache-2.0
"""check_model.py SOURCE MADE TYPE [--experts N] [--tied] [--weighted]: the made file against the source, by the gguf
package: metadata, types by llama.cpp's choice, bytes by the package's own quantisers where it has them, and errors of
the others."""
import argparse

import gguf
import numpy as np

LAYERS = 8
FILE_TYPES = {"f16": 1, "q4_0": 2, "q8_0": 7, "q4_k_m": 15, "q5_k_m": 17, "q6_k": 18}
SMALLER = {"Q4_K": "Q5_0", "Q5_K": "Q5_1", "Q6_K": "Q8_0"}
# The squared error of normal values over their squares, a little above ggml's.
ERRORS = {"Q4_K": 0.0053, "Q5_K": 0.00132, "Q6_K": 0.00033}


def wanted_type(name, columns, given):
    """llama.cpp's choice, written down from what it does."""
    layer = int(name.split(".")[1]) if name.startswith("blk.") else 0
    more = layer < LAYERS // 8 or layer >= 7 * LAYERS // 8 or (layer - LAYERS // 8) % 3 == 2
    head = name == ("token_embd.weight" if given.tied else "output.weight")
    kind = {"f16": "F16", "q8_0": "Q8_0", "q4_0": "Q4_0", "q4_k_m": "Q4_K", "q5_k_m": "Q5_K", "q6_k": "Q6_K"}[given.type]
    if given.type in ("q4_0", "q4_k_m", "q5_k_m") and head:
        kind = "Q6_K"
    elif given.type != "f16" and given.experts == 8 and ("attn_v" in name or "attn_k." in name):
        kind = "Q8_0"
    elif given.type == "q4_k_m" and given.experts == 8 and "attn_output" in name:
        kind = "Q5_K"
    elif given.type in ("q4_k_m", "q5_k_m") and "attn_qkv" in name:
        kind = {"q4_k_m": "Q5_K", "q5_k_m": "Q6_K"}[given.type]
    elif given.type in ("q4_k_m", "q5_k_m") and more and ("attn_v" in name or "ffn_down" in name):
        kind = "Q6_K"
    elif given.type == "q4_0" and given.weighted and "ffn_down." in name and layer < LAYERS // 8:
        kind = "Q4_1"
    while columns % gguf.GGML_QUANT_SIZES[gguf.GGMLQuantizationType[kind]][0]:
        kind = SMALLER.get(kind, "F16")
    return kind


def stays(tensor):
    name = tensor.name
    return len(tensor.shape) < 2 or not name.endswith(".weight") or "norm" in name or "ffn_gate_inp" in name


def check_tensor(source, made, given):
    assert made.name == source.name and list(made.shape) == list(source.shape), (made.name, made.shape)
    if stays(source):
        assert made.tensor_type == source.tensor_type and (made.data == source.data).all(), made.name
        return
    kind = wanted_type(source.name, int(source.shape[0]), given)
    assert made.tensor_type.name == kind, f"{made.name} is {made.tensor_type.name}, llama.cpp makes it {kind}"
    values = np.ascontiguousarray(source.data, np.float32)
    weighted = given.weighted and kind in ("Q4_0", "Q5_0", "Q4_K", "Q5_K", "Q6_K")
    if kind == "F16":
        assert (made.data == values.astype(np.float16)).all(), made.name
    elif kind not in ERRORS and not weighted:
        wanted = gguf.quants.quantize(values, made.tensor_type)
        assert made.data.tobytes() == wanted.tobytes(), f"{made.name}: other bytes than the gguf package's {kind}"
    else:
        error = (gguf.quants.dequantize(made.data, made.tensor_type).astype(np.float64) - values) ** 2
        if weighted:
            columns = error.reshape(-1, error.shape[-1]).mean(0)
            heavy = np.arange(error.shape[-1]) % 4 == 0
            assert columns[heavy].mean() < 0.9 * columns[~heavy].mean(), f"{made.name}: the matrix changes nothing"
        else:
            relative = error.sum() / (values.astype(np.float64) ** 2).sum()
            assert relative < ERRORS[kind], f"{made.name}: error {relative} of {kind}"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("source")
    parser.add_argument("made")
    parser.add_argument("type")
    parser.add_argument("--experts", type=int, default=0)
    parser.add_argument("--tied", action="store_true")
    parser.add_argument("--weighted", action="store_true")
    given = parser.parse_args()
    source, made = gguf.GGUFReader(given.source), gguf.GGUFReader(given.made)
    values = {name: field.contents() for name, field in source.fields.items()}
    found = {name: field.contents() for name, field in made.fields.items()}
    assert found.pop("general.file_type") == FILE_TYPES[given.type]
    assert found.pop("general.quantization_version") == 2
    matrix = {name: found.pop(name) for name in list(found) if name.startswith("quantize.imatrix.")}
    assert not given.weighted or (matrix["quantize.imatrix.chunks_count"] == 3
                                  and matrix["quantize.imatrix.dataset"] == "some text.txt"), matrix
    for counted in ("general.file_type", "GGUF.kv_count"):
        values.pop(counted, None), found.pop(counted, None)
    assert values == found, (values, found)
    assert len(source.tensors) == len(made.tensors)
    for before, after in zip(source.tensors, made.tensors):
        check_tensor(before, after, given)
    print(f"{given.type}: {len(made.tensors)} tensors as llama.cpp makes them")


if __name__ == "__main__":
    main()
