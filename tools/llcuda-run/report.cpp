// SPDX-License-Identifier: Apache-2.0
#include "tools/llcuda-run/report.h"

#include <cstdio>
#include <span>

#include <nlohmann/json.hpp>

namespace llcuda::run {
namespace {

using nlohmann::ordered_json;

double milliseconds(uint64_t ns) {
  return static_cast<double>(ns) / 1e6;
}

double perSecond(uint64_t count, uint64_t ns) {
  return ns == 0 ? 0. : static_cast<double>(count) * 1e9 / static_cast<double>(ns);
}

const char* stopName(int32_t reason) {
  switch (reason) {
  case LLCUDA_STOP_TOKEN:
    return "stop_token";
  case LLCUDA_STOP_LENGTH:
    return "length";
  case LLCUDA_STOP_CONTEXT:
    return "context";
  case LLCUDA_STOP_CALLBACK:
    return "callback";
  case LLCUDA_STOP_FORCED:
    return "forced";
  default:
    return "none";
  }
}

ordered_json stepJson(const Report::Step& step) {
  ordered_json top = ordered_json::array();
  for (const llcuda_candidate& candidate : step.top) top.push_back({candidate.token, candidate.log_probability});
  ordered_json entry = {{"id", step.token}, {"logprob", step.logProbability}, {"top", std::move(top)}};
  if (step.forced >= 0)
    entry["forced"] = {{"id", step.forced}, {"logprob", step.forcedLogProbability}};
  return entry;
}

} // namespace

void Report::add(const llcuda_step& step) {
  text.append(step.text, step.text_bytes);
  if (step.token < 0)
    return;
  tokens.push_back(step.token);
  logprobs.push_back({step.token,
                      step.log_probability,
                      {step.top, step.top + step.top_count},
                      step.forced,
                      step.forced_log_probability});
}

std::string jsonOf(const Report& report, const llcuda_metrics& metrics, bool withLogprobs) {
  ordered_json object = {
      {"prompt_tokens", report.promptTokens},
      {"tokens", report.tokens},
      {"text", report.text},
      {"stop", stopName(metrics.stop_reason)},
      {"seed", metrics.seed},
      {"timings",
       {{"ttft_ms", milliseconds(metrics.first_token_ns)},
        {"prompt_n", metrics.prompt_tokens},
        {"prompt_ms", milliseconds(metrics.prompt_ns)},
        {"prompt_per_second", perSecond(metrics.prompt_tokens, metrics.prompt_ns)},
        {"predicted_n", metrics.generated_tokens},
        {"predicted_ms", milliseconds(metrics.decode_ns)},
        {"predicted_per_second", perSecond(metrics.decode_steps, metrics.decode_ns)}}},
  };
  if (withLogprobs) {
    object["logprobs"] = ordered_json::array();
    for (const Report::Step& step : report.logprobs) object["logprobs"].push_back(stepJson(step));
  }
  // Text is UTF-8 by contract; a broken byte would be replaced, not thrown about.
  return object.dump(-1, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

std::string profileJson(const llcuda_profile& profile, const llcuda_session_info& session) {
  ordered_json kernels = ordered_json::array();
  for (const llcuda_kernel_profile& kernel : std::span(profile.kernels, profile.count)) {
    const double perSecond =
        kernel.ns == 0 ? 0 : static_cast<double>(kernel.bytes) * 1e9 / static_cast<double>(kernel.ns);
    kernels.push_back({{"phase", kernel.phase},
                       {"rows", kernel.rows},
                       {"kernel", kernel.kernel},
                       {"launches", kernel.launches},
                       {"microseconds", static_cast<double>(kernel.ns) / 1e3},
                       {"bytes", kernel.bytes},
                       {"gb_per_second", perSecond / 1e9},
                       {"share_of_copy", perSecond / profile.copy_bytes_per_second}});
  }
  const ordered_json object = {{"device", session.device},
                               {"copy_gb_per_second", profile.copy_bytes_per_second / 1e9},
                               {"kernels", std::move(kernels)}};
  return object.dump(1, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

std::string startLine(const llcuda_session_info& session) {
  char line[256];
  const double gigabytes = static_cast<double>(session.weight_bytes) / 1e9;
  std::snprintf(line, sizeof(line),
                "start %.0f ms: file %.0f ms, device %.0f ms, weights %.0f ms (%.2f GB at %.1f GB/s), session %.0f ms",
                milliseconds(session.open_ns + session.device_ns + session.weights_ns + session.session_ns),
                milliseconds(session.open_ns), milliseconds(session.device_ns), milliseconds(session.weights_ns),
                gigabytes, perSecond(session.weight_bytes, session.weights_ns) / 1e9, milliseconds(session.session_ns));
  return line;
}

std::string timingsLine(const llcuda_metrics& metrics) {
  char line[256];
  std::snprintf(line, sizeof(line), "TTFT %.1f ms, prompt %llu tokens at %.1f tok/s, decode %llu tokens at %.1f tok/s",
                milliseconds(metrics.first_token_ns), static_cast<unsigned long long>(metrics.prompt_tokens),
                perSecond(metrics.prompt_tokens, metrics.prompt_ns),
                static_cast<unsigned long long>(metrics.decode_steps),
                perSecond(metrics.decode_steps, metrics.decode_ns));
  return line;
}

} // namespace llcuda::run
