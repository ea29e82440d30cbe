// SPDX-License-Identifier: Apache-2.0
#include "runtime/server/ops/chat_template.h"

#include "runtime/server/api/chat_prompt.h"
#include "runtime/server/api/json_body.h"

namespace llcuda::server {

Checked<Json> applyTemplate(Service& service, std::string_view body) {
  const Checked<Json> json = parseBody(body);
  if (!json)
    return json.error();
  const Checked<ReadRequest> read =
      readFields(*json, kChat, service.options().defaults, service.limits(), service.options().strictFields);
  if (!read)
    return read.error();
  const Checked<std::string> text = chatTextOf((*read).params, service);
  if (!text)
    return text.error();
  return Json{{"prompt", *text}};
}

} // namespace llcuda::server
