// SPDX-License-Identifier: Apache-2.0
// The driver fails at every call in turn: each time an error comes back, and nothing is left behind.
#include <gtest/gtest.h>

#include "tests/runtime/exec/toy_session.h"

namespace llcuda {
namespace {

constexpr int kUnknown = 999;      // CUDA_ERROR_UNKNOWN
constexpr int kOutOfMemory = 2;    // CUDA_ERROR_OUT_OF_MEMORY
constexpr int kLaunchFailed = 719; // CUDA_ERROR_LAUNCH_FAILED

/// Loads, prompts, decodes, and gives all back.
Result<std::vector<int32_t>> wholeRun(const std::shared_ptr<const Engine>& engine, bool guard) {
  LLCUDA_ASSIGN_OR_RETURN(auto program, toy::loadToy(engine, guard));
  LLCUDA_ASSIGN_OR_RETURN(auto session, Session::create(std::move(program), 12, 1));
  Sequence sequence(*session, 0);
  const std::vector<int32_t> prompt = {3, 1, 4, 1, 5};
  GenerateOptions options;
  options.logprobs = 1;
  options.maxTokens = 4;
  toy::Collected collected = toy::generate(sequence, prompt, options);
  LLCUDA_RETURN_IF_ERROR(std::move(collected.result));
  return collected.tokens;
}

class FaultTest : public testing::TestWithParam<std::pair<int, bool>> {};

TEST_P(FaultTest, EveryCallOnce) {
  const auto [result, guard] = GetParam();
  const std::shared_ptr<const Engine> engine = toy::openToy();
  ASSERT_TRUE(wholeRun(engine, guard).ok());
  const toy::HostsimControl hostsim;
  const uint64_t before = hostsim.calls();
  uint64_t objects = hostsim.liveObjects();
  ASSERT_TRUE(wholeRun(engine, guard).ok());
  EXPECT_EQ(hostsim.liveObjects(), objects);
  const uint64_t calls = hostsim.calls() - before;
  ASSERT_GT(calls, 50u);
  int errors = 0;
  for (uint64_t nth = 1; nth <= calls; ++nth) {
    ASSERT_TRUE(hostsim.failCall(nth, result));
    const auto run = wholeRun(engine, guard);
    EXPECT_TRUE(hostsim.struck()) << "call " << nth;
    hostsim.disarm();
    // A call that gives something back and fails is not an error, and what it did not take back stays.
    const uint64_t left = hostsim.liveObjects() - std::exchange(objects, hostsim.liveObjects());
    EXPECT_LE(left, run ? 1u : 0u) << "call " << nth << ": " << (run ? "" : run.error().message);
    if (run)
      EXPECT_EQ(*run, toy::continuation({3, 1, 4, 1, 5}, 4)) << "call " << nth;
    else
      EXPECT_FALSE(run.error().message.empty());
    errors += !run;
  }
  // What frees may fail without a word; all else may not.
  EXPECT_GT(errors, static_cast<int>(calls) / 2);
  EXPECT_TRUE(wholeRun(engine, guard).ok());
}

INSTANTIATE_TEST_SUITE_P(Results, FaultTest,
                         testing::Values(std::pair(kUnknown, false), std::pair(kOutOfMemory, true),
                                         std::pair(kLaunchFailed, false)));

} // namespace
} // namespace llcuda
