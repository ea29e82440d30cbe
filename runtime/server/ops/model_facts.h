// SPDX-License-Identifier: Apache-2.0
// What /props and /v1/models say about the model.
#pragma once

#include <string>

#include "runtime/server/api/service.h"
#include "runtime/server/options.h"

namespace llcuda::server {

Json propsOf(const Service& service, const ServerOptions& options);

/// OpenAI's list, of one model.
Json modelsOf(const Service& service, const ServerOptions& options);

/// 404: the model has another name.
Checked<Json> modelNamed(const Service& service, const ServerOptions& options, const std::string& name);

} // namespace llcuda::server
