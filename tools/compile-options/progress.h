// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>

#include "compiler/pipeline/compile.h"

namespace llcuda::tools {

enum class ProgressForm {
  kNone,
  kLine, ///< one line on a terminal, which is written over
  kJson, ///< an object a line: {"stage": "kernels", "done": 3, "total": 23}
};

/// kLine on a terminal, else kNone.
ProgressForm usualProgress();

/// Says on standard error how far each stage is.
class ProgressLine {
public:
  explicit ProgressLine(ProgressForm form) : form(form) {}
  ~ProgressLine() { clear(); }

  void update(pipeline::Stage stage, uint64_t done, uint64_t total);
  /// Takes the line away, so that other output starts at the margin.
  void clear();

private:
  struct Count {
    uint64_t done = 0, total = 0;
  };
  std::map<pipeline::Stage, Count> stages;
  ProgressForm form;
  bool shown = false;
};

} // namespace llcuda::tools
