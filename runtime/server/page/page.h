// SPDX-License-Identifier: Apache-2.0
// The chat page at `/`: index.html, which needs /v1/chat/completions and nothing else.
#pragma once

#include <string>
#include <vector>

#include "runtime/server/http/exchange.h"

namespace llcuda::server {

struct Page {
  std::string html;
  std::string contentSecurityPolicy; ///< allows this html's own script and style, by a nonce, and the server itself
};

/// The page with a nonce of its own.
Page chatPage();

/// GET `/`, without a key: what a page asks for later needs one.
std::vector<Route> pageRoutes();

} // namespace llcuda::server
