// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "llcuda/llcuda.hpp"

namespace llcuda::run {

/// What a generation brought, collected step by step for --json.
struct Report {
  std::vector<int32_t> promptTokens;
  std::vector<int32_t> tokens;
  std::string text;
  /// One entry a step, when log-probabilities were asked for.
  struct Step {
    int32_t token;
    float logProbability;
    std::vector<llcuda_candidate> top;
    int32_t forced; // -1: none
    float forcedLogProbability;
  };
  std::vector<Step> logprobs;

  void add(const llcuda_step& step);
};

/// The one object of --json, with a newline at its end. `withLogprobs`: also when there was no step.
std::string jsonOf(const Report& report, const llcuda_metrics& metrics, bool withLogprobs);

/// One JSON object: the device's copy bandwidth, and of each kernel launches, microseconds, bytes, and the share of
/// that bandwidth with which it moved them.
std::string profileJson(const llcuda_profile& profile, const llcuda_session_info& session);

/// "start 912 ms: file 3 ms, device 310 ms, weights 450 ms (4.93 GB at 11.0 GB/s), session 149 ms"
std::string startLine(const llcuda_session_info& session);

/// "TTFT 12.3 ms, prompt 5 tokens at 100.0 tok/s, decode 31 tokens at 50.0 tok/s"
std::string timingsLine(const llcuda_metrics& metrics);

} // namespace llcuda::run
