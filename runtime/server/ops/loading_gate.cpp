// SPDX-License-Identifier: Apache-2.0
#include "runtime/server/ops/loading_gate.h"

#include <utility>

namespace llcuda::server {

std::vector<Route> LoadingGate::guard(std::vector<Route> routes) const {
  for (Route& route : routes) {
    if (route.whileLoading)
      continue;
    route.handler = [this, handler = std::move(route.handler)](const Request& request, std::shared_ptr<Reply> reply) {
      if (!isOpen())
        return sendError(*reply, loadingError());
      handler(request, std::move(reply));
    };
  }
  return routes;
}

ApiError loadingError() {
  return {.status = 503, .message = "Loading model", .retryAfter = 1};
}

} // namespace llcuda::server
