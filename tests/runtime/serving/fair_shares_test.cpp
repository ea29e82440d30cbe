// SPDX-License-Identifier: Apache-2.0
#include "runtime/serving/fair_shares.h"

#include <deque>

#include <gmock/gmock.h>

namespace llcuda::serving {
namespace {

using testing::ElementsAre;

const std::string kBulk = "bulk", kPerson = "person";

// A key that asks for much waits for its rounds; who asks for little is served in the first.
TEST(FairShares, RoundsByCost) {
  FairShares shares(100);
  shares.join(kBulk);
  shares.join(kPerson);
  EXPECT_THAT(shares.rounds(std::vector<FairShares::Waiting>{{&kBulk, 250}, {&kBulk, 250}, {&kPerson, 30}}),
              ElementsAre(3, 5, 1));
  shares.charge(kPerson, 290); // an answer counts as a prompt does
  EXPECT_THAT(shares.rounds(std::vector<FairShares::Waiting>{{&kBulk, 250}, {&kPerson, 30}}), ElementsAre(3, 4));
}

// Nobody saves rounds while he asks for nothing, and nobody has to make up for those before he came.
TEST(FairShares, WhoComesBeginsWithTheRound) {
  FairShares shares(100);
  shares.join(kBulk);
  shares.charge(kBulk, 1050);
  shares.join(kPerson);
  EXPECT_THAT(shares.rounds(std::vector<FairShares::Waiting>{{&kBulk, 50}, {&kPerson, 50}}), ElementsAre(11, 11));
  shares.leave(kBulk);
  shares.join(kBulk);
  EXPECT_THAT(shares.rounds(std::vector<FairShares::Waiting>{{&kBulk, 50}, {&kPerson, 50}}), ElementsAre(11, 11));
}

// Of three keys that always ask, with requests of very different cost, each gets the same tokens; none is ever further
// behind than a quantum and what one request costs.
TEST(FairShares, KeysThatAlwaysAskGetTheSame) {
  const std::vector<std::string> keys = {"a", "b", "c"};
  const std::vector<uint64_t> costs = {10, 300, 2000};
  FairShares shares(100);
  for (const std::string& key : keys) shares.join(key);
  std::vector<uint64_t> got(3);
  for (int served = 0; served < 20000; ++served) {
    std::vector<FairShares::Waiting> waiting;
    for (std::size_t i = 0; i < 3; ++i) waiting.push_back({&keys[i], costs[i]});
    const std::vector<uint64_t> rounds = shares.rounds(waiting);
    const auto next = static_cast<std::size_t>(std::ranges::min_element(rounds) - rounds.begin());
    shares.charge(keys[next], costs[next]);
    got[next] += costs[next];
    const auto [least, most] = std::ranges::minmax(got);
    ASSERT_LE(most - least, 2000u + 2 * 100u);
  }
  EXPECT_GT(got[0], 100000u);
}

} // namespace
} // namespace llcuda::serving
