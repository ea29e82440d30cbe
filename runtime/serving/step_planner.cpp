// SPDX-License-Identifier: Apache-2.0
#include "runtime/serving/step_planner.h"

#include <algorithm>
#include <functional>
#include <limits>
#include <numeric>
#include <optional>

namespace llcuda::serving {
namespace {

constexpr double kEver = std::numeric_limits<double>::infinity();
/// What a long prompt is cut into beside rows that leave no time for it: a run of fewer rows takes about as long.
constexpr uint32_t kFewRows = 64;

class Planner {
public:
  Planner(const StepState& state, std::span<const PromptShape> phases, const StepCosts& costs,
          const PlannerOptions& options)
      : state(state), phases(phases), costs(costs), options(options), rowRuns(state.rows.size(), true) {
    order.resize(state.prompts.size());
    std::iota(order.begin(), order.end(), 0u);
    std::ranges::sort(order, [&](uint32_t a, uint32_t b) {
      return state.prompts[a].standing.precedes(state.prompts[b].standing, options.aging);
    });
    for (const uint32_t index : order) done.push_back(0), lengths.push_back(state.prompts[index].left);
    uint32_t widest = 0;
    for (const PromptShape& phase : phases) widest = std::max(widest, phase.rows);
    leastRows = widest;
    for (const PromptShape& phase : phases)
      if (phase.rows >= std::min(kFewRows, widest))
        leastRows = std::min(leastRows, phase.rows);
  }

  StepPlan plan() {
    makeRoom();
    addRuns();
    return std::move(result);
  }

private:
  // ------------------------------------------------------------------------------------------------ pages

  bool fits(const PageCounts& free) const {
    for (std::size_t group = 0; group < free.size(); ++group) {
      uint64_t wanted = 0;
      for (std::size_t row = 0; row < state.rows.size(); ++row)
        if (rowRuns[row])
          wanted += state.rows[row].missing[group];
      if (wanted > free[group])
        return false;
    }
    return true;
  }

  /// Aging lets nobody keep pages: what counts is priority, then who came last.
  static bool isWorse(const Standing& a, const Standing& b) {
    return a.priority != b.priority ? a.priority < b.priority : a.arrival > b.arrival;
  }

  void makeRoom() {
    PageCounts free = state.free;
    std::size_t running = state.rows.size() + order.size();
    while (!fits(free) && running > 1) {
      std::optional<uint32_t> row, prompt; // the worst of each
      for (uint32_t i = 0; i < state.rows.size(); ++i)
        if (rowRuns[i] && (!row || isWorse(state.rows[i].standing, state.rows[*row].standing)))
          row = i;
      for (uint32_t i = 0; i < order.size(); ++i)
        if (!prompt || isWorse(state.prompts[order[i]].standing, state.prompts[order[*prompt]].standing))
          prompt = i;
      const bool takesPrompt =
          prompt && (!row || isWorse(state.prompts[order[*prompt]].standing, state.rows[*row].standing));
      const PageCounts& held = takesPrompt ? state.prompts[order[*prompt]].held : state.rows[*row].held;
      for (std::size_t group = 0; group < free.size(); ++group) free[group] += held[group];
      if (takesPrompt) {
        result.pausedPrompts.push_back(order[*prompt]);
        for (auto* list : {&order, &done, &lengths}) list->erase(list->begin() + *prompt);
      } else {
        result.pausedRows.push_back(*row);
        rowRuns[*row] = false;
      }
      --running;
    }
  }

  // ------------------------------------------------------------------------------------------------- runs

  StepRows decodeRows() const {
    StepRows step = {.rows = 0, .sequences = 0};
    for (std::size_t row = 0; row < state.rows.size(); ++row)
      if (rowRuns[row]) {
        ++step.rows, ++step.sequences;
        step.positions += state.rows[row].position + 1;
      }
    return step;
  }

  /// A stream gets used to steps of all who are there: those whose prompt ends in a while make them longer soon.
  double longestStep(StepRows step) const {
    const bool isCrowded = order.size() > step.rows;
    for (const uint32_t index : order) {
      const PromptState& prompt = state.prompts[index];
      if (!prompt.samples)
        continue;
      ++step.rows, ++step.sequences;
      step.positions += prompt.first + prompt.left + 1;
    }
    return (isCrowded ? kCrowdedSteps : kDecodeSteps) * costs.decode(step);
  }

  /// The run by indices of the state, its tokens counted from the first that is left.
  PromptRun named(PromptRun run, uint32_t skipped, std::span<const uint32_t> phaseOf) const {
    run.phase = phaseOf[run.phase];
    for (PromptPiece& piece : run.pieces) {
      const uint32_t at = piece.prompt + skipped;
      piece.first += done[at];
      piece.prompt = order[at];
    }
    return run;
  }

  double costOf(const PromptRun& run) const {
    StepTails tails;
    uint32_t scored = 0;
    for (const PromptPiece& piece : run.pieces) {
      const PromptState& prompt = state.prompts[piece.prompt];
      tails.sample |= prompt.samples && piece.first + piece.tokens == prompt.left;
      tails.pool |= prompt.pooled;
      scored += prompt.scored ? piece.tokens : 0;
    }
    if (scored != 0)
      tails.scoreRuns = (scored + phases[run.phase].scores - 1) / phases[run.phase].scores;
    return costs.prompt(run.phase, tails, stepRowsOf(run, state.prompts));
  }

  /// The next run of phases of at most `mostRows` rows and at most `budget` milliseconds; nothing when no tokens are
  /// left, when there is none, or within a budget only one that is hardly worth its time.
  std::optional<PromptRun> runWithin(double budget, uint32_t mostRows = UINT32_MAX) const {
    const auto skipped = static_cast<uint32_t>(std::ranges::find_if(lengths, std::identity()) - lengths.begin());
    if (skipped == lengths.size())
      return std::nullopt;
    std::vector<PromptShape> shapes;
    std::vector<uint32_t> phaseOf;
    for (uint32_t phase = 0; phase < phases.size(); ++phase)
      if (phases[phase].rows <= mostRows)
        shapes.push_back(phases[phase]), phaseOf.push_back(phase);
    while (!shapes.empty()) {
      PromptRun cut = firstPromptRun(shapes, std::span(lengths).subspan(skipped));
      const uint32_t chosen = cut.phase;
      PromptRun run = named(std::move(cut), skipped, phaseOf);
      if (budget != kEver && phases[run.phase].rows < leastRows && !isAll(run))
        return std::nullopt;
      if (costOf(run) <= budget)
        return run;
      shapes.erase(shapes.begin() + chosen);
      phaseOf.erase(phaseOf.begin() + chosen);
    }
    return std::nullopt;
  }

  /// Whether nothing is left behind it.
  bool isAll(const PromptRun& run) const {
    uint32_t tokens = 0;
    for (const PromptPiece& piece : run.pieces) tokens += piece.tokens;
    return tokens == std::accumulate(lengths.begin(), lengths.end(), 0u);
  }

  void add(PromptRun run) {
    for (const PromptPiece& piece : run.pieces) {
      const auto at = static_cast<std::size_t>(std::ranges::find(order, piece.prompt) - order.begin());
      done[at] += piece.tokens;
      lengths[at] -= piece.tokens;
    }
    result.runs.push_back(std::move(run));
  }

  void addRuns() {
    const StepRows rows = decodeRows();
    if (rows.rows == 0) {
      if (std::optional<PromptRun> run = runWithin(kEver))
        add(*std::move(run));
      return;
    }
    double budget = (options.target > 0 ? options.target : longestStep(rows)) - costs.decode(rows);
    while (result.runs.size() < options.mostRuns) {
      std::optional<PromptRun> run = runWithin(budget);
      if (!run && result.runs.empty())
        run = runWithin(kEver, leastRows); // nobody waits for ever
      if (!run)
        return;
      budget -= costOf(*run);
      add(*std::move(run));
    }
  }

  const StepState& state;
  std::span<const PromptShape> phases;
  const StepCosts& costs;
  const PlannerOptions& options;
  StepPlan result;
  uint32_t leastRows = 0; // of the phase that a long prompt is cut for when nothing else fits
  std::vector<bool> rowRuns;
  std::vector<uint32_t> order, done, lengths; // prompts that run; of each: tokens in runs of this step, tokens left
};

} // namespace

bool Standing::precedes(const Standing& other, double aging) const {
  const bool old = waited >= aging, otherOld = other.waited >= aging;
  if (old != otherOld)
    return old;
  if (!old && priority != other.priority)
    return priority > other.priority;
  return turn != other.turn ? turn < other.turn : arrival < other.arrival;
}

StepPlan planStep(const StepState& state, std::span<const PromptShape> phases, const StepCosts& costs,
                  const PlannerOptions& options) {
  return Planner(state, phases, costs, options).plan();
}

StepRows stepRowsOf(const PromptRun& run, std::span<const PromptState> prompts) {
  StepRows step = {.rows = 0, .sequences = static_cast<uint32_t>(run.pieces.size())};
  for (const PromptPiece& piece : run.pieces) {
    step.rows += piece.tokens;
    step.positions += prompts[piece.prompt].first + piece.first + piece.tokens;
  }
  return step;
}

} // namespace llcuda::serving
