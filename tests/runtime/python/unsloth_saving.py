# SPDX-License-Identifier: Apache-2.0
"""save_pretrained_llcuda of what the real Unsloth trained, held to the trained model: usage: unsloth_saving.py
LLCUDA_EVAL OUT [FAMILY ...]     (needs `pip install unsloth` and the package llcuda; no GPU)

Each family is trained for three steps over a base in NF4, plain and nested, in 16 bits and in 8; what is not NF4, and a
base in NF4 too, is written in 16 bits. The interpreter's logits of the saved folder have to agree with the trained
model's to the normalised squared error of BOUNDS, and an engine made of it with llcuda.check. NF4 of
llcuda.quantization has to be bitsandbytes' to the bit. """
import json
import os
import pathlib
import subprocess
import sys

os.environ["HF_HUB_OFFLINE"] = "1"
import unsloth  # isort: skip  (patches the libraries below, so it comes first)
import bitsandbytes
import llcuda
import llcuda.unsloth
import peft
import torch
import transformers
from llcuda.quantization import quantize_nf4

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "e2e/Inputs"))
import tiny_models  # noqa: E402
from unsloth_folders import MODULES, opened, record, write_base  # noqa: E402

tiny_models.FEED_FORWARD = 128  # bitsandbytes 0.50 decodes rows wrongly on a processor that are no whole blocks of 64

FAMILIES = ["llama", "qwen2", "gemma3", "phi3"]
BOUNDS = {"nf4": 1e-6, "fp16": 1e-5}  # an adapter is merged into f16, which keeps 11 bits of a sum
HOW = {"device": "host", "targets": ("host",), "context": 64}
TEXT = "the quick brown fox jumps over the lazy dog and runs away"


def model_over(base, bits, nested):
    """Unsloth's loader, and for 8 bits and plain NF4 transformers' (Unsloth's NF4 is always nested)."""
    if bits == 8 or (bits == 4 and not nested):
        settings = transformers.BitsAndBytesConfig(load_in_8bit=True) if bits == 8 else transformers.BitsAndBytesConfig(
            load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_compute_dtype=torch.bfloat16)
        model = transformers.AutoModelForCausalLM.from_pretrained(base, quantization_config=settings, device_map="cpu")
        model = peft.get_peft_model(model, peft.LoraConfig(r=16, lora_alpha=16, target_modules=MODULES))
        return model, transformers.AutoTokenizer.from_pretrained(base)
    model, tokenizer = unsloth.FastLanguageModel.from_pretrained(
        str(base), max_seq_length=64, load_in_4bit=bits == 4, load_in_16bit=bits == 16, local_files_only=True)
    return unsloth.FastLanguageModel.get_peft_model(model, r=16, lora_alpha=16, target_modules=MODULES), tokenizer


def train(model, tokenizer):
    model.train()
    ids = torch.tensor([tokenizer(TEXT)["input_ids"]])
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=0.02)
    losses = []
    for _ in range(3):
        loss = model(input_ids=ids, labels=ids).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.item())
    assert losses[-1] < losses[0], losses


def trained_in_f32(base, model):
    """The same numbers in f32 without any rounding: bases dequantised, and the adapters' products added."""
    exact = opened(base)
    layers = dict(exact.named_modules())
    for name, module in model.get_base_model().named_modules():
        if name not in layers or not hasattr(module, "weight"):  # what PEFT wrapped has its own name
            continue
        layer = getattr(module, "base_layer", module)
        weight = layer.weight
        if isinstance(weight, bitsandbytes.nn.Params4bit):
            state, kept = weight.quant_state, weight.quant_state.dtype
            state.dtype = torch.float32
            layers[name].weight.data = bitsandbytes.functional.dequantize_4bit(weight.data, state).float()
            state.dtype = kept
        elif isinstance(weight, bitsandbytes.nn.Int8Params):
            scales = weight.SCB if weight.SCB is not None else layer.state.SCB
            layers[name].weight.data = weight.data.float() * scales.float().unsqueeze(1) / 127
        if hasattr(module, "get_delta_weight"):
            layers[name].weight.data += module.get_delta_weight("default").detach().float()
    return exact


def squared_error(evaluate, folder, recording):
    command = [evaluate, str(folder), "--logits", str(recording), "--json"]
    run = subprocess.run(command, capture_output=True, text=True)
    if run.returncode not in (0, 4):
        raise SystemExit(f"{' '.join(command)} ended with {run.returncode}: {run.stderr}")
    return json.loads(run.stdout.splitlines()[-1])["squared_error"]


def held(evaluate, out, family, kind, bits, nested, quantization):
    base, folder = out / family, out / f"{family}_{kind}"
    model, tokenizer = model_over(base, bits, nested)
    train(model, tokenizer)
    exact = trained_in_f32(base, model)

    model.save_pretrained_llcuda(folder, tokenizer, quantization)  # "nf4", "fp16", "gguf:Q4_K_M"
    llm, config = llcuda.unsloth.load_unsloth_model(folder, **HOW)
    with llm:
        parity = llcuda.check(exact, tokenizer, llm)

    assert config["_llcuda_quantization"] == quantization and config["_llcuda_adapter"] == "adapter", config
    recording = folder.with_suffix(".json")
    record(exact, recording)
    error = squared_error(evaluate, folder, recording)
    print(f"{folder.name}: {error:.3g}, at most {BOUNDS[quantization]:g}; {parity}", flush=True)
    return error <= BOUNDS[quantization] and bool(parity)


def opens_their_own(out, family):
    """What Unsloth's own savers write is opened too: the base of a LoRA alone is found by its name."""
    base, agree = out / family, True
    model, tokenizer = model_over(base, 16, False)
    train(model, tokenizer)
    exact = trained_in_f32(base, model)
    for method in ("lora", "merged_16bit"):
        folder = out / f"{family}_{method}"
        model.save_pretrained_merged(str(folder), tokenizer, save_method=method)
        llm, config = llcuda.unsloth.load_unsloth_model(folder, **HOW)
        with llm:
            parity = llcuda.check(exact, tokenizer, llm)
        assert config["architectures"], config
        print(f"{folder.name}: {parity}", flush=True)
        agree &= bool(parity)
    return agree


def differing_tensors(count):
    """Random ones of all kinds whose NF4, plain or nested, is not bit by bit what bitsandbytes makes."""
    differing = 0
    for seed in range(count):
        random = torch.Generator().manual_seed(seed)
        shape = torch.randint(1, 300, (2,), generator=random).tolist()
        kind = (torch.bfloat16, torch.float16, torch.float32)[seed % 3]
        weight, block, nested = (0.05 * torch.randn(shape, generator=random)).to(kind), 64 << seed % 4, seed % 2 == 1
        codes, state = bitsandbytes.functional.quantize_4bit(weight, quant_type="nf4", blocksize=block,
                                                             compress_statistics=nested)
        wanted = {"w": codes, **{f"w.{part}": tensor for part, tensor in state.as_dict(packed=True).items()}}
        found = quantize_nf4(weight, block, nested).state_dict("w")
        differing += {name: tensor.numpy().tobytes() for name, tensor in wanted.items()} != \
            {name: values.tobytes() for name, values in found.items()}
    return differing


def main(evaluate, out, families):
    differing = differing_tensors(200)
    print(f"NF4 of bitsandbytes and of llcuda.quantization: {differing} of 200 tensors differ", flush=True)
    passed = differing == 0
    for family in families:
        write_base(family, out / family)
        for kind, bits, nested, quantization in (("nf4", 4, False, "nf4"), ("nested", 4, True, "nf4"),
                                                 ("fp16", 16, False, "fp16"), ("widened", 4, True, "fp16"),
                                                 ("int8", 8, False, "fp16")):
            passed &= held(evaluate, out, family, kind, bits, nested, quantization)
        passed &= opens_their_own(out, family)
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], pathlib.Path(sys.argv[2]), sys.argv[3:] or FAMILIES))
