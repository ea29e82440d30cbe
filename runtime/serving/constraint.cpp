// SPDX-License-Identifier: Apache-2.0
#include "runtime/serving/constraint.h"

#include <algorithm>
#include <utility>

namespace llcuda::serving {

Constraint::Constraint(MaskWorkers& workers, std::shared_ptr<const text::Grammar> grammar,
                       std::vector<std::string> given, const text::Tokenizer& tokenizer)
    : workers(workers), tokenizer(tokenizer), triggers(std::move(given)), active(triggers.empty()),
      masks(workers.begin(std::move(grammar))) {
  for (const std::string& trigger : triggers) longest = std::max(longest, trigger.size());
}

Constraint::~Constraint() {
  workers.drop(std::move(masks));
}

void Constraint::push(int32_t token) {
  if (active) {
    workers.advance(masks, token);
    return;
  }
  seen += tokenizer.piece(token); // of a special token its name, in which no trigger ends
  const bool isSpecial = tokenizer.isSpecial(token);
  std::size_t end = std::string::npos;
  for (const std::string& trigger : triggers) {
    const std::size_t found =
        isSpecial ? (seen.ends_with(trigger) ? seen.size() - trigger.size() : std::string::npos) : seen.find(trigger);
    if (found != std::string::npos)
      end = std::min(end, found + trigger.size());
  }
  if (end == std::string::npos) {
    seen.erase(0, seen.size() - std::min(seen.size(), longest - 1));
    return;
  }
  active = true;
  if (end != seen.size())
    workers.advance(masks, seen.substr(end));
}

} // namespace llcuda::serving
