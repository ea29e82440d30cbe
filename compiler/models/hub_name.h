// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "runtime/base/result.h"

namespace llcuda::models {

/// Refuses a path that does not exist and reads like a model's name on the hub, `user/name`, with the commands that
/// fetch and compile it, and an address. Nothing is ever downloaded here.
Result<void> refuseHubName(const std::string& path);

} // namespace llcuda::models
