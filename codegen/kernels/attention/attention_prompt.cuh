// SPDX-License-Identifier: Apache-2.0
// y[r][h] = softmax over the keys j that row r sees of score(q[r][h] . k[j][g]) times v[j][g], g = h / group;
// the variant says what a row sees, the score and the denominator of the softmax
//
//   launch     grid (ceil(rows / kPromptRows), heads * kParts), block kPromptThreads: attention_tiles.h
//   q          [rows][heads][head size] f16, 16-byte aligned
//   k, v       pages of AttentionShape; keys and values of all rows, and of the positions before them, are already
//              there
//   positions  [rows]; -1: the row becomes zeros. Each block of 64 rows belongs to one sequence, in any order
//   slots      [rows], the same for all rows of a block whose position is not -1
//   table      [slots][table pages]: page of 64 positions each; -1 where no row of the block sees one of them
//   output     rows of heads * head size: f32 rows, int8 rows in the order of fragments, or both
//   numerics   f16 products with f32 sums; keys and values of other types are rounded to f16; the softmax is f32, its
//              weights are rounded to f16 for the second product
//   sm_75      a warp holds 16 rows of q (of heads up to 256) and of y in registers; kKeys keys and values are in
//              shared memory, whose rows are 16 bytes longer than a key, so that ldmatrix has no bank conflicts. Values
//              are on their way in registers while scores are computed, the next keys while values are summed. Tiles
//              that no row of the block sees are left out; the blocks with the most keys come first
#pragma once

#include "codegen/kernels/attention/attention_shape.cuh"
#include "codegen/kernels/attention/attention_variant.cuh"
#include "codegen/kernels/ptx/load.cuh"
#include "codegen/kernels/ptx/mma.cuh"

namespace llcuda {

/// The rows of a launch, of one or more sequences.
struct PromptChunk {
  int rows;
};

template <typename Shape>
struct PromptTile {
  static constexpr int kKeys = Shape::kHeadSize <= 64 ? 64 : 32;
  static constexpr int kKeyTiles = kKeys / 8;
  static constexpr int kKeySteps = Shape::kVectors;
  static constexpr int kKeyParts = 4;   ///< in which the keys of the next tile are fetched, while values are summed
  static constexpr int kValueParts = 2; ///< in which values are fetched, while scores are computed
  static constexpr int kParts = promptParts(Shape::kHeadSize);
  static constexpr int kColumns = promptColumns(Shape::kHeadSize); ///< of a part, the last of which may have fewer
  /// Tiles of y. Of an odd number of columns of 8 the last multiplies what lies between two values, and nobody stores
  /// it.
  static constexpr int kSteps = (kColumns / 8 + 1) / 2 * 2;
  static constexpr int kChunk = kSteps % 8 == 0 ? 8 : kSteps % 4 == 0 ? 4 : 2; ///< tiles of y that one product makes
  static constexpr int kChunks = kSteps / kChunk;
  // Rows in shared memory, in elements: an odd number of 16 bytes, and more than a row has.
  static constexpr int pitchOf(int columns) { return columns / 8 % 2 == 0 ? columns + 8 : columns + 16; }
  static constexpr int kKeyPitch = pitchOf(8 * Shape::kVectors);
  static constexpr int kValuePitch = pitchOf(kColumns);

  /// Columns of y that the part from `column` on makes.
  static LLCUDA_DEVICE int columnsFrom(int column) {
    return kParts * kColumns == Shape::kHeadSize ? kColumns : minOf(kColumns, Shape::kHeadSize - column);
  }
  /// Whether the lane's two elements of 8 from `step` on are among the first `count`.
  static LLCUDA_DEVICE bool hasPair(int step, int count) {
    return step * 8 + 8 <= count || step * 8 + laneId() % 4 * 2 < count;
  }
};

/// The softmax state of a lane: of rows lane / 4 and lane / 4 + 8 of its warp. `sum` covers the lane's own columns.
template <typename Tile>
struct PromptState {
  float highest[2];
  float sum[2];
  float y[Tile::kChunks][1][Tile::kChunk][4];

  /// The lane's part of columns 8n ... 8n + 7.
  LLCUDA_DEVICE float (&tile(int n))[4] { return y[n / Tile::kChunk][0][n % Tile::kChunk]; }
  LLCUDA_DEVICE const float (&tile(int n) const)[4] { return y[n / Tile::kChunk][0][n % Tile::kChunk]; }
};

/// What a block needs to know of its rows.
struct PromptBlock {
  int lowest;  ///< position of all rows; -1 when one is padding
  int first;   ///< lowest position of the rows that are no padding
  int highest; ///< position of all rows; -1: nothing but padding
  int slot;
  int position[2]; ///< of the lane's two rows
};

/// Positions of the block's rows; rows past kRows count as padding.
template <int kRows>
LLCUDA_DEVICE PromptBlock readPositions(const int* positions, const int* slots, int firstRow) {
  const auto positionOf = [&](int row) { return row < kRows ? loadReadOnly(positions + row) : -1; };
  PromptBlock block;
  const int low = positionOf(firstRow + laneId()), high = positionOf(firstRow + kWarpSize + laneId());
  block.highest = warpMax(maxOf(low, high));
  block.lowest = -warpMax(-minOf(low, high));
  const auto whereUsed = [](int position) { return position < 0 ? 0x7fffffff : position; };
  block.first = -warpMax(-minOf(whereUsed(low), whereUsed(high)));
  const int lane = firstRow + warpId() * 16 + laneId() / 4;
  block.position[0] = positionOf(lane);
  block.position[1] = positionOf(lane + 8);
  const int row = low >= 0 ? firstRow + laneId() : high >= 0 ? firstRow + kWarpSize + laneId() : -1;
  const int named = warpMax(row);
  block.slot = named >= 0 ? loadReadOnly(slots + named) : 0;
  return block;
}

/// The lane's part of q as the first operand of the products: element pair 2t of rows lane / 4 and lane / 4 + 8.
template <typename Shape, typename Tile, int kRows>
struct PromptQueries {
  static constexpr bool kKept = promptKeepsQueries(Shape::kHeadSize);
  const Half* from[2];
  uint32_t kept[kKept ? Tile::kKeySteps : 1][1][2];

  LLCUDA_DEVICE PromptQueries(const Half* q, int firstRow, int head) {
    LLCUDA_UNROLL
    for (int r = 0; r < 2; ++r) {
      const int row = firstRow + warpId() * 16 + laneId() / 4 + r * 8;
      const Half* const start = q + (static_cast<long long>(row) * Shape::kHeads + head) * Shape::kHeadSize;
      from[r] = row < kRows ? start : nullptr;
      LLCUDA_UNROLL
      for (int step = 0; kKept && step < Tile::kKeySteps; ++step)
        kept[step][0][r] = row < kRows ? word(start, step) : 0;
    }
  }
  /// Of row lane / 4 + 8 * r.
  LLCUDA_DEVICE uint32_t word(int step, int r) const { return from[r] ? word(from[r], step) : 0; }

private:
  static LLCUDA_DEVICE uint32_t word(const Half* row, int step) {
    return Tile::hasPair(step, Shape::kHeadSize)
               ? loadReadOnly(reinterpret_cast<const uint32_t*>(row + step * 8 + laneId() % 4 * 2))
               : 0;
  }
};

/// What a thread carries of kColumns columns of one of kParts parts of a tile's keys or values from device memory to
/// shared memory.
template <typename Rows, typename Tile, int kColumns, int kParts>
struct TileCargo {
  static constexpr int kVectors = kColumns / 8;
  static constexpr int kTokens = Tile::kKeys / kParts;
  static constexpr int kCount = kTokens * kVectors;
  static constexpr int kSteps = ceilDivide(kCount, kPromptThreads);
  typename Rows::Vector vectors[kSteps];

  /// Tokens of the page from `firstToken` on, columns from 8 * firstVector on; those after the first `tokens`, and
  /// columns past the head, as zeros.
  LLCUDA_DEVICE void fetch(const uint8_t* head, int firstToken, int tokens, int firstVector) {
    LLCUDA_UNROLL
    for (int step = 0; step < kSteps; ++step) {
      const int i = step * kPromptThreads + static_cast<int>(threadIdx.x), token = i / kVectors;
      const int vector = firstVector + i % kVectors;
      const bool wanted = token < tokens && (kCount % kPromptThreads == 0 || i < kCount) &&
                          (Rows::kVectors % kVectors == 0 || vector < Rows::kVectors);
      vectors[step] = Rows::load(head, firstToken + token, vector, wanted);
    }
  }
  LLCUDA_DEVICE void stow(int firstVector, Half* to) const {
    LLCUDA_UNROLL
    for (int step = 0; step < kSteps; ++step) {
      const int i = step * kPromptThreads + static_cast<int>(threadIdx.x);
      if (kCount % kPromptThreads == 0 || i < kCount)
        *reinterpret_cast<uint4*>(to + i / kVectors * Tile::pitchOf(kColumns) + i % kVectors * 8) =
            Rows::halves(vectors[step], firstVector + i % kVectors);
    }
  }
};

/// scores[0][n] = q . k for the 8 keys of tile n.
template <typename Tile, typename Queries>
LLCUDA_DEVICE void multiplyKeys(const Queries& queries, const Half* keys, float (&scores)[1][Tile::kKeyTiles][4]) {
  LLCUDA_UNROLL
  for (int n = 0; n < Tile::kKeyTiles; ++n) {
    LLCUDA_UNROLL
    for (int i = 0; i < 4; ++i) scores[0][n][i] = 0.f;
  }
  const auto multiply = [&](int step) {
    uint32_t b[Tile::kKeyTiles];
    LLCUDA_UNROLL
    for (int n = 0; n < Tile::kKeyTiles; n += 4) {
      uint32_t four[4];
      ldmatrixX4(four, keys + (n * 8 + laneId()) * Tile::kKeyPitch + step * 8);
      LLCUDA_UNROLL
      for (int i = 0; i < 4; ++i) b[n + i] = four[i];
    }
    if constexpr (Queries::kKept) {
      mmaF16Tile(scores, queries.kept[step], b);
    } else {
      const uint32_t a[1][2] = {{queries.word(step, 0), queries.word(step, 1)}};
      mmaF16Tile(scores, a, b);
    }
  };
  if constexpr (Queries::kKept) {
    LLCUDA_UNROLL
    for (int step = 0; step < Tile::kKeySteps; ++step) multiply(step);
  } else { // as many queries on their way as the registers hold
    constexpr int kAhead = 4;
    LLCUDA_NO_UNROLL
    for (int first = 0; first < Tile::kKeySteps; first += kAhead) {
      LLCUDA_UNROLL
      for (int i = 0; i < kAhead; ++i)
        if (Tile::kKeySteps % kAhead == 0 || first + i < Tile::kKeySteps)
          multiply(first + i);
    }
  }
}

/// Dot products become scores, those of keys that a row does not see minus infinity.
template <typename Tile, AttentionVariant Variant>
LLCUDA_DEVICE void maskScores(const PromptBlock& block, const Variant& variant, int firstKey,
                              float (&scores)[1][Tile::kKeyTiles][4]) {
  const bool everySeen = firstKey + Tile::kKeys - 1 <= variant.keys(block.lowest, block.slot).last &&
                         firstKey >= variant.keys(block.highest, block.slot).first;
  LLCUDA_UNROLL
  for (int n = 0; n < Tile::kKeyTiles; ++n) {
    LLCUDA_UNROLL
    for (int i = 0; i < 4; ++i) scores[0][n][i] = variant.score(scores[0][n][i]);
  }
  if (everySeen)
    return;
  LLCUDA_UNROLL
  for (int n = 0; n < Tile::kKeyTiles; ++n) {
    LLCUDA_UNROLL
    for (int i = 0; i < 4; ++i)
      if (!variant.keys(block.position[i / 2], block.slot).has(firstKey + n * 8 + laneId() % 4 * 2 + i % 2))
        scores[0][n][i] = maskedScore();
  }
}

/// Scales down what was summed under an old maximum. A maximum seldom moves once a few tiles are seen.
template <typename Tile>
LLCUDA_DEVICE void shrinkState(const float (&shrink)[2], PromptState<Tile>& state) {
  if (ballot(shrink[0] != 1.f || shrink[1] != 1.f) == 0)
    return;
  state.sum[0] *= shrink[0];
  state.sum[1] *= shrink[1];
  LLCUDA_UNROLL
  for (int c = 0; c < Tile::kChunks; ++c) {
    LLCUDA_UNROLL
    for (int n = 0; n < Tile::kChunk; ++n) {
      LLCUDA_UNROLL
      for (int i = 0; i < 4; ++i) state.y[c][0][n][i] *= shrink[i / 2];
    }
  }
}

/// Turns scores into weights under the new maximum.
template <typename Tile>
LLCUDA_DEVICE void weighScores(float factor, float (&scores)[1][Tile::kKeyTiles][4], PromptState<Tile>& state) {
  float highest[2] = {state.highest[0], state.highest[1]};
  LLCUDA_UNROLL
  for (int n = 0; n < Tile::kKeyTiles; ++n) {
    LLCUDA_UNROLL
    for (int i = 0; i < 4; ++i) highest[i / 2] = maxOf(highest[i / 2], scores[0][n][i]);
  }
  groupMax<4>(highest);
  float shrink[2], offset[2];
  LLCUDA_UNROLL
  for (int r = 0; r < 2; ++r) {
    shrink[r] = exp2Fast((state.highest[r] - highest[r]) * factor);
    state.highest[r] = highest[r];
    offset[r] = -highest[r] * factor;
  }
  shrinkState<Tile>(shrink, state);
  LLCUDA_UNROLL
  for (int n = 0; n < Tile::kKeyTiles; ++n) {
    LLCUDA_UNROLL
    for (int i = 0; i < 4; ++i) {
      scores[0][n][i] = exp2Fast(fusedMultiplyAdd(scores[0][n][i], factor, offset[i / 2]));
      state.sum[i / 2] += scores[0][n][i];
    }
  }
}

/// y += weights v for the keys of one of kKeyParts parts of a tile. The accumulators of the first product have the
/// layout that the second wants of its rows.
template <typename Tile>
LLCUDA_DEVICE void multiplyValues(const float (&weights)[1][Tile::kKeyTiles][4], int part, const Half* values,
                                  PromptState<Tile>& state) {
  LLCUDA_UNROLL
  for (int n = part * Tile::kKeyTiles / Tile::kKeyParts; n < (part + 1) * Tile::kKeyTiles / Tile::kKeyParts; ++n) {
    const float(&w)[4] = weights[0][n];
    const uint32_t a[1][2] = {{wordOfHalves(w[0], w[1]), wordOfHalves(w[2], w[3])}};
    const Half* const row = values + (n * 8 + laneId() % 8) * Tile::kValuePitch + laneId() / 8 * 8;
    LLCUDA_UNROLL
    for (int c = 0; c < Tile::kChunks; ++c) {
      uint32_t b[Tile::kChunk];
      if constexpr (Tile::kChunk == 2) {
        ldmatrixX2Trans(b, row + c * 16);
      } else {
        LLCUDA_UNROLL
        for (int m = 0; m < Tile::kChunk; m += 4) {
          uint32_t four[4];
          ldmatrixX4Trans(four, row + (c * Tile::kChunk + m) * 8);
          LLCUDA_UNROLL
          for (int i = 0; i < 4; ++i) b[m + i] = four[i];
        }
      }
      mmaF16Tile(state.y[c], a, b);
    }
  }
}

/// The four codes of elements 4q ... of the halves of a block, in lane q of four that have those of columns 8n + 2q and
/// 8n + 2q + 1: `pairs` for n = 0 ... 3, two of them a word.
LLCUDA_DEVICE uint2 wordsOfPairs(const uint32_t (&pairs)[2]) {
  const int q = laneId() % 4, from = laneId() - q + q % 2 * 2;
  const uint32_t selector = q < 2 ? 0x5410u : 0x7632u;
  uint32_t words[2];
  LLCUDA_UNROLL
  for (int half = 0; half < 2; ++half)
    words[half] = bytePermute(shuffle(pairs[half], from), shuffle(pairs[half], from + 1), selector);
  return make_uint2(words[0], words[1]);
}

/// Int8 rows of the first `columns` of the warp's 16 rows, of which four neighbouring lanes have two: `codes` and
/// `scales` are those of the first block. All lanes call.
template <typename Tile>
LLCUDA_DEVICE void storeCodes(const PromptState<Tile>& state, int columns, int8_t* codes, FragmentScales* scales) {
  constexpr int kBlocks = Tile::kSteps / 4;
  LLCUDA_UNROLL
  for (int b = 0; b < kBlocks; ++b) {
    float peak[2] = {}, step[2];
    int sum[2] = {};
    LLCUDA_UNROLL
    for (int i = 0; i < 16; ++i) peak[i % 4 / 2] = maxOf(peak[i % 4 / 2], absOf(state.tile(4 * b + i / 4)[i % 4]));
    groupMax<4>(peak);
    uint2 words[2];
    LLCUDA_UNROLL
    for (int r = 0; r < 2; ++r) {
      const float inverse = inverseStep(peak[r]);
      step[r] = stepOf(peak[r]);
      uint32_t pairs[2];
      LLCUDA_UNROLL
      for (int half = 0; half < 2; ++half) {
        const float(&first)[4] = state.tile(4 * b + 2 * half), (&second)[4] = state.tile(4 * b + 2 * half + 1);
        const CodedFour four =
            codesOf(make_float4(first[2 * r], first[2 * r + 1], second[2 * r], second[2 * r + 1]), inverse);
        pairs[half] = four.codes;
        sum[r] += four.sum;
      }
      words[r] = wordsOfPairs(pairs);
    }
    groupSum<4>(sum);
    if (b * kRowBlock >= columns)
      return;
    reinterpret_cast<uint4*>(codes + b * codesStep(RowOrder::kFragments))[laneId()] =
        make_uint4(words[0].x, words[0].y, words[1].x, words[1].y);
    storeFragmentScales(step, sum, scales + b);
  }
}

/// Divides by the denominators, which state.sum has, and stores `columns` of each row from `column` on; a row that saw
/// no key becomes zeros.
template <typename Shape, typename Tile, int kRows, RowForms kForms>
LLCUDA_DEVICE void storeRows(PromptState<Tile>& state, int firstRow, int column, int columns,
                             const RowOutput<kForms>& rows) {
  constexpr int kColumns = Shape::kHeads * Shape::kHeadSize;
  const int firstOfWarp = firstRow + warpId() * kFragmentRows;
  LLCUDA_UNROLL
  for (int r = 0; r < 2; ++r) {
    const int row = firstOfWarp + laneId() / 4 + r * 8;
    const float inverse = state.sum[r] > 0.f ? reciprocalFast(state.sum[r]) : 0.f;
    float* const to = rows.y + static_cast<long long>(row) * kColumns + column + laneId() % 4 * 2;
    LLCUDA_UNROLL
    for (int n = 0; n < Tile::kSteps; ++n) {
      float(&v)[4] = state.tile(n);
      v[2 * r] *= inverse;
      v[2 * r + 1] *= inverse;
      if (kForms.f32 && row < kRows && Tile::hasPair(n, columns))
        *reinterpret_cast<float2*>(to + n * 8) = make_float2(v[2 * r], v[2 * r + 1]);
    }
  }
  if constexpr (kForms.int8) {
    static_assert(kForms.order == RowOrder::kFragments, "a warp has whole tiles of rows");
    static_assert(Shape::kHeadSize % kRowBlock == 0 && Tile::kColumns % kRowBlock == 0, "whole blocks of int8 rows");
    const int64_t block =
        static_cast<int64_t>(firstOfWarp / kFragmentRows) * (kColumns / kRowBlock) + column / kRowBlock;
    if (firstOfWarp < kRows)
      storeCodes<Tile>(state, columns, rows.codes + block * codesStep(kForms.order),
                       reinterpret_cast<FragmentScales*>(rows.scales) + block);
  }
}

template <AttentionShape kShape, PromptChunk kChunk, RowForms kForms, AttentionVariant Variant>
LLCUDA_DEVICE void attentionPrompt(const Half* q, const uint8_t* k, const uint8_t* v, const int* positions,
                                   const int* slots, const int* table, Variant variant, RowOutput<kForms> rows) {
  using Shape = AttentionTraits<kShape>;
  using Tile = PromptTile<Shape>;
  constexpr int kRows = kChunk.rows;
  LLCUDA_SHARED(Half, keys, Tile::kKeys * Tile::kKeyPitch);
  LLCUDA_SHARED(Half, values, Tile::kKeys * Tile::kValuePitch);
  const int firstRow = static_cast<int>(gridDim.x - 1 - blockIdx.x) * kPromptRows;
  const int head = static_cast<int>(blockIdx.y) / Tile::kParts;
  const int column = static_cast<int>(blockIdx.y) % Tile::kParts * Tile::kColumns;
  const PromptBlock block = readPositions<kRows>(positions, slots, firstRow);

  PromptState<Tile> state = {};
  state.highest[0] = state.highest[1] = kLowestScore;
  if (block.highest >= 0) {
    const PromptQueries<Shape, Tile, kRows> queries(q, firstRow, head);
    const int kvHead = head / Shape::kSharers, slot = block.slot;
    const int begin = variant.keys(block.first, slot).begin() / Tile::kKeys * Tile::kKeys;
    const int last = variant.keys(block.highest, slot).last;
    TileCargo<typename Shape::Keys, Tile, 8 * Shape::kVectors, Tile::kKeyParts> keyCargo;
    TileCargo<typename Shape::Values, Tile, Tile::kColumns, Tile::kValueParts> valueCargo;
    int page = Shape::page(table, slot, begin / kPageTokens);
    // Keys that no row sees may be anything, their scores are masked; such values are zeros, for a weight of 0.
    const auto fetchKeys = [&](int firstKey, int part) {
      keyCargo.fetch(k + Shape::template headStart<typename Shape::Keys>(page, kvHead),
                     firstKey % kPageTokens + part * keyCargo.kTokens, keyCargo.kTokens, 0);
    };
    const auto stowKeys = [&](int part) { keyCargo.stow(0, keys + part * keyCargo.kTokens * Tile::kKeyPitch); };
    const auto fetchValues = [&](int firstKey, int part) {
      valueCargo.fetch(v + Shape::template headStart<typename Shape::Values>(page, kvHead),
                       firstKey % kPageTokens + part * valueCargo.kTokens,
                       last + 1 - firstKey - part * valueCargo.kTokens, column / 8);
    };
    const auto stowValues = [&](int part) {
      valueCargo.stow(column / 8, values + part * valueCargo.kTokens * Tile::kValuePitch);
    };
    LLCUDA_UNROLL
    for (int part = 0; part < Tile::kKeyParts; ++part) {
      fetchKeys(begin, part);
      stowKeys(part);
    }
    LLCUDA_NO_UNROLL
    for (int firstKey = begin; firstKey <= last; firstKey += Tile::kKeys) {
      syncThreads(); // the keys are there, and the values before them no longer read
      float scores[1][Tile::kKeyTiles][4];
      fetchValues(firstKey, 0);
      multiplyKeys<Tile>(queries, keys, scores);
      stowValues(0);
      fetchValues(firstKey, 1);
      maskScores<Tile>(block, variant, firstKey, scores);
      weighScores<Tile>(variant.factor(), scores, state);
      stowValues(1);
      syncThreads();                                           // the values are there, and the keys no longer read
      const int nextKey = minOf(firstKey + Tile::kKeys, last); // after the last tile nobody reads what comes
      page = Shape::page(table, slot, nextKey / kPageTokens);
      LLCUDA_UNROLL
      for (int part = 0; part < Tile::kKeyParts; ++part) {
        fetchKeys(nextKey / Tile::kKeys * Tile::kKeys, part);
        multiplyValues<Tile>(scores, part, values, state);
        stowKeys(part);
      }
    }
  }
  groupSum<4>(state.sum);
  LLCUDA_UNROLL
  for (int r = 0; r < 2; ++r)
    state.sum[r] = variant.denominator(state.sum[r], state.highest[r] * variant.factor(), head);
  storeRows<Shape, Tile, kRows>(state, firstRow, head * Shape::kHeadSize + column, Tile::columnsFrom(column), rows);
}

} // namespace llcuda
