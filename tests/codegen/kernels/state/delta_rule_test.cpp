// SPDX-License-Identifier: Apache-2.0
#include "codegen/kernels/state/delta_rule.cuh"

#include <algorithm>
#include <limits>

#include <gtest/gtest.h>

#include "codegen/reference/delta_rule.h"
#include "runtime/hostsim/launch.h"
#include "tests/codegen/kernels/state/phase_rows.h"

namespace llcuda {
namespace {

using test::Part;
using test::PhaseRows;

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr int kSlots = 3, kLength = 160;

/// What all phases share of a shape.
struct Heads {
  int keyHeads, valueHeads, headSize;
  bool grouped, logRate;

  constexpr int columns() const { return (2 * keyHeads + valueHeads) * headSize; }
  constexpr int outputs() const { return valueHeads * headSize; }
};

/// Sequences of kLength tokens, one of each slot, and what the kernel makes of them in phases of the caller's cut.
template <Heads kHeads>
class Sequences {
public:
  Sequences()
      : x(test::normal(size_t{kSlots} * kLength * kHeads.columns(), 3)),
        decay(test::normal(size_t{kSlots} * kLength * kHeads.valueHeads, 4, 2.f)),
        beta(test::normal(size_t{kSlots} * kLength * kHeads.valueHeads, 5)), rate(test::normal(kHeads.valueHeads, 6)),
        dt(test::normal(kHeads.valueHeads, 7)), state(size_t{kSlots} * 2 * kHeads.outputs() * kHeads.headSize, 0.f),
        y(size_t{kSlots} * kLength * kHeads.outputs(), kNan) {
    if (!kHeads.logRate)
      for (float& r : rate) r = -std::abs(r);
  }

  template <int kRows, int kRowBlock>
  void run(const std::vector<Part>& parts) {
    constexpr DeltaRuleShape kShape = {kHeads.keyHeads, kHeads.valueHeads, kHeads.headSize, kRows,
                                       kRowBlock,       kHeads.grouped,    kHeads.logRate};
    const PhaseRows phase(kRows, kRowBlock, parts);
    const std::vector<float> rowsOfX = gathered(x, kHeads.columns(), phase, parts);
    const std::vector<float> rowsOfDecay = gathered(decay, kHeads.valueHeads, phase, parts);
    const std::vector<float> rowsOfBeta = gathered(beta, kHeads.valueHeads, phase, parts);
    std::vector<float> out(size_t{kRows} * kHeads.outputs(), kNan);
    hostsim::launch(
        {.grid = {kHeads.outputs() / kDeltaColumns, (kRows + kRowBlock - 1) / kRowBlock}, .block = kDeltaThreads}, [&] {
          deltaRule<kShape>(rowsOfX.data(), rowsOfDecay.data(), rowsOfBeta.data(), rate.data(), dt.data(),
                            phase.positions.data(), phase.slots.data(), state.data(), out.data());
        });
    for (size_t p = 0; p < parts.size(); ++p)
      std::copy_n(out.begin() + phase.firstRows[p] * kHeads.outputs(), parts[p].count * kHeads.outputs(),
                  row(y, kHeads.outputs(), parts[p].slot, parts[p].position));
    for (int r = 0; r < kRows; ++r)
      if (phase.positions[r] < 0) {
        EXPECT_EQ(std::count(out.begin() + r * kHeads.outputs(), out.begin() + (r + 1) * kHeads.outputs(), 0.f),
                  kHeads.outputs())
            << r;
      }
  }

  void runStepByStep(int slot, int count) {
    for (int p = 0; p < count; ++p) run<1, 1>({{slot, p, 1}});
  }

  void expectReference(int slot, int count) const {
    const reference::DeltaRuleShape shape = {static_cast<size_t>(kHeads.keyHeads),
                                             static_cast<size_t>(kHeads.valueHeads),
                                             static_cast<size_t>(kHeads.headSize), kHeads.grouped, kHeads.logRate};
    const size_t size = shape.headSize;
    std::vector<double> states(shape.stateElements()), query(size), key(size), expected(size);
    double error = 0, power = 0;
    for (int p = 0; p < count; ++p)
      for (size_t head = 0; head < shape.valueHeads; ++head) {
        reference::deltaRule<double>(shape, head, row(x, kHeads.columns(), slot, p),
                                     row(decay, kHeads.valueHeads, slot, p)[head],
                                     row(beta, kHeads.valueHeads, slot, p)[head], rate[head], dt[head],
                                     states.data() + head * size * size, query.data(), key.data(), expected.data());
        for (size_t i = 0; i < size; ++i) {
          const double difference = row(y, kHeads.outputs(), slot, p)[head * size + i] - expected[i];
          error += difference * difference;
          power += expected[i] * expected[i];
        }
      }
    EXPECT_LT(error, 1e-10 * power) << slot;
  }

  bool sameAs(const Sequences& other, int slot, int count) const {
    return std::equal(row(y, kHeads.outputs(), slot, 0), row(y, kHeads.outputs(), slot, count),
                      row(other.y, kHeads.outputs(), slot, 0));
  }

private:
  template <typename Values>
  static auto* row(Values& values, int columns, int slot, int position) {
    return values.data() + (static_cast<size_t>(slot) * kLength + static_cast<size_t>(position)) * columns;
  }
  static std::vector<float> gathered(const std::vector<float>& values, int columns, const PhaseRows& phase,
                                     const std::vector<Part>& parts) {
    std::vector<float> rows(phase.positions.size() * columns, kNan);
    for (size_t p = 0; p < parts.size(); ++p)
      std::copy_n(row(values, columns, parts[p].slot, parts[p].position), parts[p].count * columns,
                  rows.begin() + phase.firstRows[p] * columns);
    return rows;
  }

  std::vector<float> x, decay, beta, rate, dt, state, y;
};

constexpr Heads kTiled = {2, 4, 32, false, false}, kGrouped = {2, 4, 32, true, true}, kWide = {1, 2, 128, false, false};

TEST(DeltaRule, Steps) {
  Sequences<kTiled> tiled;
  Sequences<kGrouped> grouped;
  Sequences<kWide> wide;
  tiled.runStepByStep(1, 100);
  tiled.expectReference(1, 100);
  grouped.runStepByStep(0, 30);
  grouped.expectReference(0, 30);
  wide.runStepByStep(2, 20);
  wide.expectReference(2, 20);
}

// A sequence's bits are those of one token after another, however it is cut and whoever is beside it: even and odd
// lengths, which end in the copy that they began with or in the other one.
TEST(DeltaRule, CutsAgree) {
  Sequences<kTiled> steps, cut, few;
  for (int slot = 0; slot < 3; ++slot) steps.runStepByStep(slot, 110);
  cut.run<192, 64>({{2, 0, 1}, {0, 0, 64}, {1, 0, 2}});
  cut.run<128, 64>({{1, 2, 3}, {2, 1, 63}});
  cut.run<192, 64>({{0, 64, 46}, {1, 5, 105}});
  cut.run<64, 64>({{2, 64, 46}});
  few.run<8, 1>({{1, 0, 3}, {0, 0, 4}});
  few.run<8, 1>({{0, 4, 1}, {2, 0, 1}, {1, 3, 5}});
  for (int slot = 0; slot < 3; ++slot) EXPECT_TRUE(cut.sameAs(steps, slot, 110)) << slot;
  EXPECT_TRUE(few.sameAs(steps, 0, 5) && few.sameAs(steps, 1, 8) && few.sameAs(steps, 2, 1));
  cut.expectReference(0, 110);
}

// A step that is held, or that turned out to be one too many, is run again.
TEST(DeltaRule, TheLastStepCanBeRunAgain) {
  Sequences<kGrouped> once, twice;
  once.runStepByStep(1, 12);
  for (int p = 0; p < 12; ++p)
    for (int again = 0; again < 2; ++again) twice.run<2, 1>({{1, p, 1}});
  EXPECT_TRUE(twice.sameAs(once, 1, 12));
}

} // namespace
} // namespace llcuda
