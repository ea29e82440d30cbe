// SPDX-License-Identifier: Apache-2.0
#include "tools/llcuda-tune/report.h"

#include <algorithm>
#include <cstdio>
#include <map>
#include <utility>

#include "codegen/pack/pack.h"
#include "runtime/schema/phase_facts.h"

namespace llcuda::tune {
namespace {

using codegen::DecodeTile;
using codegen::DecodeTileRequest;
using codegen::PromptTile;
using codegen::PromptTileRequest;

template <typename... Arguments>
std::string printed(const char* format, Arguments... arguments) {
  char text[512];
  std::snprintf(text, sizeof(text), format, arguments...);
  return text;
}

std::string tileText(const DecodeTile& tile) {
  return printed("%u slices, %u ahead, %u blocks", tile.slices, tile.ahead, tile.minBlocksPerSm);
}
std::string tileText(const PromptTile& tile) {
  return printed("%u x %u, warps %u x %u x %u, %u blocks", tile.rows, tile.columns, tile.warpsDown, tile.warpsAcross,
                 tile.warpsDeep, tile.minBlocksPerSm);
}

std::string requestText(const DecodeTileRequest& request) {
  return printed("%s, rows %u, %u to %u", std::string(pack::layoutFormat(request.layout)).c_str(), request.inputRows,
                 request.columns, request.outputs);
}
std::string requestText(const PromptTileRequest& request) {
  std::string layouts;
  for (const WeightLayout layout : request.layouts)
    layouts += (layouts.empty() ? "" : "/") + std::string(pack::layoutFormat(layout));
  return printed("%s, rows %u, %u to %u", layouts.c_str(), request.rows, request.inputs, request.columns);
}

/// The share of the time that is left with the best tile, where it gets into the table; else 1.
template <typename Request, typename Tile>
double leftOf(const Subject<Request, Tile>& subject, double minGain) {
  const double left = subject.bestTime / subject.chosenTime;
  return subject.best != subject.chosen && left < 1 && left <= 1 - minGain / 100 ? left : 1;
}

template <typename Request, typename Tile>
std::string lineOf(const Subject<Request, Tile>& subject, double minGain) {
  std::string ops;
  for (const std::string& op : subject.ops) ops += (ops.empty() ? "" : ", ") + op;
  const double left = leftOf(subject, minGain);
  return "| " + ops + ": " + requestText(subject.request) + " | " +
         printed("%llu", static_cast<unsigned long long>(subject.launches)) + " | " + tileText(subject.chosen) +
         printed(" | %.2f | ", subject.chosenTime) +
         (left < 1 ? tileText(subject.best) + printed(" | %.2f | %.1f %% |\n", subject.bestTime, 100 * (1 - left))
                   : "kept | | |\n");
}

struct PhaseTime {
  uint32_t runs = 0;
  double chosen = 0, best = 0; ///< microseconds of all runs
};

/// By phase and rows.
std::map<std::pair<bool, uint32_t>, PhaseTime> phaseTimes(const Tuning& tuning, double minGain) {
  std::map<std::pair<bool, uint32_t>, PhaseTime> phases;
  for (const KernelTime& kernel : tuning.first.kernels) {
    double left = 1;
    if (const auto request = tuning.requests.find(kernel.kernel); request != tuning.requests.end())
      tuning.forEach([&](const auto& subject) {
        if (request->second == codegen::TileRequest(subject.request))
          left = leftOf(subject, minGain);
      });
    PhaseTime& phase = phases[{kernel.feedsBack, kernel.rows}];
    phase.runs = kernel.runs;
    phase.chosen += kernel.microseconds;
    phase.best += kernel.microseconds * left;
  }
  return phases;
}

} // namespace

codegen::TileTable tilesOf(const Tuning& tuning, double minGain) {
  codegen::TileTable table;
  table.device = tuning.first.device;
  for (const auto& subject : tuning.decode)
    if (leftOf(subject, minGain) < 1)
      table.decode.push_back({subject.request, subject.best});
  for (const auto& subject : tuning.prompt)
    if (leftOf(subject, minGain) < 1)
      table.prompt.push_back({subject.request, subject.best});
  return table;
}

std::string reportOf(const Tuning& tuning, double minGain) {
  std::string text = "| launch | launches | chosen tile | us | best tile | us | gain |\n"
                     "| --- | ---: | --- | ---: | --- | ---: | ---: |\n";
  tuning.forEach([&](const auto& subject) { text += lineOf(subject, minGain); });
  text += "\n";
  for (const auto& [key, phase] : phaseTimes(tuning, minGain))
    text +=
        printed("%s, rows %u: %.1f us of kernels, %.1f with the table (%.1f %% less)\n", phaseName(key.first),
                key.second, phase.chosen / phase.runs, phase.best / phase.runs, 100 * (1 - phase.best / phase.chosen));
  return text;
}

} // namespace llcuda::tune
