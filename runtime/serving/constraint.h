// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "runtime/serving/mask_workers.h"
#include "runtime/text/tokenizer.h"

namespace llcuda::serving {

/// The grammar of one request: from the start, or from the end of the first of its triggers on.
class Constraint {
public:
  /// The workers and the tokenizer outlive it. None of the triggers is empty.
  Constraint(MaskWorkers& workers, std::shared_ptr<const text::Grammar> grammar, std::vector<std::string> triggers,
             const text::Tokenizer& tokenizer);
  ~Constraint();
  Constraint(const Constraint&) = delete;
  Constraint& operator=(const Constraint&) = delete;

  /// Whether the next token has to be of the grammar.
  bool isActive() const { return active; }
  /// A token of the answer; its mask, or that of what follows it, is begun.
  void push(int32_t token);
  const std::shared_ptr<MaskJob>& job() const { return masks; }

private:
  MaskWorkers& workers;
  const text::Tokenizer& tokenizer;
  std::vector<std::string> triggers;
  std::size_t longest = 0; // of the triggers
  std::string seen;        // the end of the text, in which a trigger may begin
  bool active;
  std::shared_ptr<MaskJob> masks;
};

} // namespace llcuda::serving
