// SPDX-License-Identifier: Apache-2.0
#include "runtime/server/ops/metrics.h"

#include <array>
#include <cmath>
#include <cstdio>
#include <string_view>

namespace llcuda::server {
namespace {

struct Sample {
  std::string_view name, kind, help;
  double value;
  bool isTheirs; ///< one of llama-server's
};

/// 0 where nothing was done yet.
double rate(double amount, double seconds) {
  return seconds > 0 ? amount / seconds : 0;
}

std::string shown(double value) {
  char text[32];
  const bool isWhole = std::fabs(value) < 1e15 && value == std::floor(value);
  std::snprintf(text, sizeof(text), isWhole ? "%.0f" : "%.9g", value);
  return text;
}

void writeHead(std::string& text, const std::string& name, std::string_view kind, std::string_view help) {
  ((text += "# HELP ").append(name) += ' ').append(help) += '\n';
  ((text += "# TYPE ").append(name) += ' ').append(kind) += '\n';
}

void write(std::string& text, std::string_view prefix, const Sample& sample) {
  const std::string name = std::string(prefix) + std::string(sample.name);
  writeHead(text, name, sample.kind, sample.help);
  text += name + ' ' + shown(sample.value) + '\n';
}

void write(std::string& text, const std::string& name, std::string_view help, const Histogram& histogram) {
  writeHead(text, name, "histogram", help);
  uint64_t below = 0;
  for (std::size_t i = 0; i < Histogram::kBounds.size(); ++i) {
    below += histogram.counts[i];
    text += name + "_bucket{le=\"" + shown(Histogram::kBounds[i]) + "\"} " + std::to_string(below) + '\n';
  }
  text += name + "_bucket{le=\"+Inf\"} " + std::to_string(histogram.count) + '\n';
  text += name + "_sum " + shown(histogram.sum) + '\n' + name + "_count " + std::to_string(histogram.count) + '\n';
}

std::vector<Sample> samplesOf(const Totals& totals, const llcuda_scheduler_stats& stats) {
  const auto number = [](auto count) { return static_cast<double>(count); };
  const double computed = number(totals.promptTokens - totals.cachedTokens);
  return {
      {"prompt_tokens_total", "counter", "Tokens of prompts that were computed.", computed, true},
      {"prompt_tokens_cached_total", "counter", "Tokens of prompts that were in the cache.",
       number(totals.cachedTokens), true},
      {"prompt_seconds_total", "counter", "Time of prompts.", totals.promptSeconds, true},
      {"tokens_predicted_total", "counter", "Tokens that were generated.", number(totals.generatedTokens), true},
      {"tokens_predicted_seconds_total", "counter", "Time of the generated tokens.", totals.generatedSeconds, true},
      {"n_decode_total", "counter", "Runs of the device.", number(stats.steps + stats.prompt_runs), true},
      {"n_tokens_max", "counter", "The longest request, prompt and answer.", number(totals.mostTokens), true},
      {"spec_decode_num_draft_tokens_total", "counter", "Tokens that were drafted.", number(stats.draft_tokens), true},
      {"spec_decode_num_accepted_tokens_total", "counter", "Drafted tokens that were right.",
       number(stats.accepted_draft_tokens), true},
      {"spec_decode_num_drafts_total", "counter", "Drafts.", number(stats.drafts), true},
      {"prompt_tokens_seconds", "gauge", "Tokens of prompts a second.", rate(computed, totals.promptSeconds), true},
      {"predicted_tokens_seconds", "gauge", "Generated tokens a second.",
       rate(number(totals.generatedSteps), totals.generatedSeconds), true},
      {"requests_processing", "gauge", "Requests that run.", number(stats.prompts + stats.generating + stats.paused),
       true},
      {"requests_deferred", "gauge", "Requests that wait.", number(stats.waiting), true},
      {"n_busy_slots_per_decode", "gauge", "Requests in a step, in the mean.",
       rate(number(stats.rows), number(stats.steps)), true},
      {"kv_pages_total", "gauge", "Pages of keys and values on the device.", number(stats.pages), false},
      {"kv_pages_free", "gauge", "Pages that nobody has.", number(stats.free_pages), false},
      {"kv_pages_cached", "gauge", "Pages of prefixes that nobody uses.", number(stats.cached_pages), false},
      {"kv_pages_host", "gauge", "Pages of prefixes in host memory.", number(stats.host_pages), false},
      {"host_cache_bytes", "gauge", "Bytes of keys and values in host memory.", number(stats.host_bytes), false},
      {"preemptions_total", "counter", "Times that a request made room for others.", number(stats.pauses), false},
      {"requests_done_total", "counter", "Requests that ended by themselves.", number(stats.done), false},
      {"requests_failed_total", "counter", "Requests that failed.", number(stats.failed), false},
      {"requests_cancelled_total", "counter", "Requests that were cancelled.", number(stats.cancelled), false},
      {"device_busy_seconds_total", "counter", "Time in which the device computed.", number(stats.busy_ns) * 1e-9,
       false},
      {"device_idle_seconds_total", "counter", "Time in which it did not, with something to do.",
       number(stats.idle_ns) * 1e-9, false},
      {"held_rows_total", "counter", "Rows of steps that waited for the mask of a grammar.", number(stats.held_rows),
       false},
      {"mask_seconds_total", "counter", "Time of the threads that make masks.", number(stats.mask_ns) * 1e-9, false},
      {"host_stall_seconds_total", "counter", "Time in which the device waited for masks.",
       number(stats.host_stall_ns) * 1e-9, false},
      {"nan_rows_total", "counter", "Requests that failed since their logits were no numbers.", number(stats.nan_rows),
       false},
      {"unknown_fields_total", "counter", "Fields of requests that no endpoint has.", number(totals.unknownFields),
       false},
  };
}

} // namespace

std::string metricsText(const Service& service, const std::map<int, uint64_t>& answers) {
  const Totals totals = service.totals();
  const std::vector<Sample> samples = samplesOf(totals, service.stats());
  std::string text;
  for (const Sample& sample : samples)
    if (sample.isTheirs)
      write(text, "llamacpp:", sample);
  for (const Sample& sample : samples) write(text, "llcuda:", sample);
  write(text, "llcuda:time_to_first_token_seconds", "From a request to its first token.", totals.firstToken);
  write(text, "llcuda:inter_token_latency_seconds", "From one token of an answer to the next.", totals.betweenTokens);
  write(text, "llcuda:e2e_request_latency_seconds", "From a request to the end of its answer.", totals.wholeRequest);
  write(text, "llcuda:request_queue_time_seconds", "From a request to its start.", totals.waiting);
  writeHead(text, "llcuda:requests_total", "counter", "Answers by status; 499: the client left.");
  for (const auto& [status, count] : answers)
    text += "llcuda:requests_total{status=\"" + std::to_string(status) + "\"} " + std::to_string(count) + '\n';
  return text;
}

} // namespace llcuda::server
