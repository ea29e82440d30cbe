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

ReportedToken reportedToken(const api::Engine& engine, const llcuda_event& event) {
  const auto bytes = [&](int32_t id) { return std::string(tokenBytes(engine, id)); };
  ReportedToken token{event.token, bytes(event.token), event.log_probability, {}};
  for (uint32_t i = 0; i < event.top_count; ++i)
    token.top.push_back({event.top[i].token, bytes(event.top[i].token), event.top[i].log_probability});
  return token;
}

} // namespace llcuda::server
