// SPDX-License-Identifier: Apache-2.0
#include "compiler/pipeline/text_segment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace llcuda::pipeline {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

// What a chat would fail with is said when the engine is made, with the place; the engine is made all the same.
TEST(TextSegment, SaysWhichTemplatesCannotBeRead) {
  ingest::Vocabulary vocabulary;
  vocabulary.config.chatTemplate = "a\n{% if %}";
  vocabulary.config.namedTemplates = {{"rag", "{{ x }}"}, {"tool_use", "{{ x | nosuch }}"}};
  const Result<TextSegment> segment = textSegment(vocabulary, 1);
  ASSERT_TRUE(segment.ok()) << segment.error().message;
  EXPECT_THAT(segment->warnings,
              ElementsAre(AllOf(HasSubstr("the chat template cannot be read"), HasSubstr("(line 2)")),
                          AllOf(HasSubstr("\"tool_use\""), HasSubstr("No filter named 'nosuch'"))));
}

TEST(TextSegment, ReadableTemplatesNeedNoWord) {
  ingest::Vocabulary vocabulary;
  vocabulary.config.chatTemplate = "{% for message in messages %}{{ message.content }}{% endfor %}";
  EXPECT_TRUE(textSegment(vocabulary, 1)->warnings.empty());
}

} // namespace
} // namespace llcuda::pipeline
