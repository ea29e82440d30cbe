// SPDX-License-Identifier: Apache-2.0
#include "codegen/kernels/state/short_conv.cuh"

#include <algorithm>
#include <limits>

#include <gtest/gtest.h>

#include "codegen/reference/short_conv.h"
#include "runtime/hostsim/launch.h"
#include "tests/codegen/kernels/decode_testing.h"
#include "tests/codegen/kernels/state/phase_rows.h"

namespace llcuda {
namespace {

using test::Part;
using test::PhaseRows;

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr int kSlots = 4, kLength = 200;

/// Sequences of kLength tokens, one of each slot, and what the kernel makes of them in phases of the caller's cut.
template <ShortConvShape kShape>
class Sequences {
public:
  static constexpr int kColumns = kShape.columns, kInputs = kColumns * (kShape.gated ? 3 : 1);

  Sequences()
      : inputs(test::normal(size_t{kSlots} * kLength * kInputs, 7)),
        taps(test::normal(size_t{kColumns} * kShape.taps, 8)), state(size_t{kSlots} * kShape.taps * kColumns, 0.f),
        y(size_t{kSlots} * kLength * kColumns, kNan) {}

  void run(int rows, int rowBlock, const std::vector<Part>& parts) {
    const PhaseRows phase(rows, rowBlock, parts);
    std::vector<float> x(static_cast<size_t>(rows) * kInputs, kNan), out(static_cast<size_t>(rows) * kColumns, kNan);
    for (size_t p = 0; p < parts.size(); ++p)
      std::copy_n(row(inputs, kInputs, parts[p].slot, parts[p].position), parts[p].count * kInputs,
                  x.begin() + phase.firstRows[p] * kInputs);
    const uint32_t blocks = (kColumns / 4 + kShape.threads - 1) / kShape.threads;
    hostsim::launch({.grid = {blocks, static_cast<uint32_t>(rows)}, .block = kShape.threads}, [&] {
      shortConv<kShape, RowForms{.f32 = true}>(x.data(), taps.data(), phase.positions.data(), phase.slots.data(),
                                               state.data(), out.data(), nullptr, nullptr);
    });
    for (size_t p = 0; p < parts.size(); ++p)
      std::copy_n(out.begin() + phase.firstRows[p] * kColumns, parts[p].count * kColumns,
                  row(y, kColumns, parts[p].slot, parts[p].position));
    for (int r = 0; r < rows; ++r)
      if (phase.positions[r] < 0) {
        EXPECT_EQ(std::count(out.begin() + r * kColumns, out.begin() + (r + 1) * kColumns, 0.f), kColumns) << r;
      }
  }

  void expectReference(int slot, int count) const {
    std::vector<double> u(static_cast<size_t>(count) * kColumns), expected(kColumns);
    for (int p = 0; p < count; ++p)
      for (int c = 0; c < kColumns; ++c) {
        const float* from = row(inputs, kInputs, slot, p);
        u[p * kColumns + c] = kShape.gated ? double{from[c]} * from[2 * kColumns + c] : from[c];
      }
    for (int p = 0; p < count; ++p) {
      std::vector<const double*> last;
      for (int j = p + 1 - kShape.taps; j <= p; ++j) last.push_back(j < 0 ? nullptr : u.data() + j * kColumns);
      reference::shortConv<double>(last.data(), taps.data(), kColumns, kShape.taps, kShape.silu, expected.data());
      for (int c = 0; c < kColumns; ++c) {
        const double gate = kShape.gated ? row(inputs, kInputs, slot, p)[kColumns + c] : 1.;
        ASSERT_NEAR(row(y, kColumns, slot, p)[c], gate * expected[c], 2e-5) << slot << " " << p << " " << c;
      }
    }
  }

  bool sameAs(const Sequences& other, int slot, int count) const {
    return std::equal(row(y, kColumns, slot, 0), row(y, kColumns, slot, 0) + count * kColumns,
                      row(other.y, kColumns, slot, 0));
  }

  void clear(int slot) { std::fill_n(state.begin() + slot * kShape.taps * kColumns, kShape.taps * kColumns, 0.f); }

private:
  template <typename Values>
  static auto* row(Values& values, int columns, int slot, int position) {
    return values.data() + (static_cast<size_t>(slot) * kLength + static_cast<size_t>(position)) * columns;
  }

  std::vector<float> inputs, taps, state, y;
};

constexpr ShortConvShape kGated = {.columns = 36, .taps = 3, .gated = true, .silu = false, .threads = 32};
constexpr ShortConvShape kPlain = {.columns = 140, .taps = 4, .gated = false, .silu = true, .threads = 32};

template <ShortConvShape kShape>
void runStepByStep(Sequences<kShape>& sequences, int slot, int count) {
  for (int p = 0; p < count; ++p) sequences.run(1, 1, {{slot, p, 1}});
}

template <ShortConvShape kShape>
void expectCutsAgree() {
  Sequences<kShape> steps, whole, cut, few;
  for (int slot = 0; slot < 3; ++slot) runStepByStep(steps, slot, 150);
  for (int slot = 0; slot < 3; ++slot) steps.expectReference(slot, 150);
  whole.run(192, 64, {{0, 0, 150}});
  // Several sequences in a phase, parts that begin anywhere and are shorter than the taps.
  cut.run(256, 64, {{2, 0, 1}, {0, 0, 65}, {1, 0, 2}});
  cut.run(128, 64, {{2, 1, 64}, {1, 2, 3}});
  cut.run(192, 64, {{1, 5, 60}, {0, 65, 85}});
  cut.run(256, 64, {{2, 65, 85}, {1, 65, 85}});
  few.run(8, 1, {{1, 0, 3}, {0, 0, 4}});
  few.run(8, 1, {{0, 4, 1}, {2, 0, 1}, {1, 3, 5}});
  few.run(8, 1, {{2, 1, 7}});
  EXPECT_TRUE(whole.sameAs(steps, 0, 150));
  for (int slot = 0; slot < 3; ++slot) EXPECT_TRUE(cut.sameAs(steps, slot, 150)) << slot;
  for (int slot = 0; slot < 3; ++slot) EXPECT_TRUE(few.sameAs(steps, slot, slot == 0 ? 5 : 8)) << slot;
}

// A sequence's bits are those of one token after another, however it is cut and whoever is beside it.
TEST(ShortConv, CutsAgree) {
  expectCutsAgree<kGated>();
  expectCutsAgree<kPlain>();
}

// Int8 rows are those of the f32 rows beside them: a warp of idle lanes, padding, rows that others make.
template <RowOrder kOrder>
void expectInt8Rows() {
  constexpr ShortConvShape kShape = {.columns = 96, .taps = 3, .gated = true, .silu = false, .threads = 32};
  const PhaseRows phase(8, 8, {{1, 0, 5}});
  const std::vector<float> x = test::normal(8 * 3 * 96, 7), taps = test::normal(3 * 96, 8);
  std::vector<float> state(size_t{kSlots} * 3 * 96), y(8 * 96, kNan);
  testing::Int8Rows int8(kOrder, 8, 96);
  hostsim::launch({.grid = {1, 8}, .block = 32}, [&] {
    shortConv<kShape, RowForms{.f32 = true, .int8 = true, .order = kOrder}>(
        x.data(), taps.data(), phase.positions.data(), phase.slots.data(), state.data(), y.data(), int8.codes.data(),
        int8.scales.data());
  });
  EXPECT_LE(testing::nmse(int8.values(), std::vector<double>(y.begin(), y.end())), 1e-4);
  EXPECT_TRUE(int8.areConsistent());
}
TEST(ShortConv, Int8Rows) {
  expectInt8Rows<RowOrder::kRows>();
  expectInt8Rows<RowOrder::kEightRows>();
}

// A step that is held, or that turned out to be one too many, is run again.
TEST(ShortConv, TheLastStepCanBeRunAgain) {
  Sequences<kPlain> once, twice;
  runStepByStep(once, 1, 20);
  for (int p = 0; p < 20; ++p)
    for (int again = 0; again < 2; ++again) twice.run(2, 1, {{1, p, 1}});
  EXPECT_TRUE(twice.sameAs(once, 1, 20));
}

// What a slot had before is zeroed, and what lies before position 0 is zero whatever the slot holds.
TEST(ShortConv, AnotherSequenceInASlot) {
  Sequences<kGated> fresh, used;
  runStepByStep(fresh, 0, 9);
  used.run(64, 64, {{0, 0, 60}});
  used.clear(0);
  runStepByStep(used, 0, 9);
  EXPECT_TRUE(used.sameAs(fresh, 0, 9));
}

} // namespace
} // namespace llcuda
