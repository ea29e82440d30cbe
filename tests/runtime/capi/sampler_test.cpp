// SPDX-License-Identifier: Apache-2.0
// llcuda_sampler: every field out of range is refused by its name, and the seed in use is reported.
#include <functional>
#include <limits>

#include "tests/runtime/capi/capi_fixture.h"

namespace llcuda {
namespace {

using testing::HasSubstr;

constexpr float kNan = std::numeric_limits<float>::quiet_NaN(), kInfinity = std::numeric_limits<float>::infinity();

class SamplerApiTest : public CapiTest {
protected:
  void SetUp() override {
    CapiTest::SetUp();
    engine.emplace(open("plain"));
    session.emplace(sessionOf(*engine));
  }

  api::Generated generate(const api::Sampler& sampler) {
    const int32_t prompt[] = {1};
    api::GenerateOptions options;
    options.maxTokens = 1;
    options.sampler = sampler;
    EXPECT_TRUE(bool(session->rewind(0)));
    return session->generate(prompt, options);
  }

  std::optional<api::Engine> engine;
  std::optional<api::Session> session;
};

struct Wrong {
  const char* sentence;
  std::function<void(api::Sampler&)> make;
};

TEST_F(SamplerApiTest, FieldsOutOfRange) {
  const Wrong wrongs[] = {
      {"temperature is nan, allowed are -1e+06 to 1e+06", [](auto& s) { s.temperature = kNan; }},
      {"dynatemp_range is -1, allowed are 0 to", [](auto& s) { s.dynatempRange = -1; }},
      {"dynatemp_exponent is -1", [](auto& s) { s.dynatempExponent = -1; }},
      {"top_k is -2, allowed are -1 to 2147483647", [](auto& s) { s.topK = -2; }},
      {"top_p is 0, allowed are above 0 and up to 1", [](auto& s) { s.topP = 0; }},
      {"top_p is 1.5", [](auto& s) { s.topP = 1.5f; }},
      {"min_p is -0.5, allowed are 0 to 1", [](auto& s) { s.minP = -0.5f; }},
      {"typical_p is 0", [](auto& s) { s.typicalP = 0; }},
      {"top_n_sigma is inf", [](auto& s) { s.topNSigma = kInfinity; }},
      {"xtc_probability is 2", [](auto& s) { s.xtcProbability = 2; }},
      {"xtc_threshold is -1", [](auto& s) { s.xtcThreshold = -1; }},
      {"repeat_last_n is -2", [](auto& s) { s.repeatLastN = -2; }},
      {"repeat_penalty is 0, allowed are above 0", [](auto& s) { s.repeatPenalty = 0; }},
      {"frequency_penalty is inf", [](auto& s) { s.frequencyPenalty = kInfinity; }},
      {"presence_penalty is nan", [](auto& s) { s.presencePenalty = kNan; }},
      {"dry_multiplier is -1", [](auto& s) { s.dryMultiplier = -1; }},
      {"dry_base is nan", [](auto& s) { s.dryBase = kNan; }},
      {"dry_allowed_length is -1", [](auto& s) { s.dryAllowedLength = -1; }},
      {"dry_penalty_last_n is -2", [](auto& s) { s.dryPenaltyLastN = -2; }},
      {"dry_sequence_breakers[1] has 0 bytes, allowed are 1 to 256",
       [](auto& s) {
         s.drySequenceBreakers = {"a", ""};
       }},
      {"dry_sequence_breakers has 65 strings", [](auto& s) { s.drySequenceBreakers.assign(65, "a"); }},
      {"mirostat is 3, allowed are 0 to 2", [](auto& s) { s.mirostat = 3; }},
      {"mirostat_tau is -1", [](auto& s) { s.mirostatTau = -1; }},
      {"mirostat_eta is -1", [](auto& s) { s.mirostatEta = -1; }},
      {"adaptive_target is 2", [](auto& s) { s.adaptiveTarget = 2; }},
      {"adaptive_decay is 1, allowed are 0 to 0.99", [](auto& s) { s.adaptiveDecay = 1; }},
      {"min_keep is 4294967295", [](auto& s) { s.minKeep = UINT32_MAX; }},
      {"stages has the letter 'i', allowed are e d s k y p m x t a", [](auto& s) { s.stages = "kip"; }},
      {"stages has 13 letters, allowed are up to 12", [](auto& s) { s.stages = "kkkkkkkkkkkkk"; }},
      {"logit_bias[0].token is -1, the vocabulary has",
       [](auto& s) {
         s.logitBias = {{-1, 0}};
       }},
      {"logit_bias[1].bias is nan",
       [](auto& s) {
         s.logitBias = {{1, 0}, {2, kNan}};
       }},
      {"logit_bias[0].bias is inf",
       [](auto& s) {
         s.logitBias = {{1, kInfinity}};
       }},
      {"logit_bias has 1025 entries, allowed are up to 1024",
       [](auto& s) {
         s.logitBias.assign(1025, {1, 0});
       }},
  };
  for (const Wrong& wrong : wrongs) {
    api::Sampler sampler;
    wrong.make(sampler);
    const api::Generated generated = generate(sampler);
    ASSERT_TRUE(generated.error) << wrong.sentence;
    EXPECT_EQ(generated.error->status, LLCUDA_USAGE);
    EXPECT_THAT(generated.error->message, HasSubstr(wrong.sentence));
  }
  EXPECT_FALSE(generate({}).error);
}

// A given seed is the effective one; without one, two calls have two.
TEST_F(SamplerApiTest, SeedIsReported) {
  api::Sampler sampler;
  sampler.seed = UINT64_MAX;
  EXPECT_EQ(generate(sampler).metrics.seed, UINT64_MAX);
  sampler.seed.reset();
  const uint64_t first = generate(sampler).metrics.seed, second = generate(sampler).metrics.seed;
  EXPECT_NE(first, second);
  sampler.seed = first;
  EXPECT_EQ(generate(sampler).metrics.seed, first);
}

} // namespace
} // namespace llcuda
