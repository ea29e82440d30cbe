# SPDX-License-Identifier: Apache-2.0
"""Tiny random models as the real Unsloth saves them after a fine-tune, and what transformers and PEFT answer with them.

usage: unsloth_folders.py OUT [FAMILY ...]     (needs `pip install unsloth`, no GPU)

For each family of tiny_models.py: OUT/<family>, the model that is trained, in bf16; OUT/<family>_lora, its adapter
alone; OUT/<family>_merged_16bit, the merged model. The logits of the latter two in f32, as llcuda-eval --logits reads
them, are in files of the same names with .json; no merge has rounded those of the adapter.
"""
import json
import os
import pathlib
import shutil
import sys

os.environ["HF_HUB_OFFLINE"] = "1"
import unsloth  # isort: skip  (patches the libraries below, so it comes first)
import numpy as np
import peft
import tiny_models
import torch
import transformers

POSITIONS = [0, 5, 17, 39]
MODULES = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
FAMILIES = ["llama", "mistral", "smollm3", "granite", "qwen2", "qwen3", "phi3", "gemma", "gemma2", "gemma3"]


def opened(folder):
    return transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager")


def write_base(family, folder):
    tiny_models.Model(family).write_folder(folder)
    model = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.bfloat16)
    shutil.rmtree(folder)
    model.save_pretrained(folder)
    for file in (pathlib.Path(__file__).parent / "tokenizer").iterdir():
        shutil.copy(file, folder)


def trained(model):
    """An adapter of rank 16 on every linear, with values as of a training that went on for a while."""
    model = unsloth.FastLanguageModel.get_peft_model(model, r=16, lora_alpha=16, target_modules=MODULES)
    random = torch.Generator().manual_seed(5)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "lora_B" in name:
                parameter.copy_(0.05 * torch.randn(parameter.shape, generator=random))
    return model


def record(model, path):
    tokens = np.random.default_rng(7).integers(0, tiny_models.VOCABULARY, POSITIONS[-1] + 1).tolist()
    with torch.no_grad():
        logits = model.eval()(torch.tensor([tokens])).logits[0].double()
    rows = (logits - logits.mean(dim=-1, keepdim=True))[POSITIONS].tolist()
    path.write_text(json.dumps({"tokens": tokens, "positions": POSITIONS, "logits": rows}))


def main(out, families):
    for family in families:
        base, adapter, merged = (out / (family + end) for end in ("", "_lora", "_merged_16bit"))
        write_base(family, base)
        model, tokenizer = unsloth.FastLanguageModel.from_pretrained(
            str(base), max_seq_length=tiny_models.CONTEXT, load_in_4bit=False, load_in_16bit=True, local_files_only=True)
        model = trained(model)
        model.save_pretrained_merged(str(adapter), tokenizer, save_method="lora")
        model.save_pretrained_merged(str(merged), tokenizer, save_method="merged_16bit")
        record(peft.PeftModel.from_pretrained(opened(base), str(adapter)), out / f"{adapter.name}.json")
        record(opened(merged), out / f"{merged.name}.json")
        print(family, flush=True)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]), sys.argv[2:] or FAMILIES)
