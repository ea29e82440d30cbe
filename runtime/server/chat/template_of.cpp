// SPDX-License-Identifier: Apache-2.0
#include "runtime/server/chat/chat_format.h"

namespace llcuda::server {

TemplateAccess templateOf(const api::Engine& engine, std::string name) {
  TemplateAccess access;
  access.render = [&engine, name = std::move(name)](const Json& variables) {
    return engine.renderChatJson(variables.dump(-1, ' ', false, Json::error_handler_t::replace), name);
  };
  access.specialToken = [&engine](std::string_view text) -> int32_t {
    const auto special = engine.tokenize(text, LLCUDA_PARSE_SPECIAL), plain = engine.tokenize(text, 0);
    if (!special || special->size() != 1 || (plain && *plain == *special))
      return -1;
    return special->front();
  };
  return access;
}

} // namespace llcuda::server
