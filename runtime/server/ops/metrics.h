// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "runtime/server/api/service.h"

namespace llcuda::server {

/// Prometheus' text format: llama-server's figures under its names, `llamacpp:`, and under ours, `llcuda:`; beside them
/// histograms with vLLM's names, pages, and answers by status.
std::string metricsText(const Service& service, const std::map<int, uint64_t>& answers);

} // namespace llcuda::server
