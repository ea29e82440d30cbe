// SPDX-License-Identifier: Apache-2.0
#include "tools/llcuda-run/batch.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <optional>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include <unistd.h>

#include "tools/llcuda-run/batch_answer.h"
#include "tools/llcuda-run/batch_output.h"
#include "tools/llcuda-run/batch_request.h"
#include "tools/llcuda-run/fail.h"

namespace llcuda::run {
namespace {

using Clock = std::chrono::steady_clock;

double secondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/// How far it is, once a second where somebody watches, else twice a minute.
class Progress {
public:
  Progress(uint64_t all, uint64_t before) : all(all), before(before) {}

  void note(uint64_t generated, bool failed) {
    ++done;
    failures += failed;
    tokens += generated;
  }
  void show(bool last) {
    const double now = secondsSince(start);
    if (!last && now - shown < (isWatched ? 1 : 30))
      return;
    shown = now;
    const uint64_t left = all - before - done;
    std::fprintf(stderr, "%sbatch: %llu/%llu answered, %llu of them refused or failed, %.1f tok/s",
                 isWatched ? "\r\033[K" : "", static_cast<unsigned long long>(before + done),
                 static_cast<unsigned long long>(all), static_cast<unsigned long long>(failures),
                 now > 0 ? static_cast<double>(tokens) / now : 0.);
    if (left > 0 && done > 0) {
      const auto seconds = static_cast<unsigned long long>(now / static_cast<double>(done) * static_cast<double>(left));
      std::fprintf(stderr, ", %llu:%02llu:%02llu left", seconds / 3600, seconds / 60 % 60, seconds % 60);
    }
    std::fputs(isWatched && !last ? "" : "\n", stderr);
  }

private:
  const uint64_t all, before;
  const bool isWatched = ::isatty(STDERR_FILENO) == 1;
  const Clock::time_point start = Clock::now();
  double shown = 0;
  uint64_t done = 0, failures = 0, tokens = 0;
};

class Batch {
public:
  Batch(api::Engine& engine, api::Scheduler& scheduler, const Options& options, BatchOutput& output, uint64_t lines)
      : engine(engine), scheduler(scheduler), options(options), output(output), input(options.batch, std::ios::binary),
        progress(lines, output.answered().size()) {}

  Result<void> run() {
    while (submitSome() || !running.empty() || next) {
      if (failure)
        return *failure;
      for (const llcuda_event& event : scheduler.poll(64, running.empty() ? 0 : 500))
        LLCUDA_RETURN_IF_ERROR(hear(event));
      progress.show(false);
    }
    if (failure)
      return *failure;
    progress.show(true);
    return {};
  }

private:
  struct Running {
    BatchRequest request;
    BatchAnswer answer;
  };

  /// The next line that has no answer.
  bool readLine() {
    for (std::string text; std::getline(input, text);) {
      ++line;
      if (text.find_first_not_of(" \t\r") == std::string::npos)
        continue;
      const std::string id = std::get<std::string>(customIdOf(text));
      if (output.answered().contains(id))
        continue;
      api::GenerateOptions defaults = options.generate;
      *defaults.sampler->seed += line; // the same prompt twice is asked twice
      auto parsed = batchRequestOf(text, line, engine, defaults);
      if (auto* request = std::get_if<BatchRequest>(&parsed)) {
        next = std::move(*request);
        return true;
      }
      if (!refuse(id, line, std::get<BatchRefusal>(parsed)))
        return false;
    }
    return false;
  }

  bool refuse(const std::string& id, uint64_t number, const BatchRefusal& refusal) {
    progress.note(0, true);
    if (const Result<void> written = output.append(refusalLine(id, number, refusal)); !written)
      failure = written.error();
    return !failure;
  }

  /// Until the scheduler has enough to do; false when there is nothing to submit.
  bool submitSome() {
    while (!failure && (next || readLine())) {
      const auto number = scheduler.submit(next->request);
      if (number) {
        running.emplace(*number, Running{*std::exchange(next, std::nullopt), {}});
        continue;
      }
      if (number.error().status == LLCUDA_BUSY)
        return true;
      refuse(next->customId, next->line, {400, number.error().message, {}});
      next.reset();
    }
    return false;
  }

  Result<void> hear(const llcuda_event& event) {
    const auto found = running.find(event.request);
    if (found == running.end())
      return {};
    auto& [request, answer] = found->second;
    answer.hear(event, engine, request.request);
    if (event.kind != LLCUDA_EVENT_DONE && event.kind != LLCUDA_EVENT_FAILED)
      return {};
    // A device that broke is no answer: the next start asks again.
    if (event.kind == LLCUDA_EVENT_FAILED && event.status != LLCUDA_BAD_INPUT)
      return Error{static_cast<ErrorCode>(event.status), event.message};
    const bool failed = event.kind == LLCUDA_EVENT_FAILED;
    LLCUDA_RETURN_IF_ERROR(output.append(failed ? refusalLine(request.customId, request.line, {500, event.message, {}})
                                                : answerLine(request, answer, engine)));
    progress.note(event.generated_tokens, failed);
    running.erase(found);
    return {};
  }

  api::Engine& engine;
  api::Scheduler& scheduler;
  const Options& options;
  BatchOutput& output;
  std::ifstream input;
  uint64_t line = 0;
  std::optional<BatchRequest> next; // read and not submitted
  std::unordered_map<uint64_t, Running> running;
  Progress progress;
  std::optional<Error> failure;
};

/// How many requests the file has. Every line is a request, and no two have one name: else it could not be said which
/// of them is answered.
Result<uint64_t> countRequests(const std::string& path, const BatchOutput& output) {
  std::ifstream file(path, std::ios::binary);
  if (!file)
    return badInput(path, ": cannot be opened");
  std::unordered_map<std::string, uint64_t> lines;
  uint64_t number = 0, known = 0;
  for (std::string text; std::getline(file, text);) {
    ++number;
    if (text.find_first_not_of(" \t\r") == std::string::npos)
      continue;
    const auto id = customIdOf(text);
    if (const auto* refusal = std::get_if<BatchRefusal>(&id))
      return badInput(path, ": line ", number, " ", refusal->message);
    const auto [entry, isNew] = lines.emplace(std::get<std::string>(id), number);
    if (!isNew)
      return badInput(path, ": lines ", entry->second, " and ", number, " have the same custom_id");
    known += output.answered().contains(entry->first);
  }
  if (known != output.answered().size())
    return usageError("the output has ", output.answered().size() - known, " answers to requests that ", path,
                      " does not have: it is the output of another batch");
  return lines.size();
}

} // namespace

int runBatch(api::Engine& engine, const Options& options, const std::vector<InputFile>& inputs) {
  auto output = BatchOutput::open(options.output, inputs);
  if (!output)
    return fail(output.error());
  const Result<uint64_t> lines = countRequests(options.batch, *output);
  if (!lines)
    return fail(lines.error());
  api::SchedulerOptions wanted = schedulerOptions(options, options.slots);
  wanted.queue = 2 * (options.slots == 0 ? engine.info().max_batch : options.slots);
  auto scheduler = engine.createScheduler(wanted);
  if (!scheduler)
    return fail(scheduler.error());
  const Result<void> done = Batch(engine, *scheduler, options, *output, *lines).run();
  return done ? LLCUDA_OK : fail(done.error());
}

} // namespace llcuda::run
