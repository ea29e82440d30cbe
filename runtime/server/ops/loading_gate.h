// SPDX-License-Identifier: Apache-2.0
// The socket is open before the model is there: until then most routes answer 503.
#pragma once

#include <atomic>
#include <vector>

#include "runtime/server/api/service.h"
#include "runtime/server/http/exchange.h"

namespace llcuda::server {

/// Where handlers find the service, once there is one.
class LoadingGate {
public:
  /// From here on requests pass. The service outlives all handlers.
  void open(Service& service) { loaded = &service; }
  bool isOpen() const { return loaded.load() != nullptr; }
  /// Of a route that has passed.
  Service& service() const { return *loaded.load(); }

  /// The routes, of which those that need the service answer 503 `Loading model` until it is there.
  std::vector<Route> guard(std::vector<Route> routes) const;

private:
  std::atomic<Service*> loaded = nullptr;
};

/// 503, as llama-server says it.
ApiError loadingError();

} // namespace llcuda::server
