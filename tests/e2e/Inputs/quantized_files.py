# SPDX-License-Identifier: Apache-2.0
"""Files of llcuda-quantize beside files of the same types by llama.cpp's quantiser: quantized_files.py BIN MODEL OUT
[TYPE ...]      (needs xllamacpp, gguf, numpy, and the package llcuda; no GPU)

MODEL, whatever its encoding, is made f16 first. Of each type llcuda-quantize makes a file, and ggml_quantize_chunk,
which xllamacpp's library exports, one with the same tensors in the same types. llama.cpp loads and runs each of ours;
the perplexity of a text, by llcuda's kernels on the processor, may be 1 % above that of the other file, and the squared
error of the tensors of the K encodings too."""
import ctypes
import math
import pathlib
import subprocess
import sys

import gguf
import llcuda
import numpy as np
import xllamacpp

TYPES = ("q8_0", "q4_0", "q4_k_m", "q5_k_m", "q6_k")
LIBRARY = ctypes.CDLL(str(next(pathlib.Path(xllamacpp.__file__).parent.glob("*.so"))))
LIBRARY.ggml_quantize_chunk.restype = ctypes.c_size_t
BYTE_EQUAL = ("F32", "F16", "Q8_0", "Q4_0", "Q4_1", "Q5_0", "Q5_1")
TEXT = """The Loire is the longest river in France. It rises in the mountains of the south-east, flows north for a while,
then turns west and reaches the Atlantic at Saint-Nazaire, more than a thousand kilometres from its source. Kings built
their castles along its valley, because the land is flat, the climate is mild, and the capital was never far away."""
CONTEXT = 128  # of which the text fills two thirds


def by_ggml(values, kind):
    """Blocks of ggml's quantiser."""
    values = np.ascontiguousarray(values, np.float32)
    elements, size = gguf.GGML_QUANT_SIZES[kind]
    blocks = np.zeros(values.size // elements * size, np.uint8)
    LIBRARY.ggml_quantize_chunk(int(kind), values.ctypes.data_as(ctypes.c_void_p), blocks.ctypes.data_as(ctypes.c_void_p),
                                ctypes.c_int64(0), ctypes.c_int64(values.size // values.shape[-1]),
                                ctypes.c_int64(values.shape[-1]), None)
    return blocks


def write_peer(ours, half, out):
    """Our file with the bytes of each encoded tensor in place of ours; how much worse our K encodings are at most, 0
    where all bytes are the same."""
    out.write_bytes(ours.read_bytes())
    reader, source = gguf.GGUFReader(out, "r+"), {tensor.name: tensor for tensor in gguf.GGUFReader(half).tensors}
    worst = 0.0
    for tensor in reader.tensors:
        before = source[tensor.name]
        if before.tensor_type == tensor.tensor_type:
            continue
        values = np.asarray(before.data, np.float32)
        blocks = by_ggml(values, tensor.tensor_type).reshape(tensor.data.shape)
        if tensor.tensor_type.name in BYTE_EQUAL:
            assert (blocks == tensor.data).all(), f"{tensor.name}: other bytes than ggml's {tensor.tensor_type.name}"
        else:
            errors = [((gguf.quants.dequantize(data, tensor.tensor_type).astype(np.float64) - values) ** 2).sum()
                      for data in (tensor.data, blocks)]
            worst = max(worst, errors[0] / errors[1])
        tensor.data[...] = blocks
    reader.data.flush()
    return worst


def runs_in_llama(file):
    parameters = xllamacpp.CommonParams()
    parameters.model.path, parameters.n_ctx, parameters.verbosity = str(file), 256, -1
    parameters.cpuparams.n_threads = parameters.cpuparams_batch.n_threads = 2
    answer = xllamacpp.Server(parameters).handle_completions(
        {"prompt": "The capital of France is", "max_tokens": 8, "temperature": 0})
    text = answer["choices"][0]["text"] if "choices" in answer else answer["content"]
    assert "Paris" in text, (file, text)
    return text


def perplexity(file):
    with llcuda.LLM(file, device="host", targets=("host",), context=CONTEXT, golden="none") as llm:
        first, rest = TEXT.split(" ", 1)
        likely = llm.logprobs(first, " " + rest)
    return math.exp(-sum(token.logprob for token in likely) / len(likely))


def main(binaries, model, out, types):
    out.mkdir(parents=True, exist_ok=True)

    def quantize(*arguments):
        subprocess.run([binaries / "llcuda-quantize", *arguments, "--force"], check=True, stderr=subprocess.DEVNULL)

    half = out / "f16.gguf"
    quantize(model, half, "f16", "--allow-requantize")
    failed = False
    for kind in types:
        ours, theirs = out / f"{kind}.gguf", out / f"{kind}.ggml.gguf"
        quantize(half, ours, kind)
        worst = write_peer(ours, half, theirs)
        said = runs_in_llama(ours)
        mine = perplexity(ours)
        peer = perplexity(theirs) if worst > 0 else mine  # the same file
        print(f"{kind}: perplexity {mine:.4f}, of ggml's file {peer:.4f}, ratio {mine / peer:.4f}; squared error of a tensor "
              f"at most {worst:.4f} of ggml's; llama.cpp says {said!r}", flush=True)
        failed |= mine > 1.01 * peer or worst > 1.01
    return failed


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1]), sys.argv[2], pathlib.Path(sys.argv[3]), sys.argv[4:] or TYPES))
