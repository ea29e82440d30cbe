# SPDX-License-Identifier: Apache-2.0
"""Small tokenizers of Hugging Face folders, trained on mixed_text.py, and what the reference libraries say of them.

hf_goldens.py make FOLDER    writes the folders and goldens.json (needs the tokenizers and sentencepiece packages)
hf_goldens.py check FOLDER   compares goldens.json with tokenize_lines
"""
import hashlib
import io
import json
import pathlib
import subprocess
import sys

import mixed_text

LINES = 2000
ADDED = ["<s>", "</s>", "<|im_start|>", "<|im_end|>"]


def digest(ids):
    return hashlib.sha256(json.dumps(ids, separators=(",", ":")).encode()).hexdigest()


def corpus():
    return mixed_text.lines(1500, seed=9)


def byte_level():
    """As Llama 3, Qwen and SmolLM: bytes as letters, digits in threes, BOS by the post-processor."""
    from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, processors, trainers
    tokenizer = Tokenizer(models.BPE())
    split = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(split), "isolated"),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(vocab_size=420, special_tokens=ADDED, show_progress=False,
                                  initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
    tokenizer.train_from_iterator(corpus(), trainer)
    tokenizer.add_tokens([AddedToken("    ", normalized=False), AddedToken("<tool>", rstrip=True)])
    tokenizer.post_processor = processors.Sequence([
        processors.ByteLevel(trim_offsets=False),
        processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", tokenizer.token_to_id("<s>"))])])
    return tokenizer


def metaspace():
    """As Llama 2 and Mistral: spaces as U+2581, one before the text, bytes as tokens."""
    from tokenizers import Tokenizer, decoders, models, normalizers, processors, trainers
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    tokenizer.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(),
                                           decoders.Strip(content=" ", left=1)])
    special = ["<unk>", *ADDED] + [f"<0x{byte:02X}>" for byte in range(256)]
    trainer = trainers.BpeTrainer(vocab_size=560, special_tokens=special, show_progress=False, limit_alphabet=120)
    tokenizer.train_from_iterator(corpus(), trainer)
    stored = json.loads(tokenizer.to_str())
    stored["added_tokens"] = [token for token in stored["added_tokens"] if not token["content"].startswith("<0x")]
    tokenizer = Tokenizer.from_str(json.dumps(stored))
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[(name, tokenizer.token_to_id(name)) for name in ("<s>", "</s>")])
    return tokenizer


def sentence_piece():
    """A tokenizer.model alone, as old Llama folders have it."""
    import sentencepiece
    latin = [line for line in corpus() if max(line) < "\u0500"]
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(latin), model_writer=model, model_type="bpe", vocab_size=500, byte_fallback=True,
        character_coverage=0.98, normalization_rule_name="identity", remove_extra_whitespaces=False,
        num_threads=1, minloglevel=2)
    return model.getvalue()


def write(folder, name, text):
    folder.mkdir(parents=True, exist_ok=True)
    data = text if isinstance(text, bytes) else (json.dumps(text, ensure_ascii=False, indent=0) + "\n").encode()
    (folder / name).write_bytes(data)


def make(folder):
    folder = pathlib.Path(folder)
    goldens = {}
    lines = mixed_text.lines(LINES)
    for name, tokenizer in (("byte_level", byte_level()), ("metaspace", metaspace())):
        write(folder / name, "tokenizer.json", json.loads(tokenizer.to_str()))
        goldens[name] = {"lines": LINES, "ids": digest([tokenizer.encode(line).ids for line in lines])}
    write(folder / "byte_level", "tokenizer_config.json",
          {"bos_token": "<s>", "eos_token": {"content": "</s>"}, "pad_token": "</s>",
           "chat_template": [{"name": "default", "template": "plain"}, {"name": "tool_use", "template": "tools"}]})
    write(folder / "byte_level", "generation_config.json", {"eos_token_id": [1, 5]})
    write(folder / "metaspace", "special_tokens_map.json", {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"})

    import sentencepiece
    model = sentence_piece()
    write(folder / "sentencepiece", "tokenizer.model", model)
    write(folder / "sentencepiece", "tokenizer_config.json",
          {"added_tokens_decoder": {"500": {"content": "<|im_end|>", "special": True}}})
    processor = sentencepiece.SentencePieceProcessor(model_proto=model)
    goldens["sentencepiece"] = {"lines": LINES, "ids": digest([[1, *processor.encode(line)] for line in lines])}
    write(folder, "goldens.json", goldens)


def check(folder):
    folder = pathlib.Path(folder)
    goldens = json.loads((folder / "goldens.json").read_text())
    lines = mixed_text.lines(LINES)
    for name, golden in goldens.items():
        run = subprocess.run(["tokenize_lines", folder / name], input=json.dumps(lines), stdout=subprocess.PIPE,
                             text=True, check=True)
        *ids, facts = json.loads(run.stdout)
        plain = name == "sentencepiece"  # which knows no special tokens
        same = digest([line[plain] for line in ids]) == golden["ids"]
        print(f"{name}: {len(ids)} lines, {'same' if same else 'OTHER'} ids, bos {facts['bos']} {facts['add_bos']},"
              f" eos {facts['eos']} {facts['add_eos']}, ends {facts['end_of_generation']}")


if __name__ == "__main__":
    {"make": make, "check": check}[sys.argv[1]](*sys.argv[2:])
