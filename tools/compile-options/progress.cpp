// SPDX-License-Identifier: Apache-2.0
#include "tools/compile-options/progress.h"

#include <iostream>
#include <sstream>

#include <unistd.h>

namespace llcuda::tools {
namespace {

const char* nameOf(pipeline::Stage stage) {
  switch (stage) {
  case pipeline::Stage::kKernels:
    return "kernels";
  case pipeline::Stage::kHostImage:
    return "host kernels";
  case pipeline::Stage::kGolden:
    return "reference pass";
  case pipeline::Stage::kWeights:
    return "weights";
  }
  return "";
}

} // namespace

ProgressForm usualProgress() {
  return ::isatty(STDERR_FILENO) == 1 ? ProgressForm::kLine : ProgressForm::kNone;
}

void ProgressLine::update(pipeline::Stage stage, uint64_t done, uint64_t total) {
  if (form == ProgressForm::kNone)
    return;
  if (form == ProgressForm::kJson) {
    std::ostringstream object;
    object << "{\"stage\": \"" << nameOf(stage) << "\", \"done\": " << done << ", \"total\": " << total << "}\n";
    std::cerr << object.str() << std::flush;
    return;
  }
  stages[stage] = {done, total};
  std::ostringstream line;
  for (const auto& [stage, count] : stages) {
    line << (line.tellp() > 0 ? "  " : "") << nameOf(stage) << ' ';
    if (stage == pipeline::Stage::kWeights)
      line << (count.total == 0 ? 100 : count.done * 100 / count.total) << " %";
    else
      line << count.done << '/' << count.total;
  }
  std::cerr << "\r\033[K" << line.str() << std::flush;
  shown = true;
}

void ProgressLine::clear() {
  if (shown)
    std::cerr << "\r\033[K" << std::flush;
  shown = false;
}

} // namespace llcuda::tools
