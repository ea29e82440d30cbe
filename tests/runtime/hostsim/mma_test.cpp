// SPDX-License-Identifier: Apache-2.0
// Fragment layouts are written here from the PTX ISA's tables, apart from the code they test.
#include <gtest/gtest.h>

#include <cstring>
#include <random>
#include <vector>

#include "codegen/kernels/base/device.cuh"
#include "codegen/kernels/ptx/half.cuh"
#include "codegen/kernels/ptx/mma.cuh"
#include "runtime/hostsim/launch.h"

namespace llcuda {
namespace {

using hostsim::launch;

template <typename T>
uint32_t pack(std::initializer_list<T> elements) {
  uint32_t word = 0;
  std::memcpy(&word, std::data(elements), elements.size() * sizeof(T));
  return word;
}

std::vector<int8_t> randomCodes(size_t count, unsigned seed) {
  std::mt19937 random(seed);
  std::vector<int8_t> codes(count);
  for (int8_t& code : codes) code = static_cast<int8_t>(random());
  codes[0] = codes[1] = -128;
  return codes;
}

std::vector<float> randomHalves(size_t count, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  std::vector<float> values(count);
  for (float& value : values) value = toFloat(toHalf(normal(random)));
  return values;
}

// A 16 x 16 by 16 x 24 product as a tile of 2 x 3 fragments: one register in the wrong lane changes some element.
TEST(Mma, S8TileIsTheProduct) {
  const auto a = randomCodes(16 * 16, 1), b = randomCodes(16 * 24, 2); // b[k][n]
  std::vector<int> d(16 * 24);
  launch({.grid = 1, .block = 32}, [&] {
    const int group = laneId() / 4, t = laneId() % 4;
    uint32_t as[2], bs[3];
    int ds[2][3][2];
    for (int m = 0; m < 2; ++m) {
      const int8_t* row = &a[(8 * m + group) * 16 + 4 * t];
      as[m] = pack({row[0], row[1], row[2], row[3]});
    }
    for (int n = 0; n < 3; ++n) {
      const int8_t* column = &b[4 * t * 24 + 8 * n + group];
      bs[n] = pack({column[0], column[24], column[48], column[72]});
    }
    mmaS8Tile(ds, 1000, as, bs);
    mmaS8M8N8K16(ds[1][2], as[1], bs[2]); // once more
    for (int m = 0; m < 2; ++m)
      for (int n = 0; n < 3; ++n)
        for (int i = 0; i < 2; ++i) d[(8 * m + group) * 24 + 8 * n + 2 * t + i] = ds[m][n][i];
  });
  for (int row = 0; row < 16; ++row)
    for (int column = 0; column < 24; ++column) {
      int sum = 0;
      for (int k = 0; k < 16; ++k) sum += a[row * 16 + k] * b[k * 24 + column];
      const int times = row >= 8 && column >= 16 ? 2 : 1;
      ASSERT_EQ(d[row * 24 + column], 1000 + times * sum) << row << ", " << column;
    }
}

TEST(Mma, F16TileIsTheProduct) {
  const auto a = randomHalves(32 * 8, 3), b = randomHalves(8 * 16, 4); // b[k][n]
  std::vector<float> d(32 * 16);
  launch({.grid = 1, .block = 32}, [&] {
    const int group = laneId() / 4, t = laneId() % 4;
    uint32_t as[2][2], bs[2];
    float ds[2][2][4] = {};
    for (int m = 0; m < 2; ++m)
      for (int half = 0; half < 2; ++half) {
        const float* row = &a[(16 * m + 8 * half + group) * 8 + 2 * t];
        as[m][half] = pack({toHalf(row[0]).bits, toHalf(row[1]).bits});
      }
    for (int n = 0; n < 2; ++n) {
      const float* column = &b[2 * t * 16 + 8 * n + group];
      bs[n] = pack({toHalf(column[0]).bits, toHalf(column[16]).bits});
    }
    mmaF16Tile(ds, as, bs);
    mmaF16M16N8K8(ds[0][1], as[0], bs[1]); // once more
    for (int m = 0; m < 2; ++m)
      for (int n = 0; n < 2; ++n)
        for (int i = 0; i < 4; ++i) d[(16 * m + 8 * (i / 2) + group) * 16 + 8 * n + 2 * t + i % 2] = ds[m][n][i];
  });
  for (int row = 0; row < 32; ++row)
    for (int column = 0; column < 16; ++column) {
      double sum = 0;
      for (int k = 0; k < 8; ++k) sum += double{a[row * 8 + k]} * b[k * 16 + column];
      const int times = row < 16 && column >= 8 ? 2 : 1;
      ASSERT_NEAR(d[row * 16 + column], times * sum, 1e-5) << row << ", " << column;
    }
}

template <int kMatrices, typename Load>
void checkLoad(bool transposed, Load load) {
  std::vector<uint32_t> registers(32 * kMatrices);
  launch({.grid = 1, .block = 32}, [&] {
    LLCUDA_SHARED(uint16_t, tile, 32 * 24); // rows of 24 elements, of which the first 8 are the matrix
    for (int i = 0; i < 24; ++i) tile[laneId() * 24 + i] = static_cast<uint16_t>(laneId() * 100 + i);
    syncWarp();
    uint32_t r[kMatrices];
    load(r, &tile[laneId() % (8 * kMatrices) * 24]);
    for (int j = 0; j < kMatrices; ++j) registers[laneId() * kMatrices + j] = r[j];
  });
  for (int lane = 0; lane < 32; ++lane)
    for (int j = 0; j < kMatrices; ++j) {
      const int row = lane / 4, column = lane % 4 * 2;
      const int low = transposed ? (8 * j + column) * 100 + row : (8 * j + row) * 100 + column;
      const int high = transposed ? low + 100 : low + 1;
      ASSERT_EQ(registers[lane * kMatrices + j], static_cast<uint32_t>(low | high << 16)) << lane << ", " << j;
    }
}

TEST(Ldmatrix, LoadsMatricesAndTransposes) {
  checkLoad<4>(false, [](uint32_t(&r)[4], const void* p) { ldmatrixX4(r, p); });
  checkLoad<4>(true, [](uint32_t(&r)[4], const void* p) { ldmatrixX4Trans(r, p); });
  checkLoad<2>(false, [](uint32_t(&r)[2], const void* p) { ldmatrixX2(r, p); });
  checkLoad<2>(true, [](uint32_t(&r)[2], const void* p) { ldmatrixX2Trans(r, p); });
}

TEST(Movmatrix, Transposes) {
  std::vector<uint32_t> registers(32);
  launch({.grid = 1, .block = 32}, [&] {
    const int row = laneId() / 4, column = laneId() % 4 * 2;
    registers[laneId()] = transposed(static_cast<uint32_t>((row * 100 + column) | (row * 100 + column + 1) << 16));
  });
  for (int lane = 0; lane < 32; ++lane) {
    const int column = lane / 4, row = lane % 4 * 2;
    EXPECT_EQ(registers[lane], static_cast<uint32_t>((row * 100 + column) | ((row + 1) * 100 + column) << 16)) << lane;
  }
}

TEST(Ldmatrix, RefusesUnalignedRows) {
  const auto result = hostsim::tryLaunch({.grid = 1, .block = 32}, [&] {
    LLCUDA_SHARED(uint16_t, tile, 32 * 8 + 8);
    uint32_t r[4];
    ldmatrixX4(r, &tile[laneId() * 8 + 1]);
  });
  ASSERT_FALSE(result.ok());
  EXPECT_NE(result.error().message.find("ldmatrix at an address that is no multiple of 16"), std::string::npos);
}

} // namespace
} // namespace llcuda
