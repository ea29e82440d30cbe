// SPDX-License-Identifier: Apache-2.0
// Two tokenizers small enough to know every token of.
#pragma once

#include <string>

#include "runtime/text/tokenizer.h"

namespace llcuda::text {

/// SentencePiece BPE. 0 <unk>, 1 <s>, 2 </s>, 3 <0xC3>, 4 <0xA9>, 5 ▁, 6 a, 7 b, 8 ab, 9 ba, 10 ▁a, 11 <call> (an
/// ordinary added token). "ab" and "ba" have one score, so that only their places decide.
inline const char* const kSmallSpm = R"({"version":"1.0","truncation":null,"padding":null,
"added_tokens":[
 {"id":0,"content":"<unk>","single_word":false,"lstrip":false,"rstrip":false,"normalized":false,"special":true},
 {"id":1,"content":"<s>","single_word":false,"lstrip":false,"rstrip":false,"normalized":false,"special":true},
 {"id":2,"content":"</s>","single_word":false,"lstrip":false,"rstrip":false,"normalized":false,"special":true},
 {"id":11,"content":"<call>","single_word":false,"lstrip":false,"rstrip":false,"normalized":false,"special":false}],
"normalizer":{"type":"Sequence","normalizers":[{"type":"Prepend","prepend":"▁"},
 {"type":"Replace","pattern":{"String":" "},"content":"▁"}]},
"pre_tokenizer":null,"post_processor":null,
"decoder":{"type":"Sequence","decoders":[{"type":"Replace","pattern":{"String":"▁"},"content":" "},
 {"type":"ByteFallback"},{"type":"Fuse"}]},
"model":{"type":"ScoredBPE","unk_id":0,"vocab":[["<unk>",0],["<s>",0],["</s>",0],["<0xC3>",0],["<0xA9>",0],
 ["▁",-9],["a",-9],["b",-9],["ab",-3],["ba",-3],["▁a",-5],["<call>",0]]}})";

/// Byte-level BPE. 0 <|end|>, 1 h, 2 i, 3 Ġ, 4 hi, 5 Ã, 6 ©, 7 Ģ; "hi" is the only merge.
inline const char* const kSmallBpe = R"({"version":"1.0","truncation":null,"padding":null,
"added_tokens":[
 {"id":0,"content":"<|end|>","single_word":false,"lstrip":false,"rstrip":false,"normalized":false,"special":true}],
"normalizer":null,
"pre_tokenizer":{"type":"ByteLevel","add_prefix_space":false,"trim_offsets":false,"use_regex":true},
"post_processor":null,
"decoder":{"type":"ByteLevel","add_prefix_space":false,"trim_offsets":false,"use_regex":false},
"model":{"type":"BPE","dropout":null,"unk_token":null,"continuing_subword_prefix":null,"end_of_word_suffix":null,
 "fuse_unk":false,"byte_fallback":false,"ignore_merges":false,
 "vocab":{"<|end|>":0,"h":1,"i":2,"Ġ":3,"hi":4,"Ã":5,"©":6,"Ģ":7},"merges":[["h","i"]]}})";

inline TextConfig smallSpmConfig() {
  TextConfig config;
  config.kind = VocabularyKind::kSpm;
  config.bos = 1;
  config.eos = 2;
  config.endOfGeneration = {2};
  config.addBos = true;
  config.addSpacePrefix = true;
  return config;
}

inline TextConfig smallBpeConfig() {
  TextConfig config;
  config.kind = VocabularyKind::kBpe;
  config.bos = config.eos = 0;
  config.endOfGeneration = {0};
  return config;
}

} // namespace llcuda::text
