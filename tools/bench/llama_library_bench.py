#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""llama-bench for a llama.cpp that comes as libraries alone: the same flags, JSON, calls and clock.

usage: llama_library_bench.py --libraries DIR -m MODEL.gguf [-p 512] [-n 128] [-d 0] [-r 5] [-ngl 99] [-fa 1]

As llama-bench does: a context of just the positions that the test needs, batches of 2048 and 512, random tokens; one
run of the prompt or one token to warm up; in each repetition the cache is cleared and filled to the depth, then the
clock runs while a prompt is processed, or tokens are decoded one by one and waited for. One difference: the depth is
computed anew in each repetition, where llama-bench copies it back. That is not timed in either.
"""
import argparse
import ctypes
import glob
import json
import os
import random
import statistics
import sys
import time

DEVICE_GPU = 1  # GGML_BACKEND_DEVICE_TYPE_GPU
BATCH = 2048
# What the CUDA backend is linked with, in the order of loading.
CUDA_LIBRARIES = ["libcudart.so.12", "libcublasLt.so.12", "libcublas.so.12"]


class BenchError(Exception):
    pass


# The parameters begin alike in all builds since b11434; the rest of them is passed on as it comes.
class ModelParams(ctypes.Structure):
    _fields_ = [("devices", ctypes.c_void_p), ("overrides", ctypes.c_void_p), ("n_gpu_layers", ctypes.c_int32),
                ("rest", ctypes.c_byte * 500)]


class ContextParams(ctypes.Structure):
    _fields_ = [("n_ctx", ctypes.c_uint32), ("n_batch", ctypes.c_uint32), ("n_ubatch", ctypes.c_uint32),
                ("n_seq_max", ctypes.c_uint32), ("between", ctypes.c_byte * 36), ("flash_attn_type", ctypes.c_int32),
                ("rest", ctypes.c_byte * 456)]


class Batch(ctypes.Structure):
    _fields_ = [("n_tokens", ctypes.c_int32), ("token", ctypes.c_void_p), ("embd", ctypes.c_void_p), ("pos", ctypes.c_void_p),
                ("n_seq_id", ctypes.c_void_p), ("seq_id", ctypes.c_void_p), ("logits", ctypes.c_void_p)]


POINTER, INT, TEXT = ctypes.c_void_p, ctypes.c_int32, ctypes.c_char_p
# name: (result, arguments)
LLAMA = {
    "llama_backend_init": (None, []),
    "llama_version": (TEXT, []),
    "llama_model_default_params": (ModelParams, []),
    "llama_context_default_params": (ContextParams, []),
    "llama_model_load_from_file": (POINTER, [TEXT, ModelParams]),
    "llama_init_from_model": (POINTER, [POINTER, ContextParams]),
    "llama_free": (None, [POINTER]),
    "llama_model_get_vocab": (POINTER, [POINTER]),
    "llama_vocab_n_tokens": (INT, [POINTER]),
    "llama_get_memory": (POINTER, [POINTER]),
    "llama_memory_clear": (None, [POINTER, ctypes.c_bool]),
    "llama_batch_get_one": (Batch, [POINTER, INT]),
    "llama_decode": (INT, [POINTER, Batch]),
    "llama_synchronize": (None, [POINTER]),
}
GGML = {
    "ggml_backend_load": (POINTER, [TEXT]),
    "ggml_backend_dev_count": (ctypes.c_size_t, []),
    "ggml_backend_dev_get": (POINTER, [ctypes.c_size_t]),
}
GGML_BASE = {"ggml_backend_dev_type": (INT, [POINTER]), "ggml_backend_dev_description": (TEXT, [POINTER])}


def declare(library, functions):
    for name, (result, arguments) in functions.items():
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    return library


def preload_cuda():
    """CUDA's libraries, from the loader's folders or from Python's packages; the backend finds them loaded."""
    for name in CUDA_LIBRARIES:
        places = [name, *(path for folder in sys.path for path in glob.glob(os.path.join(folder, "nvidia/*/lib", name)))]
        for place in places:
            try:
                ctypes.CDLL(place, ctypes.RTLD_GLOBAL)
                break
            except OSError:
                continue
        else:
            raise BenchError(f"{name} is not installed: pip install nvidia-cuda-runtime-cu12 nvidia-cublas-cu12")


class Llama:
    def __init__(self, folder, gpu):
        def path(pattern, unlike=()):
            found = [path for path in sorted(glob.glob(os.path.join(folder, pattern + "*.so*")))
                     if not os.path.basename(path).startswith(tuple(unlike))]
            if not found:
                raise BenchError(f"{folder}: holds no {pattern}*.so")
            return os.path.abspath(found[0])

        base = ctypes.CDLL(path("libggml-base"), ctypes.RTLD_GLOBAL)
        ggml = ctypes.CDLL(path("libggml", ["libggml-base", "libggml-cpu", "libggml-cuda"]), ctypes.RTLD_GLOBAL)
        self.base, self.ggml = declare(base, GGML_BASE), declare(ggml, GGML)
        self.api = declare(ctypes.CDLL(path("libllama")), LLAMA)
        if gpu:
            preload_cuda()
        for backend in (["libggml-cuda"] if gpu else []) + ["libggml-cpu"]:
            if not self.ggml.ggml_backend_load(path(backend).encode()):
                raise BenchError(f"{path(backend)} cannot be loaded")
        self.api.llama_backend_init()
        self.device = self.first_device(gpu)

    def first_device(self, gpu):
        for i in range(self.ggml.ggml_backend_dev_count()):
            device = self.ggml.ggml_backend_dev_get(i)
            if not gpu or self.base.ggml_backend_dev_type(device) == DEVICE_GPU:
                return self.base.ggml_backend_dev_description(device).decode()
        raise BenchError("llama.cpp finds no GPU")

    def load(self, path, gpu_layers):
        params = self.api.llama_model_default_params()
        params.n_gpu_layers = gpu_layers
        model = self.api.llama_model_load_from_file(path.encode(), params)
        if not model:
            raise BenchError(f"{path}: llama.cpp cannot load it")
        return model

    def context_params(self):
        params = self.api.llama_context_default_params()
        seen = (params.n_ctx, params.n_batch, params.n_ubatch, params.n_seq_max, params.flash_attn_type)
        if seen != (512, 2048, 512, 1, -1):
            raise BenchError(f"llama_context_params of this build look different: {seen}")
        return params


class Context:
    """As many positions as a test needs."""

    def __init__(self, llama, model, positions, flash_attention):
        self.api = llama.api
        self.vocabulary = self.api.llama_vocab_n_tokens(self.api.llama_model_get_vocab(model))
        params = llama.context_params()
        params.n_ctx = positions
        params.flash_attn_type = flash_attention
        self.handle = self.api.llama_init_from_model(model, params)
        if not self.handle:
            raise BenchError(f"llama.cpp makes no context of {positions} positions")

    def free(self):
        self.api.llama_free(self.handle)

    def decode(self, tokens):
        array = (INT * len(tokens))(*tokens)
        if result := self.api.llama_decode(self.handle, self.api.llama_batch_get_one(array, len(tokens))):
            raise BenchError(f"llama_decode returns {result}")

    def random_tokens(self, count):
        return [random.randrange(self.vocabulary) for _ in range(count)]

    def clear(self):
        self.api.llama_memory_clear(self.api.llama_get_memory(self.handle), False)

    def prompt(self, count):
        tokens = self.random_tokens(count)
        for start in range(0, count, BATCH):
            self.decode(tokens[start:start + BATCH])
        self.api.llama_synchronize(self.handle)

    def generate(self, count):
        for token in self.random_tokens(count):
            self.decode([token])
            self.api.llama_synchronize(self.handle)


def measure(context, prompt, generate, depth, repetitions):
    """Nanoseconds of each repetition."""
    if prompt:
        context.prompt(prompt)
    if generate:
        context.generate(1)
    samples = []
    for _ in range(repetitions):
        context.clear()
        if depth:
            context.prompt(depth)
        start = time.perf_counter_ns()
        if prompt:
            context.prompt(prompt)
        if generate:
            context.generate(generate)
        samples.append(time.perf_counter_ns() - start)
    return samples


def row(llama, options, prompt, generate, samples):
    speeds = [(prompt + generate) * 1e9 / sample for sample in samples]

    def deviation(values):
        return statistics.stdev(values) if len(values) > 1 else 0

    return {"build_version": llama.api.llama_version().decode(), "gpu_info": llama.device, "model_filename": options.model,
            "n_gpu_layers": options.gpu_layers, "flash_attn": options.flash_attention, "n_prompt": prompt, "n_gen": generate,
            "n_depth": options.depth, "avg_ns": statistics.mean(samples), "stddev_ns": deviation(samples),
            "avg_ts": statistics.mean(speeds), "stddev_ts": deviation(speeds), "samples_ns": samples, "samples_ts": speeds}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--libraries", required=True, help="folder of libllama, libggml and its backends")
    parser.add_argument("-m", dest="model", required=True)
    parser.add_argument("-p", dest="prompt", type=int, default=512)
    parser.add_argument("-n", dest="generate", type=int, default=128)
    parser.add_argument("-d", dest="depth", type=int, default=0)
    parser.add_argument("-r", dest="repetitions", type=int, default=5)
    parser.add_argument("-ngl", dest="gpu_layers", type=int, default=99, help="0: on the processor")
    parser.add_argument("-fa", dest="flash_attention", type=int, choices=[0, 1], default=1)
    parser.add_argument("-o", dest="output", choices=["json"], default="json")
    options = parser.parse_args()
    rows = []
    try:
        llama = Llama(options.libraries, gpu=options.gpu_layers != 0)
        model = llama.load(options.model, options.gpu_layers)
        for prompt, generate in ((options.prompt, 0), (0, options.generate)):
            if prompt or generate:
                context = Context(llama, model, prompt + generate + options.depth, options.flash_attention)
                samples = measure(context, prompt, generate, options.depth, options.repetitions)
                context.free()
                rows.append(row(llama, options, prompt, generate, samples))
    except BenchError as error:
        print(f"llama_library_bench: {error}", file=sys.stderr)
        return 1
    print(json.dumps(rows, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
