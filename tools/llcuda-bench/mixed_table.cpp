// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <map>
#include <tuple>

#include <nlohmann/json.hpp>

#include "runtime/exec/phase_costs.h"
#include "runtime/schema/phase_facts.h"
#include "tools/llcuda-bench/bench.h"
#include "tools/llcuda-bench/mixed.h"
#include "tools/llcuda-bench/open_session.h"

namespace llcuda::bench {
namespace {

using nlohmann::ordered_json;

/// Percent of the time from the first phase to the last in which none ran.
double idlePercent(const std::vector<PhaseTime>& times) {
  double busy = 0, idle = 0;
  for (std::size_t i = 0; i < times.size(); ++i) {
    busy += times[i].nanoseconds;
    idle += i == 0 ? 0 : times[i].idle;
  }
  return times.empty() ? 0 : 100 * idle / (busy + idle);
}

/// What the phases took, and what they were expected to take before they ran and after.
ordered_json phasesJson(const std::vector<PhaseTime>& times) {
  struct Sum {
    uint32_t runs = 0;
    double took = 0, predicted = 0, followed = 0;
  };
  const PhaseCosts untouched(kT4Rates);
  PhaseCosts costs(kT4Rates);
  for (const PhaseTime& time : times) costs.follow(*time.phase, time.tails, time.step, time.nanoseconds);
  std::map<std::tuple<bool, uint32_t, bool>, Sum> sums;
  for (const PhaseTime& time : times) {
    Sum& sum = sums[{time.phase->feeds_back(), time.phase->rows(), time.tails.sample}];
    ++sum.runs;
    sum.took += time.nanoseconds;
    sum.predicted += untouched.of(*time.phase, time.tails, time.step);
    sum.followed += costs.of(*time.phase, time.tails, time.step);
  }
  ordered_json phases = ordered_json::array();
  for (const auto& [key, sum] : sums) {
    const auto [feedsBack, rows, tail] = key;
    phases.push_back({{"kind", phaseName(feedsBack)},
                      {"rows", rows},
                      {"tail", tail},
                      {"runs", sum.runs},
                      {"ns", sum.took / sum.runs},
                      {"expected_ns", sum.followed / sum.runs},
                      {"predicted_t4_ns", sum.predicted / sum.runs}});
  }
  return phases;
}

std::string tableOf(const MixedRun& mixed, double aloneSeconds, uint32_t other, const std::string& format) {
  uint64_t tokens = 0;
  for (const std::vector<int32_t>& list : mixed.tokens) tokens += list.size();
  const double idle = idlePercent(mixed.times);
  if (format == "md")
    return detail::concat(
        "| requests | tokens | steps | prompt runs | moves | alone s | mixed s | idle % | other than alone |\n"
        "| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n| ",
        mixed.tokens.size(), " | ", tokens, " | ", mixed.steps, " | ", mixed.promptRuns, " | ", mixed.moves, " | ",
        aloneSeconds, " | ", mixed.seconds, " | ", idle, " | ", other, " |\n");
  const ordered_json object = {{"requests", mixed.tokens.size()},  {"tokens", tokens},     {"steps", mixed.steps},
                               {"prompt_runs", mixed.promptRuns},  {"moves", mixed.moves}, {"t_alone", aloneSeconds},
                               {"t_mixed", mixed.seconds},         {"idle_percent", idle}, {"other", other},
                               {"phases", phasesJson(mixed.times)}};
  return jsonText({object}, format);
}

} // namespace

Result<std::string> mixedTable(const std::string& path, Verify verify, const api::SessionOptions& options,
                               uint64_t cacheBytes, const std::string& format) {
  LLCUDA_ASSIGN_OR_RETURN(Engine opened, Engine::open(path, verify));
  const auto engine = std::make_shared<const Engine>(std::move(opened));
  const uint32_t context = std::min(engine->metadata().max_context(), 256u);
  const std::vector<MixedRequest> requests = mixedRequests(context, engine->model().vocabulary());
  const auto slots = static_cast<uint32_t>(requests.size());
  if (engine->metadata().max_batch() < slots)
    return usageError("--mixed runs ", slots, " sequences, the engine takes ", engine->metadata().max_batch(),
                      " at a time; compile it with a larger --max-batch");
  if (context < 64)
    return usageError("--mixed needs a context of 64 positions, the engine has ", context);
  LLCUDA_ASSIGN_OR_RETURN(const OpenedSession running, openSession(engine, options, context, slots, cacheBytes, true));
  uint32_t longest = 0;
  for (const MixedRequest& request : requests)
    longest = std::max(longest, static_cast<uint32_t>(request.prompt.size()) + request.generate);
  if (!holds(*engine, running.session->memoryPlan(), slots, longest))
    return outOfMemory("--mixed runs ", slots, " sequences of up to ", longest,
                       " positions, for which the KV cache of ", running.session->memoryPlan().kv,
                       " bytes has too few pages");
  MixedRun mixed;
  double aloneSeconds = 0;
  uint32_t other = 0;
  for (int round = 0; round < 2; ++round) { // the first warms up
    other = 0, aloneSeconds = 0;
    LLCUDA_ASSIGN_OR_RETURN(mixed, runMixed(*running.session, requests, running.clock.get()));
    for (std::size_t i = 0; i < requests.size(); ++i) {
      LLCUDA_ASSIGN_OR_RETURN(const MixedRun alone, runMixed(*running.session, {requests[i]}));
      aloneSeconds += alone.seconds;
      for (std::size_t t = 0; t < alone.tokens[0].size(); ++t) other += alone.tokens[0][t] != mixed.tokens[i][t];
    }
  }
  return tableOf(mixed, aloneSeconds, other, format);
}

} // namespace llcuda::bench
