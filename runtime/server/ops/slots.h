// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "runtime/server/api/service.h"

namespace llcuda::server {

/// An object for each request that can run, as llama-server's /slots; nothing of what was asked or answered.
Json slotsOf(const Service& service);

} // namespace llcuda::server
