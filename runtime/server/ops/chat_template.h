// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "runtime/server/api/service.h"

namespace llcuda::server {

/// {messages, tools, ...} as of a chat gives {prompt}: the text that the model would be asked to continue.
Checked<Json> applyTemplate(Service& service, std::string_view body);

} // namespace llcuda::server
