// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "runtime/server/http/http_server.h"

namespace llcuda::serve {

/// One line, without its end: an object of JSON with all that is known of an answer. Never what was asked or answered.
std::string jsonLine(const server::AccessRecord& record);

/// One line for people.
std::string plainLine(const server::AccessRecord& record);

} // namespace llcuda::serve
