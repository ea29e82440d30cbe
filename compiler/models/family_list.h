// SPDX-License-Identifier: Apache-2.0
// The families that there are: a word each, whose record is k<word> in a file of its own.
#pragma once

#include "compiler/models/family.h"

#define LLCUDA_FAMILIES(FAMILY)                                                                                        \
  FAMILY(Llama)                                                                                                        \
  FAMILY(Mistral)                                                                                                      \
  FAMILY(Mistral3)                                                                                                     \
  FAMILY(SmolLm3)                                                                                                      \
  FAMILY(Qwen2)                                                                                                        \
  FAMILY(Qwen2Vl)                                                                                                      \
  FAMILY(Qwen3)                                                                                                        \
  FAMILY(Qwen3Vl)                                                                                                      \
  FAMILY(Qwen3Moe)                                                                                                     \
  FAMILY(Qwen35)                                                                                                       \
  FAMILY(Lfm2)                                                                                                         \
  FAMILY(GptOss)                                                                                                       \
  FAMILY(Phi3)                                                                                                         \
  FAMILY(Gemma)                                                                                                        \
  FAMILY(Gemma2)                                                                                                       \
  FAMILY(Gemma3)                                                                                                       \
  FAMILY(Gemma4)                                                                                                       \
  FAMILY(Granite)                                                                                                      \
  FAMILY(GraniteMoe)                                                                                                   \
  FAMILY(GraniteHybrid)                                                                                                \
  FAMILY(Ernie45)                                                                                                      \
  FAMILY(PaddleOcr)                                                                                                    \
  FAMILY(Olmo2)                                                                                                        \
  FAMILY(Olmo3)                                                                                                        \
  FAMILY(Exaone4)                                                                                                      \
  FAMILY(Bert)                                                                                                         \
  FAMILY(XlmRoberta)                                                                                                   \
  FAMILY(ModernBert)                                                                                                   \
  FAMILY(GemmaEmbedding)

namespace llcuda::models {

#define LLCUDA_DECLARE_FAMILY(name) extern const Family k##name;
LLCUDA_FAMILIES(LLCUDA_DECLARE_FAMILY)
#undef LLCUDA_DECLARE_FAMILY

} // namespace llcuda::models
