// SPDX-License-Identifier: Apache-2.0
#include "runtime/server/api/token_text.h"

namespace llcuda::server {

std::string_view tokenBytes(const api::Engine& engine, int32_t token) {
  return engine.piece(token).bytes;
}

std::string promptText(const api::Engine& engine, std::span<const int32_t> tokens) {
  std::string text;
  for (const int32_t token : tokens) text += tokenBytes(engine, token);
  return text;
}

} // namespace llcuda::server
