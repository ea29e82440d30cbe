// SPDX-License-Identifier: Apache-2.0
#include "tools/llcuda-tune/rounds.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <iostream>

#include <unistd.h>

#include "codegen/spec/tile_candidates.h"
#include "tools/compile-options/progress.h"

namespace llcuda::tune {
namespace {

using codegen::DecodeTileRequest;
using codegen::PromptTileRequest;
using codegen::TileTable;
using Clock = std::chrono::steady_clock;

constexpr Workload kOnGpu = {32, 4};
constexpr Workload kOnHost = {1, 1}; // hostsim is slow, and its times mean nothing

double secondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

codegen::DecodeTile chosenTile(const DecodeTileRequest& request) {
  return codegen::chooseDecodeTile(request, codegen::builtInTiles());
}
codegen::PromptTile chosenTile(const PromptTileRequest& request) {
  return codegen::choosePromptTile(request, codegen::builtInTiles());
}

auto& exceptionsFor(const DecodeTileRequest&, TileTable& table) {
  return table.decode;
}
auto& exceptionsFor(const PromptTileRequest&, TileTable& table) {
  return table.prompt;
}

/// Launches of a request and their time in microseconds.
struct Share {
  uint64_t launches = 0;
  double time = 0;
};

Share shareOf(const codegen::TileRequest& request, const codegen::TileRequests& requests, const Measurement& measured) {
  Share share;
  for (const KernelTime& kernel : measured.kernels)
    if (const auto found = requests.find(kernel.kernel); found != requests.end() && found->second == request) {
      share.launches += kernel.launches;
      share.time += kernel.microseconds;
    }
  return share;
}

class Rounds {
public:
  Rounds(const Options& options, const std::string& folder) : options(options), engine(folder + "/round.engine") {}

  Result<Tuning> run() {
    LLCUDA_RETURN_IF_ERROR(measureChosen());
    LLCUDA_RETURN_IF_ERROR(
        measureOthers("shapes", [](auto& subject) { return codegen::otherShapes(subject.request, subject.best); }));
    LLCUDA_RETURN_IF_ERROR(measureOthers(
        "occupancies", [](auto& subject) { return codegen::otherOccupancies(subject.request, subject.best); }));
    LLCUDA_RETURN_IF_ERROR(measureChosenAgain());
    return std::move(tuning);
  }

private:
  Result<pipeline::CompileReport> compile(const TileTable& tiles) const {
    pipeline::CompileOptions compile = options.compile;
    compile.output = engine;
    compile.tiles = tiles;
    tools::ProgressLine progress(tools::usualProgress());
    compile.progress = [&](pipeline::Stage stage, uint64_t done, uint64_t total) {
      progress.update(stage, done, total);
    };
    return pipeline::compileModel(compile);
  }

  Result<Measurement> run(const std::string& round, Clock::time_point start) const {
    const double compiled = secondsSince(start);
    const bool host = options.device == DeviceChoice::kHost;
    LLCUDA_ASSIGN_OR_RETURN(Measurement measured,
                            measure(engine, options.device, options.deviceIndex, host ? kOnHost : kOnGpu));
    std::fprintf(stderr, "%s: compiled in %.1f s, measured in %.1f s\n", round.c_str(), compiled,
                 secondsSince(start) - compiled);
    return measured;
  }

  Result<void> measureChosen() {
    const Clock::time_point start = Clock::now();
    LLCUDA_ASSIGN_OR_RETURN(const pipeline::CompileReport report, compile({}));
    for (const std::string& note : report.notes) std::cerr << "note: " << note << '\n';
    for (const std::string& warning : report.warnings) std::cerr << "warning: " << warning << '\n';
    LLCUDA_ASSIGN_OR_RETURN(tuning.first, run("the chosen tiles", start));
    tuning.requests = report.tileRequests;
    for (const auto& [kernel, request] : report.tileRequests) {
      const auto measured = std::ranges::find(tuning.first.kernels, kernel, &KernelTime::kernel);
      if (measured != tuning.first.kernels.end()) // else only scored prompts launch it: it keeps the chosen tile
        addSubject(request, measured->op);
    }
    return {};
  }

  void addSubject(const codegen::TileRequest& request, const std::string& op) {
    if (const auto* decode = std::get_if<DecodeTileRequest>(&request))
      subjectFor(tuning.decode, *decode).ops.insert(op);
    if (const auto* prompt = std::get_if<PromptTileRequest>(&request))
      subjectFor(tuning.prompt, *prompt).ops.insert(op);
  }

  template <typename Request, typename Tile>
  Subject<Request, Tile>& subjectFor(std::vector<Subject<Request, Tile>>& subjects, const Request& request) {
    const auto found = std::ranges::find_if(subjects, [&](const auto& other) { return other.request == request; });
    if (found != subjects.end())
      return *found;
    Subject<Request, Tile>& subject = subjects.emplace_back();
    subject.request = request;
    subject.chosen = subject.best = chosenTile(request);
    const Share share = shareOf(request, tuning.requests, tuning.first);
    subject.launches = share.launches;
    subject.chosenTime = subject.bestTime = share.time / static_cast<double>(share.launches);
    return subject;
  }

  /// Round i has candidate i of every launch that has so many, and the best so far of the others.
  template <typename CandidatesOf>
  Result<void> measureOthers(const char* what, CandidatesOf candidatesOf) {
    size_t rounds = 0;
    tuning.forEach([&](auto& subject) {
      subject.candidates = candidatesOf(subject);
      subject.candidates.resize(std::min(subject.candidates.size(), options.candidates));
      rounds = std::max(rounds, subject.candidates.size());
    });
    Tuning base = tuning;
    for (size_t i = 0; i < rounds; ++i)
      LLCUDA_RETURN_IF_ERROR(measureRound(base, i, detail::concat("other ", what, " ", i + 1, " of ", rounds)));
    return {};
  }

  Result<void> measureRound(const Tuning& base, size_t round, const std::string& name) {
    TileTable tiles;
    base.forEach([&](const auto& subject) {
      const bool has = round < subject.candidates.size();
      exceptionsFor(subject.request, tiles)
          .push_back({subject.request, has ? subject.candidates[round] : subject.best});
    });
    const Clock::time_point start = Clock::now();
    const auto report = compile(tiles);
    if (!report) {
      std::cerr << "warning: " << name << ": left out: " << report.error().message << '\n';
      return {};
    }
    LLCUDA_ASSIGN_OR_RETURN(const Measurement measured, run(name, start));
    tuning.forEach([&](auto& subject) {
      if (round >= subject.candidates.size())
        return;
      const Share share = shareOf(subject.request, report->tileRequests, measured);
      const double time = share.time / static_cast<double>(share.launches);
      if (time < subject.bestTime) {
        subject.bestTime = time;
        subject.best = subject.candidates[round];
      }
    });
    return {};
  }

  // A device that has become faster since must not make a candidate look better than it is.
  Result<void> measureChosenAgain() {
    const Clock::time_point start = Clock::now();
    LLCUDA_ASSIGN_OR_RETURN(const pipeline::CompileReport report, compile({}));
    LLCUDA_ASSIGN_OR_RETURN(const Measurement measured, run("the chosen tiles again", start));
    tuning.forEach([&](auto& subject) {
      const Share share = shareOf(subject.request, report.tileRequests, measured);
      subject.chosenTime = std::min(subject.chosenTime, share.time / static_cast<double>(share.launches));
    });
    return {};
  }

  const Options& options;
  std::string engine;
  Tuning tuning;
};

} // namespace

Result<Tuning> tune(const Options& options, const std::string& folder) {
  return Rounds(options, folder).run();
}

} // namespace llcuda::tune
