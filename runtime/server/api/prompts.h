// SPDX-License-Identifier: Apache-2.0
// Prompts of /v1/completions, /completion and /v1/embeddings: text, token ids, both mixed, or a list of such.
#pragma once

#include <string>
#include <vector>

#include "llcuda/llcuda.hpp"
#include "runtime/server/api/fields.h"

namespace llcuda::server {

struct Prompts {
  std::vector<std::vector<int32_t>> tokens;
  bool isList = false; ///< a list of prompts was given, though it may be of one
};

/// `field` is the name that errors have. Text begins with the model's first token where it wants one, and special
/// tokens count in it. An object is {"prompt_string": text}, or {"content": [{"type": "text", "text": ...}]}.
/// 400: another shape, an id outside the vocabulary, media, an empty list, no token at all.
Checked<Prompts> promptsOf(const Json& value, const std::string& field, const api::Engine& engine,
                           const FieldLimits& limits);

} // namespace llcuda::server
