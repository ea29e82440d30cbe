// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>

#include "compiler/pipeline/compile.h"

namespace llcuda::tools {

/// A line on a terminal that says how far each stage is; silent elsewhere.
class ProgressLine {
public:
  explicit ProgressLine(bool terminal) : terminal(terminal) {}
  ~ProgressLine() { clear(); }

  void update(pipeline::Stage stage, uint64_t done, uint64_t total);
  /// Takes the line away, so that other output starts at the margin.
  void clear();

private:
  struct Count {
    uint64_t done = 0, total = 0;
  };
  std::map<pipeline::Stage, Count> stages;
  bool terminal;
  bool shown = false;
};

} // namespace llcuda::tools
