// SPDX-License-Identifier: Apache-2.0
// The endpoints of this room.
#pragma once

#include <functional>
#include <vector>

#include "runtime/server/api/service.h"
#include "runtime/server/http/exchange.h"

namespace llcuda::server {

/// `service` is asked when a request comes: there is one from the end of loading on.
std::vector<Route> apiRoutes(std::function<Service&()> service);

} // namespace llcuda::server
