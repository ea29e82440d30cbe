// SPDX-License-Identifier: Apache-2.0
#include "tools/llcuda-run/scheduled.h"

#include <iostream>

#include "tools/llcuda-run/fail.h"
#include "tools/llcuda-run/report.h"

namespace llcuda::run {
namespace {

api::Request requestOf(const std::vector<int32_t>& prompt, const Options& options) {
  api::Request request;
  request.tokens = prompt;
  request.maxTokens = options.generate.maxTokens;
  request.sampler = options.generate.sampler;
  request.ignoreStop = options.generate.ignoreStop;
  request.logprobs = options.generate.logprobs == 0 ? -1 : static_cast<int32_t>(options.generate.logprobs);
  return request;
}

llcuda_step stepOf(const llcuda_event& event) {
  llcuda_step step = {};
  step.struct_bytes = sizeof(step);
  step.token = event.token;
  step.index = event.index;
  step.text = event.text;
  step.text_bytes = event.text_bytes;
  step.stops = event.stops;
  step.top_count = event.top_count;
  step.top = event.top;
  step.log_probability = event.log_probability;
  step.forced = -1;
  return step;
}

llcuda_metrics metricsOf(const llcuda_event& event) {
  llcuda_metrics metrics = {};
  metrics.struct_bytes = sizeof(metrics);
  metrics.prompt_tokens = event.prompt_tokens;
  metrics.generated_tokens = event.generated_tokens;
  metrics.decode_steps = event.generated_tokens == 0 ? 0 : event.generated_tokens - 1;
  metrics.first_token_ns = event.first_token_ns;
  metrics.prompt_ns = event.first_token_ns;
  metrics.decode_ns = event.total_ns - event.first_token_ns;
  metrics.stop_reason = event.stop_reason;
  return metrics;
}

} // namespace

int generateScheduled(api::Engine& engine, const std::vector<int32_t>& prompt, const Options& options) {
  api::Request request = requestOf(prompt, options);
  if (options.grammar) {
    const auto grammar = engine.createGrammar(options.grammar->kind, options.grammar->text);
    if (!grammar)
      return fail(grammar.error());
    request.grammar = *grammar;
  }
  auto scheduler = engine.createScheduler(schedulerOptions(options, 1));
  if (!scheduler)
    return fail(scheduler.error());
  const auto number = scheduler->submit(request);
  if (!number)
    return fail(number.error());
  Report report;
  report.promptTokens = prompt;
  for (;;)
    for (const llcuda_event& event : scheduler->poll(16, -1)) {
      if (event.kind == LLCUDA_EVENT_FAILED)
        return fail({static_cast<llcuda_status>(event.status), event.message});
      if (event.kind == LLCUDA_EVENT_TOKEN) {
        report.add(stepOf(event));
        if (!options.json)
          std::cout.write(event.text, static_cast<std::streamsize>(event.text_bytes)).flush();
      }
      if (event.kind != LLCUDA_EVENT_DONE)
        continue;
      const llcuda_metrics metrics = metricsOf(event);
      std::cout << (options.json ? jsonOf(report, metrics, options.generate.logprobs != 0) : "\n") << std::flush;
      std::cerr << timingsLine(metrics) << '\n';
      if (options.guesses())
        std::cerr << event.draft_tokens << " tokens guessed, " << event.accepted_draft_tokens << " of them right\n";
      return std::cout.good() ? LLCUDA_OK : fail({LLCUDA_INTERNAL, "standard output cannot be written"});
    }
}

} // namespace llcuda::run
