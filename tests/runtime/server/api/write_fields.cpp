// SPDX-License-Identifier: Apache-2.0
// api_fields tables|openapi|wrong: what is made of the table of fields. `wrong` is a list of [path, field, value].
#include <cstdio>
#include <string_view>

#include "runtime/server/api/openapi.h"
#include "tests/runtime/server/api/wrong_fields.h"

using namespace llcuda::server;

namespace {

constexpr FieldLimits kLimits{.vocabulary = 1024};

std::string_view pathOf(FieldForm form) {
  switch (form) {
  case kChat:
    return "/v1/chat/completions";
  case kCompletions:
    return "/v1/completions";
  case kCompletion:
    return "/completion";
  case kRerank:
    return "/v1/rerank";
  default:
    return "/v1/embeddings";
  }
}

Json wrongList() {
  Json list = Json::array();
  for (const WrongField& wrong : wrongFields(kLimits)) list.push_back({pathOf(wrong.form), wrong.name, wrong.value});
  return list;
}

} // namespace

int main(int count, char** arguments) {
  const std::string_view what = count == 2 ? arguments[1] : "";
  if (what == "tables")
    std::fputs(fieldTables().c_str(), stdout);
  else if (what == "openapi")
    std::puts(openApiDocument(kLimits).dump(2).c_str());
  else if (what == "wrong")
    std::puts(wrongList().dump().c_str());
  else
    return std::fputs("usage: api_fields tables|openapi|wrong\n", stderr), 1;
}
