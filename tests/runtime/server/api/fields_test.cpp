// SPDX-License-Identifier: Apache-2.0
// The table of fields against itself: what it says is refused is refused, by the field's own name.
#include "runtime/server/api/fields.h"

#include <cmath>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/runtime/server/api/wrong_fields.h"

namespace llcuda::server {
namespace {

using testing::HasSubstr;

constexpr FieldLimits kLimits{.vocabulary = 1000};

Json bodyOf(FieldForm form) {
  if (form == kChat)
    return {{"messages", Json::array({{{"role", "user"}, {"content", "a"}}})}};
  if (form == kRerank)
    return {{"query", "a"}, {"documents", Json::array({"b"})}};
  return {{form == kEmbeddings ? "input" : "prompt", "a"}};
}

Checked<ReadRequest> read(const Json& body, FieldForm form = kChat, bool strict = false) {
  return readFields(body, form, {}, kLimits, strict);
}

Json with(FieldForm form, const std::string& name, const Json& value) {
  Json body = bodyOf(form);
  body[name] = value;
  return body;
}

// A field that is not checked reaches the engine as it came.
TEST(Fields, EachOneSentWrongIsRefusedByItsName) {
  std::size_t refused = 0;
  for (const WrongField& wrong : wrongFields(kLimits)) {
    const auto result = read(with(wrong.form, wrong.name, wrong.value), wrong.form);
    ASSERT_FALSE(result) << wrong.name << " took " << wrong.value.dump();
    EXPECT_EQ(result.error().status, 400);
    EXPECT_EQ(result.error().param, wrong.name) << wrong.value.dump();
    EXPECT_THAT(result.error().message, testing::StartsWith("Field '" + wrong.name));
    ++refused;
  }
  EXPECT_GT(refused, 200u);
}

TEST(Fields, DefaultsAreInRange) {
  for (const Field& field : fieldTable()) {
    const Json value = defaultOf(field);
    Params params;
    EXPECT_FALSE(!value.is_null() && storeField(field, value, params, kLimits)) << field.name;
  }
}

TEST(Fields, NullIsAbsent) {
  for (const Field& field : fieldTable())
    for (const FieldForm form : {kChat, kCompletions, kCompletion, kEmbeddings, kRerank})
      EXPECT_TRUE(!(field.forms & form) || field.isRequired || read(with(form, std::string(field.name), nullptr), form))
          << field.name;
}

TEST(Fields, BoundsBelongToTheRangeUnlessTheySayOtherwise) {
  EXPECT_TRUE(read(with(kChat, "temperature", 0)));
  EXPECT_TRUE(read(with(kChat, "temperature", 100)));
  EXPECT_FALSE(read(with(kChat, "top_p", 0)));
  EXPECT_TRUE(read(with(kChat, "top_p", 1)));
  EXPECT_FALSE(read(with(kChat, "n", 129)));
  EXPECT_FALSE(read(with(kChat, "seed", 18446744073709551616.0)));
  EXPECT_TRUE(read(with(kChat, "seed", 18446744073709551615u)));
}

TEST(Fields, MaxCompletionTokensCountsMost) {
  Json body = with(kChat, "max_tokens", 5);
  body["max_completion_tokens"] = 6;
  body["n_predict"] = 7;
  EXPECT_EQ(read(body)->params.maxTokens, 6);
}

TEST(Fields, StopIsAStringOrAList) {
  EXPECT_EQ(read(with(kChat, "stop", "a"))->params.stop, std::vector<std::string>{"a"});
  EXPECT_TRUE(read(with(kChat, "stop", ""))->params.stop.empty());
  EXPECT_TRUE(read(with(kChat, "stop", Json::array()))->params.stop.empty());
  EXPECT_FALSE(read(with(kChat, "stop", Json::array({"a", ""}))));
  EXPECT_FALSE(read(with(kChat, "stop", std::string(257, 'a'))));
  EXPECT_FALSE(read(with(kChat, "stop", Json(std::vector<std::string>(17, "a")))));
}

TEST(Fields, LogitBiasHasBothForms) {
  const auto object = read(with(kChat, "logit_bias", {{"5", -100}, {"text", 3}}));
  ASSERT_TRUE(object);
  EXPECT_EQ(object->params.logitBias[0].token, 5);
  EXPECT_EQ(object->params.logitBias[1].text, "text");
  const auto pairs = read(with(kChat, "logit_bias", Json::array({Json::array({5, false}), Json::array({"b", 1.5})})));
  ASSERT_TRUE(pairs);
  EXPECT_TRUE(pairs->params.logitBias[0].forbids);
  EXPECT_THAT(read(with(kChat, "logit_bias", {{"1000", 1}})).error().message, HasSubstr("not in the vocabulary"));
}

TEST(Fields, SamplersByNameAndByLetter) {
  EXPECT_EQ(read(with(kCompletion, "samplers", Json::array({"top_k", "temp"})), kCompletion)->params.samplers, "kt");
  EXPECT_EQ(read(with(kCompletion, "samplers", "kt"), kCompletion)->params.samplers, "kt");
}

TEST(Fields, OldFormsAndMediaAreRefusedByName) {
  for (const RefusedField& field : refusedFields()) {
    const auto result = read(with(kChat, std::string(field.name), Json::array()));
    ASSERT_FALSE(result) << field.name;
    EXPECT_EQ(result.error().param, field.name);
  }
}

TEST(Fields, UnknownOnesAreNamedOrRefused) {
  const Json body = with(kChat, "no_such_field", 1);
  EXPECT_EQ(read(body)->unknown, std::vector<std::string>{"no_such_field"});
  EXPECT_EQ(read(body, kChat, true).error().param, "no_such_field");
}

TEST(Fields, ContradictionsNameOneOfTheTwo) {
  EXPECT_EQ(read(with(kChat, "top_logprobs", 3)).error().param, "top_logprobs");
  EXPECT_EQ(read(with(kChat, "tool_choice", "required")).error().param, "tool_choice");
  Json both = with(kChat, "grammar", "root ::= \"a\"");
  both["json_schema"] = Json::object();
  EXPECT_EQ(read(both).error().param, "grammar");
  Json prompt = with(kChat, "add_generation_prompt", true);
  prompt["continue_final_message"] = true;
  EXPECT_FALSE(read(prompt));
  Json more = with(kCompletions, "n", 2);
  more["best_of"] = 3;
  EXPECT_EQ(read(more, kCompletions).error().param, "best_of");
}

// Clients send the settings of an answer back with the next request.
TEST(Fields, SettingsCanBeSentBack) {
  Params params;
  params.seed = 7;
  params.temperature = 0.25;
  Json body = generationSettings(params);
  body["prompt"] = "a";
  const auto back = read(body, kCompletion);
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(back->params.temperature, 0.25);
  EXPECT_EQ(back->params.seed, 7u);
}

} // namespace
} // namespace llcuda::server
