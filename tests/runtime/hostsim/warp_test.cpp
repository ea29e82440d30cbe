// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <array>
#include <cmath>
#include <random>
#include <vector>

#include "codegen/kernels/base/device.cuh"
#include "codegen/kernels/ptx/dot.cuh"
#include "codegen/kernels/ptx/half.cuh"
#include "runtime/hostsim/launch.h"

namespace llcuda {
namespace {

using hostsim::launch;

template <typename T, typename Body>
std::array<T, 64> perLane(const Body& body) {
  std::array<T, 64> results{};
  launch({.grid = 1, .block = 64}, [&] { results[threadIdx.x] = body(static_cast<int>(threadIdx.x)); });
  return results;
}

TEST(Warp, ShufflesMoveValuesWithinTheWarp) {
  const auto fixed = perLane<int>([](int t) { return shuffle(t * 10, 3); });
  const auto own = perLane<int>([](int t) { return shuffle(t * 10, (t + 5) % 32); });
  const auto crossed = perLane<int>([](int t) { return shuffleXor(t * 10, 6); });
  const auto up = perLane<int>([](int t) { return shuffleUp(t * 10, 3); });
  const auto down = perLane<float>([](int t) { return shuffleDown(t * 10.f, 3); });
  for (int t = 0; t < 64; ++t) {
    const int base = t / 32 * 32, lane = t % 32;
    EXPECT_EQ(fixed[t], (base + 3) * 10);
    EXPECT_EQ(own[t], (base + (lane + 5) % 32) * 10);
    EXPECT_EQ(crossed[t], (base + (lane ^ 6)) * 10);
    EXPECT_EQ(up[t], (lane < 3 ? t : t - 3) * 10);
    EXPECT_EQ(down[t], (lane > 28 ? t : t + 3) * 10.f);
  }
}

TEST(Warp, BallotSetsTheBitOfEachLane) {
  const auto odd = perLane<uint32_t>([](int t) { return ballot(t % 2 == 1 && t >= 32); });
  for (int t = 0; t < 64; ++t) EXPECT_EQ(odd[t], t < 32 ? 0u : 0xaaaaaaaau);
}

// The order of a butterfly is part of the contract: a kernel's sums have the same bits on the host and on the device.
TEST(Warp, SumIsThatOfAButterflyOfShuffles) {
  const auto value = [](int t) { return std::exp(static_cast<float>(t * 7 % 64) / 4.f - 8.f); };
  const auto sum = perLane<float>([&](int t) { return warpSum(value(t)); });
  const auto butterfly = perLane<float>([&](int t) {
    float v = value(t);
    for (int mask = 16; mask > 0; mask /= 2) v += shuffleXor(v, mask);
    return v;
  });
  EXPECT_EQ(sum, butterfly);
}

TEST(Warp, ReductionsOverGroupsAndArrays) {
  const auto group = perLane<int>([](int t) { return groupSum<8>(t); });
  const auto largest = perLane<float>([](int t) { return groupMax<4>(static_cast<float>((t * 5) % 32)); });
  const auto array = perLane<int>([](int t) {
    int values[3] = {t, -t, 1};
    warpSum(values);
    return values[0] + values[1] + values[2];
  });
  for (int t = 0; t < 64; ++t) {
    EXPECT_EQ(group[t], t / 8 * 64 + 28);
    float expected = 0.f;
    for (int i = t / 4 * 4; i < t / 4 * 4 + 4; ++i) expected = std::max(expected, static_cast<float>(i * 5 % 32));
    EXPECT_EQ(largest[t], expected);
    EXPECT_EQ(array[t], 32);
  }
}

TEST(Warp, MaxLosesNan) {
  const auto largest =
      perLane<float>([](int t) { return warpMax(t % 2 == 0 ? std::nanf("") : static_cast<float>(t)); });
  EXPECT_EQ(largest[0], 31.f);
  EXPECT_EQ(largest[63], 63.f);
}

int signedByte(uint32_t word, int i) {
  return static_cast<int8_t>(word >> (8 * i));
}

TEST(Dot, Dp4aAndDotsOf16Codes) {
  std::mt19937 random(3);
  for (int round = 0; round < 2000; ++round) {
    uint32_t w[4], x[4];
    for (uint32_t& v : w) v = round == 0 ? 0x80808080u : random();
    for (uint32_t& v : x) v = round == 0 ? 0x80808080u : random();
    int quads = 7, bytes = -9;
    for (int i = 0; i < 4; ++i) quads += signedByte(w[0], i) * signedByte(x[0], i);
    for (int i = 0; i < 16; ++i) bytes += signedByte(w[i / 4], i % 4) * signedByte(x[i / 4], i % 4);
    ASSERT_EQ(dp4a(static_cast<int>(w[0]), static_cast<int>(x[0]), 7), quads);
    ASSERT_EQ(dotS8(make_uint4(w[0], w[1], w[2], w[3]), bitCast<int4>(make_uint4(x[0], x[1], x[2], x[3])), -9), bytes);
  }
}

TEST(Words, RoundingPermutingShifting) {
  EXPECT_EQ(roundToInt(2.5f), 2);
  EXPECT_EQ(roundToInt(3.5f), 4);
  EXPECT_EQ(roundToInt(-0.5f), 0);
  EXPECT_EQ(roundToInt(3e9f), INT32_MAX);
  EXPECT_EQ(roundToInt(-3e9f), INT32_MIN);
  EXPECT_EQ(roundToInt(std::nanf("")), 0);
  EXPECT_EQ(bytePermute(0x33221100u, 0x77665544u, 0x7250u), 0x77225500u);
  EXPECT_EQ(funnelShiftRight(0x89abcdefu, 0x01234567u, 12), 0x56789abcu);
  EXPECT_EQ(funnelShiftRight(0x89abcdefu, 0x01234567u, 0), 0x89abcdefu);
}

TEST(HalfPrecision, ConversionsRoundToEvenAndOverflowToInfinity) {
  EXPECT_EQ(toHalf(1.f + 1.f / 2048).bits, 0x3c00);
  EXPECT_EQ(toHalf(1.f + 3.f / 2048).bits, 0x3c02);
  EXPECT_EQ(toHalf(65520.f).bits, 0x7c00);
  for (uint32_t bits = 0; bits < 0x7c00; ++bits)
    ASSERT_EQ(toHalf(toFloat(Half{static_cast<uint16_t>(bits)})).bits, bits);
  const Half2 r = fmaHalf2(toHalf2(2.f, -3.f), toHalf2(4.f, 5.f), toHalf2(1.f, 0.5f));
  EXPECT_EQ(toFloat(r.x), 9.f);
  EXPECT_EQ(toFloat(r.y), -14.5f);
}

} // namespace
} // namespace llcuda
