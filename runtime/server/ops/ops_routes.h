// SPDX-License-Identifier: Apache-2.0
// Routes about the server and its model, beside those that generate: health, metrics, properties, slots, models,
// tokens, the chat template.
#pragma once

#include <vector>

#include "runtime/server/http/exchange.h"
#include "runtime/server/ops/loading_gate.h"
#include "runtime/server/ops/request_counts.h"
#include "runtime/server/options.h"

namespace llcuda::server {

/// What the routes tell about; outlives them.
struct OpsSources {
  const ServerOptions& options;
  const LoadingGate& gate;
  const RequestCounts& counts;
};

std::vector<Route> opsRoutes(const OpsSources& sources);

} // namespace llcuda::server
