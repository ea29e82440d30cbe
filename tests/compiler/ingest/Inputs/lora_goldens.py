# SPDX-License-Identifier: Apache-2.0
"""Adapters as PEFT saves them, and what PEFT's merge adds to a tiny model.

usage: lora_goldens.py FOLDER     writes lora/<adapter>/ and lora.txt there; needs torch, transformers and peft

A line of lora.txt: adapter, weight, "adds" or "becomes", and the products of a matrix's rows with the probe of the
test. The matrix is what the merge added to the weight, or what the weight became where the adapter brings all of it.
Adapters are trained with float32; their files hold float16, rounded before the merge.
"""
import json
import pathlib
import sys

import peft
import torch
import transformers
from safetensors.torch import load_file, save_file

CONFIG = dict(hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2,
              vocab_size=40, max_position_embeddings=64)
LINEARS = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
ADAPTERS = {
    "linears": dict(r=4, lora_alpha=8, target_modules=LINEARS, layers_to_transform=[0]),
    "patterns": dict(r=2, lora_alpha=3, use_rslora=True, target_modules=["q_proj", "v_proj", "down_proj"],
                     rank_pattern={"q_proj": 4}, alpha_pattern={"layers.1.mlp.down_proj": 5}, fan_in_fan_out=True),
    "whole": dict(r=2, lora_alpha=2, target_modules=["k_proj"], modules_to_save=["lm_head", "norm"], bias="none"),
    "tokens": dict(r=2, lora_alpha=4, target_modules=["embed_tokens", "lm_head"]),
    "resized": dict(r=2, lora_alpha=2, target_modules=["v_proj"], modules_to_save=["embed_tokens", "lm_head"],
                    layers_to_transform=[1]),
}
ADDED_TOKENS = {"resized": 3}


def probe(columns):
    return torch.tensor([((c * 7 + 3) % 11 - 5) / 4 for c in range(columns)], dtype=torch.float64)


def model(adapter):
    torch.manual_seed(1)
    made = transformers.LlamaForCausalLM(transformers.LlamaConfig(**CONFIG)).float()
    if adapter in ADDED_TOKENS:
        made.resize_token_embeddings(CONFIG["vocab_size"] + ADDED_TOKENS[adapter])
    return made


def randomise(wrapped):
    """Trained-looking values, each one that float16 holds."""
    torch.manual_seed(2)
    for name, parameter in wrapped.named_parameters():
        if "lora_" in name or "modules_to_save" in name:
            parameter.data = (torch.randn_like(parameter) * 0.3).half().float()


def save(wrapped, folder):
    wrapped.save_pretrained(folder, save_embedding_layers=False)
    (folder / "README.md").unlink(missing_ok=True)
    file = folder / "adapter_model.safetensors"
    save_file({name: tensor.half() for name, tensor in load_file(file).items()}, file, {"format": "pt"})
    config = json.loads((folder / "adapter_config.json").read_text())
    (folder / "adapter_config.json").write_text(json.dumps(config, indent=1, sort_keys=True) + "\n")


def lines(adapter, base, merged):
    before = base.state_dict()
    for name, after in merged.state_dict().items():
        if torch.equal(before[name], after):
            continue
        whole = adapter in ("whole", "resized") and "_proj" not in name
        matrix = after if whole else after.double() - before[name].double()
        products = torch.atleast_2d(matrix.double()) @ probe(matrix.shape[-1])
        yield f"{adapter} {name} {'becomes' if whole else 'adds'} " + " ".join(f"{p:.6g}" for p in products)


def main():
    folder = pathlib.Path(sys.argv[1])
    text = []
    for adapter, settings in ADAPTERS.items():
        wrapped = peft.get_peft_model(model(adapter), peft.LoraConfig(task_type="CAUSAL_LM", **settings))
        randomise(wrapped)
        save(wrapped, folder / "lora" / adapter)
        text += lines(adapter, model(adapter), wrapped.merge_and_unload())
    (folder / "lora.txt").write_text("\n".join(text) + "\n")


main()
