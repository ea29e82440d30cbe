# SPDX-License-Identifier: Apache-2.0
"""Small tokenizers of Hugging Face folders, trained on mixed_text.py, and what the reference libraries say of them.

hf_goldens.py make FOLDER    writes the folders and goldens.json (needs the tokenizers and sentencepiece packages)
hf_goldens.py check FOLDER WORK   compares goldens.json with tokenize_lines, also over GGUF files that it writes to WORK
"""
import hashlib
import io
import json
import pathlib
import subprocess
import sys
import tempfile

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


# What is easily cut otherwise: nothing, white space, accents in both forms, ligatures, letters without spaces, signs of
# several characters, control characters, words at and past the longest, names of tokens, letters whose case changes
# their length, text that runs the other way.
HOSTILE = ["", " ", " \t\n ", "caf\u00e9 cafe\u0301 \u00c0\u00c9\u00ce na\u00efve",
           "\ufb01ne o\ufb00er \u2460 \uff21\uff22",
           "\u4e2d\u6587\u5b57\u7b26and\u65e5\u672c\u8a9e\u30c6\u30ad\u30b9\u30c8 \ud55c\uad6d\uc5b4",
           "\U0001f916\U0001f469\u200d\U0001f469\u200d\U0001f467 ok", "a\u0001b\u200bc\ufffdd\u00ade\x7ff",
           "x" * 100, "x" * 101, "ab" * 3000, "[CLS] a [SEP][MASK] b [UNK] [PAD]", "[cls] [Sep] <s></s> <unk> <pad>",
           "##ing ## #", "don't stop!!! (now) a-b_c.d/e\\f", "\u01c4 \u0130 \u00df \u0149 \u03a3\u03c2",
           "\u202eabc\u202c \u05e9\u05dc\u05d5\u05dd \u0645\u0631\u062d\u0628\u0627",
           "tab\tnew\nline\r\n\u00a0\u2003end", "\u3000\u3002\u3001\uff01", "1234567890 3.14 1,000",
           "\u2581a \u2581 b"]


def word_piece(lower):
    """As BERT: [CLS] before a text, [SEP] behind it."""
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=lower)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    trainer = trainers.WordPieceTrainer(vocab_size=900, show_progress=False, limit_alphabet=300,
                                        special_tokens=["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"])
    tokenizer.train_from_iterator(corpus(), trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[(name, tokenizer.token_to_id(name)) for name in ("[CLS]", "[SEP]")])
    return tokenizer


def trained_unigram(rules):
    import sentencepiece
    from sentencepiece import sentencepiece_model_pb2
    trained = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter([line for line in corpus() if max(line) < "\u0500"]), model_writer=trained,
        model_type="unigram", vocab_size=700, character_coverage=0.98, normalization_rule_tsv=rules, num_threads=1,
        minloglevel=2)
    return sentencepiece_model_pb2.ModelProto.FromString(trained.getvalue())


def unigram():
    """As XLM RoBERTa: the likeliest pieces, U+2581 for spaces, one before the text, some characters mapped to
    others."""
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
    maps = {"\ufb01": "fi", "\ufb00": "ff", "\u2460": "1", "\u00a0": " ", "\u2003": " ", "\u3000": " ",
            "e\u0301": "\u00e9", "\u200b": " ", **{chr(0xfee0 + code): chr(code) for code in range(33, 127)}}
    with tempfile.NamedTemporaryFile("w", suffix=".tsv") as rules:
        rules.writelines(" ".join(f"{ord(c):x}" for c in left) + "\t" + " ".join(f"{ord(c):x}" for c in right) + "\n"
                         for left, right in maps.items())
        rules.flush()
        model = trained_unigram(rules.name)
    special = ["<s>", "<pad>", "</s>", "<unk>"]
    pieces = [(piece.piece, piece.score) for piece in model.pieces if piece.piece not in special]
    tokenizer = Tokenizer(models.Unigram([(text, 0.0) for text in special] + pieces, unk_id=3))
    tokenizer.normalizer = normalizers.Precompiled(model.normalizer_spec.precompiled_charsmap)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()])
    tokenizer.decoder = decoders.Metaspace()
    tokenizer.add_special_tokens(special)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[(name, tokenizer.token_to_id(name)) for name in ("<s>", "</s>")])
    return tokenizer


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
    encoders = (("word_piece", word_piece(lower=True)), ("word_piece_cased", word_piece(lower=False)),
                ("unigram", unigram()))
    for name, tokenizer in encoders:
        write(folder / name, "tokenizer.json", json.loads(tokenizer.to_str()))
        goldens[name] = {"lines": LINES, "ids": digest([tokenizer.encode(line).ids for line in lines + HOSTILE])}
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


def write_word_pieces(folder, path):
    """The same vocabulary as a GGUF file of a BERT has it: U+2581 in front of what begins a word, and no ##."""
    import gguf
    stored = json.loads((folder / "tokenizer.json").read_text())
    special = {token["content"] for token in stored["added_tokens"]}
    texts = sorted(stored["model"]["vocab"], key=stored["model"]["vocab"].get)
    writer = gguf.GGUFWriter(path, "bert")
    writer.add_string("tokenizer.ggml.model", "bert")
    writer.add_array("tokenizer.ggml.tokens", [text if text in special else text[2:] if text.startswith("##") else
                                               "\u2581" + text for text in texts])
    writer.add_array("tokenizer.ggml.token_type", [3 if text in special else 1 for text in texts])
    for key, token in (("cls", "[CLS]"), ("seperator", "[SEP]"), ("unknown", "[UNK]"), ("padding", "[PAD]")):
        writer.add_uint32(f"tokenizer.ggml.{key}_token_id", texts.index(token))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.close()


def write_unigram(folder, path):
    import base64

    import gguf
    stored = json.loads((folder / "tokenizer.json").read_text())
    special = {token["content"] for token in stored["added_tokens"]}
    texts, scores = zip(*stored["model"]["vocab"])
    writer = gguf.GGUFWriter(path, "bert")
    writer.add_string("tokenizer.ggml.model", "t5")
    writer.add_array("tokenizer.ggml.tokens", list(texts))
    writer.add_array("tokenizer.ggml.scores", list(scores))
    writer.add_array("tokenizer.ggml.token_type", [2 if text == "<unk>" else 3 if text in special else 1 for text in texts])
    writer.add_array("tokenizer.ggml.precompiled_charsmap",
                     base64.b64decode(stored["normalizer"]["precompiled_charsmap"]))
    for key, token in (("bos", "<s>"), ("eos", "</s>"), ("unknown", "<unk>"), ("padding", "<pad>")):
        writer.add_uint32(f"tokenizer.ggml.{key}_token_id", texts.index(token))
    for key in ("add_bos_token", "add_eos_token", "add_space_prefix", "remove_extra_whitespaces"):
        writer.add_bool(f"tokenizer.ggml.{key}", True)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.close()


def check(folder, work):
    folder, work = pathlib.Path(folder), pathlib.Path(work)
    work.mkdir(parents=True, exist_ok=True)
    goldens = json.loads((folder / "goldens.json").read_text())
    paths = {name: folder / name for name in goldens}
    for name in ("word_piece", "word_piece_cased"):
        paths[name + ".gguf"] = work / f"{name}.gguf"
        write_word_pieces(folder / name, work / f"{name}.gguf")
    paths["unigram.gguf"] = work / "unigram.gguf"
    write_unigram(folder / "unigram", work / "unigram.gguf")
    reference = {}
    for name, path in paths.items():
        golden = goldens[name.removesuffix(".gguf")]
        lines = mixed_text.lines(LINES) + (HOSTILE if name.startswith(("word_piece", "unigram")) else [])
        run = subprocess.run(["tokenize_lines", path], input=json.dumps(lines), stdout=subprocess.PIPE,
                             text=True, check=True)
        *ids, facts = json.loads(run.stdout)
        plain = name == "sentencepiece"  # which knows no special tokens
        same = digest([line[plain] for line in ids]) == golden["ids"]
        if name.startswith("word_piece"):  # a GGUF file cannot say that U+2581 goes on with a word
            same = all(line[0] == seen for text, line, seen in zip(lines, ids, reference.setdefault(
                name.removesuffix(".gguf"), [line[0] for line in ids])) if "\u2581" not in text) and (
                    same or name.endswith(".gguf"))
        print(f"{name}: {len(ids)} lines, {'same' if same else 'OTHER'} ids, bos {facts['bos']} {facts['add_bos']},"
              f" eos {facts['eos']} {facts['add_eos']}, ends {facts['end_of_generation']}")


if __name__ == "__main__":
    {"make": make, "check": check}[sys.argv[1]](*sys.argv[2:])
