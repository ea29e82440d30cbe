// SPDX-License-Identifier: Apache-2.0
// The stages of a slot's program over the candidates of a row, one after another, and the draw: one block, all threads
//
//   numerics   probabilities are whole numbers of 2^-40 of the most likely candidate's; logarithms and deviations are
//              f32, within 1e-5. The same seed, step and logits give the same token on every run
#pragma once

#include "codegen/kernels/sample/adjust.cuh"
#include "codegen/kernels/sample/philox.cuh"

namespace llcuda {

/// Stages of philox().
enum class Noise : uint32_t { kDraw = 0, kXtc = 1 };

/// Nats that a sum of weights stands above a weight of 1.
LLCUDA_DEVICE float natsOf(uint64_t weight) {
  return logFast(static_cast<float>(weight) * 0x1p-40f);
}

/// a / b of sums.
LLCUDA_DEVICE float ratioOf(uint64_t a, uint64_t b) {
  return divideFast(static_cast<float>(a) * 0x1p-40f, static_cast<float>(b) * 0x1p-40f);
}

/// What stays the same, in shared memory: registers are scarce here.
struct ChainInput {
  SamplerRow row;
  SamplingParams params;
  float* adjusted; ///< of the row
};

template <int kVocabulary>
struct Chain {
  using Scan = typename Candidates<kVocabulary>::Scan;
  using Sums = typename Candidates<kVocabulary>::Sums;
  const ChainInput& input;
  Candidates<kVocabulary>& set;
  int token = 0;

  LLCUDA_DEVICE SamplerProgram& program() const { return *input.row.program; }

  LLCUDA_DEVICE uint64_t noise(Noise stage) const {
    return noiseOf(input.params.seed, input.params.step, static_cast<uint32_t>(stage));
  }
  static LLCUDA_CALLED uint64_t noiseOf(uint64_t seed, uint64_t step, uint32_t stage) {
    return philox(seed, step, stage);
  }

  static constexpr int kParts = 2; ///< searches of a stage at most

  /// The search that a stage needs.
  struct Search {
    bool byDeviation;
    Goal goal;
    uint64_t limit; ///< a rank key: kept in any case, instead of a search by weights
    bool hasLimit;
  };
  static LLCUDA_DEVICE Search searchFor(Goal goal) { return {false, goal, 0, false}; }
  static LLCUDA_DEVICE Search searchWithin(uint64_t limit) { return {false, {}, limit, true}; }

  /// Filters and draws. All threads call.
  LLCUDA_DEVICE void run() {
    const SamplerProgram& told = program();
    LLCUDA_NO_UNROLL
    for (uint32_t s = leadingStages(told); s <= told.stageCount; ++s) {
      const bool draws = s == told.stageCount;
      const SamplerStage stage = draws ? SamplerStage{} : told.stages[s];
      Search search = searchFor({Goal::kDrawn, noise(Noise::kDraw), 0.f});
      LLCUDA_NO_UNROLL
      for (int part = 0; part < kParts; ++part)
        if (draws ? part == 0 : prepare(stage, part, search))
          apply(search);
    }
  }

  /// Looks for the end of what is kept, or for the token; candidates that minKeep asks for are looked for besides.
  LLCUDA_DEVICE void apply(const Search& search) {
    const bool isNumber = search.goal.kind == Goal::kNumber && !search.hasLimit;
    const bool isDraw = search.goal.kind == Goal::kDrawn && !search.hasLimit;
    uint64_t limit = search.limit, room = 0; // the second: for candidates without a probability
    const int turns = isNumber || isDraw || program().minKeep <= 1 ? 1 : 2;
    LLCUDA_NO_UNROLL
    for (int turn = search.hasLimit ? 1 : 0; turn < turns; ++turn) {
      const Goal goal = turn == 0 ? search.goal : Goal{Goal::kNumber, program().minKeep, 0.f};
      uint64_t all = 0;
      int id = 0;
      const uint64_t reached = set.reach({search.byDeviation, goal.kind == Goal::kNumber}, goal, all, id);
      limit = reached > limit ? reached : limit;
      if (isDraw)
        token = id;
      if (isNumber)
        room = goal.number - (goal.number < all ? goal.number : all);
    }
    if (isDraw)
      return;
    set.change([&] {
      set.gone = set.gone < room ? set.gone : static_cast<uint32_t>(room);
      if (search.byDeviation)
        set.typicalLast = limit;
      else
        set.last = minKey(set.last, limit);
    });
    set.list();
    if (search.byDeviation)
      set.findNearest();
  }

  /// The next search of a stage, if it has one more; what needs none is done.
  LLCUDA_DEVICE bool prepare(const SamplerStage& stage, int part, Search& search) {
    if (stage.op == SamplerOp::kMirostat1)
      return prepareMirostat1(part, search);
    if (part != 0)
      return false;
    const Sums sums = asksForTotals(stage) ? set.totals() : Sums{0, 0, 0, 0};
    switch (stage.op) {
    case SamplerOp::kPenalties:
    case SamplerOp::kDry:
      changeByPast(stage.op);
      return false;
    case SamplerOp::kTopNSigma:
      topNSigma(stage.a, sums.sum);
      return false;
    case SamplerOp::kTopK:
      search = searchFor({Goal::kNumber, stage.n, 0.f});
      return search.goal.number < kVocabulary;
    case SamplerOp::kTypical:
      findDeviations(sums);
      search = {true, {Goal::kExceeds, 0, stage.a}, 0, false};
      return true;
    case SamplerOp::kTopP:
      search = searchFor({Goal::kReaches, 0, stage.a});
      return true;
    case SamplerOp::kMinP:
      search = searchWithin(distanceLimit(set.nearest + (stage.a > 0.f ? -logFast(stage.a) / set.scale : 3e38f)));
      return true;
    case SamplerOp::kXtc:
      excludeTop(stage.a, stage.b, sums);
      return false;
    case SamplerOp::kTemperature:
      applyTemperature(stage.a, stage.b, sums);
      return false;
    case SamplerOp::kAdaptive:
      aim(stage.a, sums.second);
      return false;
    default: {
      const float left = program().state[0] * (1.f / kLog2OfE) - natsOf(sums.second);
      if (left >= 0.f)
        set.keepUpTo(distanceLimit(set.nearest + left / set.scale));
      else
        set.keepBest();
      set.list();
      return false;
    }
    }
  }
  /// Of the candidates in front of the stage.
  static LLCUDA_DEVICE bool asksForTotals(const SamplerStage& stage) {
    return stage.op == SamplerOp::kTopNSigma || stage.op == SamplerOp::kTypical || stage.op == SamplerOp::kXtc ||
           (stage.op == SamplerOp::kTemperature && stage.b > 0.f) || stage.op >= SamplerOp::kAdaptive;
  }
  static LLCUDA_DEVICE uint64_t minKey(uint64_t a, uint64_t b) { return a < b ? a : b; }

  /// By mean and deviation of the candidates' logits.
  LLCUDA_DEVICE void topNSigma(float deviations, uint64_t before) {
    float mean = 0.f, variance = 0.f;
    LLCUDA_NO_UNROLL
    for (int pass = 0; pass < 2; ++pass) {
      const uint64_t count = pass == 0 ? set.scan(Scan::kDistances).sum : set.scan(Scan::kSquares, 0, mean).sum;
      const float average = static_cast<float>(sumOfThreads() / static_cast<double>(count));
      (pass == 0 ? mean : variance) = average;
    }
    const float kept = variance > 0.f ? deviations * variance * rsqrtFast(variance) : 0.f;
    set.keepUpTo(distanceLimit(set.nearest + kept));
    const uint64_t left = set.totals().sum;
    set.change([&] { set.gone += static_cast<uint32_t>(before - left); });
    set.list();
  }
  /// Of the doubles that a scan left, in a fixed order.
  LLCUDA_DEVICE double sumOfThreads() {
    auto* const sums = reinterpret_cast<double*>(set.memory->weights);
    LLCUDA_NO_UNROLL
    for (unsigned step = kSampleThreads / 2; step > 0; step /= 2) {
      syncThreads();
      if (threadIdx.x < step)
        sums[threadIdx.x] += sums[threadIdx.x + step];
    }
    syncThreads();
    const double sum = sums[0];
    syncThreads();
    return sum;
  }

  /// -ln p is a candidate's nats and the logarithm of the sum, and the entropy the mean of that.
  LLCUDA_DEVICE void findDeviations(Sums sums) {
    if (set.isTypical) {
      rewrite();
      sums = set.totals();
    }
    set.change([&] {
      set.isTypical = true;
      set.typicalLast = ~uint64_t{0};
      set.deviationScale = set.scale;
      set.deviationOffset = -set.nearest * set.scale - ratioOf(sums.third, sums.second);
    });
  }

  /// xtc: drops all that reach the threshold but the last of them.
  LLCUDA_DEVICE void excludeTop(float chance, float threshold, const Sums& sums) {
    if (static_cast<float>(noise(Noise::kXtc) >> 40) * 0x1p-24f >= chance)
      return;
    const auto top = set.scan(Scan::kReaching, shareOf(sums.second, threshold));
    if (top.sum < 2 || sums.sum + set.gone + 1 - top.sum < program().minKeep)
      return;
    set.change([&] { set.first = top.largest; });
    set.findNearest();
  }

  LLCUDA_DEVICE void applyTemperature(float temperature, float range, const Sums& sums) {
    if (range > 0.f) {
      const float count = static_cast<float>(sums.sum + set.gone);
      if (count <= 1.f)
        return;
      const float share = (natsOf(sums.second) + ratioOf(sums.third, sums.second)) / logFast(count);
      const float low = temperature > range ? temperature - range : 0.f, exponent = program().dynatempExponent;
      const float power = share > 0.f ? exp2Fast(exponent * log2Fast(share)) : exponent > 0.f ? 0.f : 1.f;
      temperature = low + (temperature + range - low) * power;
    }
    if (temperature > 0.f)
      set.change([&] { set.scale /= temperature; });
    else
      set.keepBest();
  }

  /// adaptive_p: the draw prefers probabilities near a goal.
  LLCUDA_DEVICE void aim(float target, uint64_t weights) {
    const float goal = 2.f * target - program().state[0] / program().state[1];
    set.change([&] {
      set.adaptive.goal = goal < 0.f ? 0.f : goal > 1.f ? 1.f : goal;
      set.adaptive.perWeight = 1099511627776.f / static_cast<float>(weights);
    });
    const float least = bitCast<float>(~static_cast<uint32_t>(set.scan(Scan::kPenalty).largest));
    set.change([&] {
      set.adaptive.least = least;
      set.adaptive.isOn = true;
    });
  }

  /// Makes what is left the whole row, with its temperature in it: what changes logits needs that.
  LLCUDA_DEVICE void rewrite() {
    set.scan(Scan::kRewrite, 0, 0.f, input.adjusted);
    restart();
  }
  LLCUDA_DEVICE void restart() {
    set.change([&] {
      const uint32_t gone = set.gone;
      set = Candidates<kVocabulary>::all(input.adjusted, 0.f, set.listCount, set.memory);
      set.gone = gone;
      set.isRewritten = true;
    });
    const float highest = floatOfOrdered(static_cast<uint32_t>(set.scan(Scan::kHighest).largest));
    set.change([&] { set.highest = highest; });
  }

  LLCUDA_DEVICE void changeByPast(SamplerOp op) {
    rewrite();
    LLCUDA_NO_UNROLL
    for (int begin = 0; begin < kVocabulary; begin += kAdjusted)
      applyPast<kVocabulary>(op, input.row, input.adjusted, begin, minOf(begin + kAdjusted, kVocabulary), *set.memory);
    restart();
  }

  /// mirostat 1: the slope of the first hundred says how many to keep.
  LLCUDA_DEVICE bool prepareMirostat1(int part, Search& search) {
    if (part == 0) {
      set.change([&] {
        set.memory->savedLast = set.last;
        set.memory->savedList = set.listCount;
      });
      search = searchFor({Goal::kNumber, 100, 0.f});
    } else if (part == 1) {
      const uint32_t count = mirostatCount();
      set.change([&] {
        set.last = set.memory->savedLast;
        set.listCount = set.memory->savedList;
      });
      search = searchFor({Goal::kNumber, count, 0.f});
    }
    return part < 2;
  }
  LLCUDA_DEVICE uint32_t mirostatCount() {
    auto* const sorted = reinterpret_cast<float*>(set.memory->weights);
    uint64_t found = 0;
    LLCUDA_NO_UNROLL
    for (uint32_t i = threadIdx.x; i < set.listCount; i += kSampleThreads) {
      const int id = static_cast<int>(set.memory->listIds[i]);
      const float distance = set.highest - loadCoherent(set.logits + id);
      if (!(distance < 3e38f) || !set.has(distance, id))
        continue;
      int before = 0;
      LLCUDA_NO_UNROLL
      for (uint32_t j = 0; j < set.listCount; ++j) {
        const int other = static_cast<int>(set.memory->listIds[j]);
        const float far = set.highest - loadCoherent(set.logits + other);
        before += set.has(far, other) && distanceKey(far, other) < distanceKey(distance, id) ? 1 : 0;
      }
      sorted[before] = set.nats(distance);
      ++found;
    }
    const int count = static_cast<int>(set.ofBlock({found, 0, 0, 0}).sum);
    float products = 0.f, squares = 0.f;
    LLCUDA_NO_UNROLL
    for (int i = 0; i + 1 < count; ++i) { // every thread the same
      const float t = logFast(static_cast<float>(i + 2) / static_cast<float>(i + 1));
      products += t * (sorted[i + 1] - sorted[i]);
      squares += t * t;
    }
    syncThreads();
    const float slope = products / squares, excess = slope - 1.f;
    const float words = 1.f - exp2Fast(-excess * log2Fast(static_cast<float>(kVocabulary)));
    const float k = exp2Fast(log2Fast(excess * exp2Fast(program().state[0]) / words) / slope);
    return k >= 1.f ? k < 1e9f ? static_cast<uint32_t>(k) : 1000000000u : 1u; // also of one candidate, a NaN
  }

  /// The states after the draw, and what there is to report. All threads call.
  LLCUDA_DEVICE void finish(SamplingReport& report) {
    const SamplerStage stage = program().stageCount == 0 ? SamplerStage{} : program().stages[program().stageCount - 1];
    const bool learns = stage.op >= SamplerOp::kAdaptive;
    float next[2] = {program().state[0], program().state[1]};
    if (learns) {
      const float own = set.plainWeight(set.highest - loadCoherent(set.logits + token));
      const float plain = own * 1099511627776.f / static_cast<float>(set.totals().second);
      if (stage.op == SamplerOp::kAdaptive) {
        next[0] = plain + stage.b * program().state[0];
        next[1] = 1.f + stage.b * program().state[1];
      } else {
        next[0] = program().state[0] - stage.b * (-log2Fast(plain) - stage.a);
      }
    }
    if (threadIdx.x == 0) {
      report.state[0] = program().state[0] = next[0];
      report.state[1] = program().state[1] = next[1];
      report.probability = 0.f;
      report.count = 0;
    }
    if (program().reportsTop != 0)
      reportTop(report);
  }

  LLCUDA_DEVICE void reportTop(SamplingReport& report) {
    const uint64_t all = set.scan(Scan::kWeights).sum;
    uint64_t next = ~uint64_t{0};
    uint32_t count = 0;
    LLCUDA_NO_UNROLL
    for (; count < kReportedCandidates; ++count) {
      next = set.scan(Scan::kNextKey, next).largest;
      if (next >> kIdBits == 0)
        break;
      if (threadIdx.x == 0)
        report.top[count] = {(1 << kIdBits) - 1 - static_cast<int>(next & ((1u << kIdBits) - 1)),
                             ratioOf(next >> kIdBits, all)};
    }
    const float own = static_cast<float>(set.weight(set.highest - loadCoherent(set.logits + token)));
    if (threadIdx.x == 0) {
      report.count = count;
      report.probability = own / static_cast<float>(all);
    }
  }
};

} // namespace llcuda
