// SPDX-License-Identifier: Apache-2.0
// The fields of requests, one record each. Made from the table: how a body is read, the sentences of its errors,
// /openapi.json and docs/api.md.
#pragma once

#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "runtime/server/api/params.h"

namespace llcuda::server {

/// Who has a field.
enum FieldForm : unsigned {
  kChat = 1,        ///< /v1/chat/completions
  kCompletions = 2, ///< /v1/completions
  kCompletion = 4,  ///< /completion, llama-server's own
  kEmbeddings = 8,  ///< /v1/embeddings
  kRerank = 16,     ///< /v1/rerank
  kGenerating = kChat | kCompletions | kCompletion,
  kEvery = kGenerating | kEmbeddings | kRerank,
};

/// Where a field is not what it should be: `at` goes behind the field's name, as "[1].role".
struct FieldFault {
  std::string at;
  std::string sentence;
};

/// What reading needs to know of the server.
struct FieldLimits {
  uint32_t vocabulary = 0; ///< token ids are below it
};

using FieldReader = std::optional<FieldFault> (*)(Params&, const Json&, const FieldLimits&);

/// The member that takes the value, a function for all that is more than one number or text, or nothing: the field is
/// accepted and ignored.
using FieldTarget = std::variant<std::monostate, bool Params::*, std::optional<bool> Params::*, int64_t Params::*,
                                 double Params::*, std::string Params::*, Json Params::*, FieldReader>;

struct FieldRange {
  double least = -std::numeric_limits<double>::max();
  double most = std::numeric_limits<double>::max();
  bool isAbove = false; ///< `least` itself is not allowed
};

struct Field {
  std::string_view name;
  unsigned forms;
  FieldTarget target = {};
  FieldRange range = {};
  std::string_view values = {};  ///< of a text: the allowed ones, "none|auto"; empty: any
  std::string_view expects = {}; ///< of a reader and of JSON: what a value has to be
  std::string_view schema = {};  ///< of a reader and of JSON: its JSON schema
  std::string_view wrong = {};   ///< of a reader and of JSON: a value that is refused
  bool isSetting = false;        ///< stands in `generation_settings`
  bool isRequired = false;
  std::string_view doc = {};
};

std::span<const Field> fieldTable();

/// Fields that a form refuses by name, and why.
struct RefusedField {
  std::string_view name;
  unsigned forms;
  std::string_view sentence;
};
std::span<const RefusedField> refusedFields();

/// What a field has to be, as its error says it: "expected a number from 0 to 100".
std::string expectation(const Field& field, const FieldLimits& limits);

/// Stores one value as the table says.
std::optional<FieldFault> storeField(const Field& field, const Json& value, Params& params, const FieldLimits& limits);

struct ReadRequest {
  Params params;
  std::vector<std::string> unknown; ///< names that no field has
};

/// The fields of a body over `defaults`. Null counts as left out. 400: what a field may not be, one that is refused by
/// name, one that is missing; and with `strict` one that is unknown.
Checked<ReadRequest> readFields(const Json& body, FieldForm form, const Params& defaults, const FieldLimits& limits,
                                bool strict);

/// Params as llama-server shows them in `generation_settings`, and as a request may send them back.
Json generationSettings(const Params& params);

/// The default of a field, as JSON; null where it has none.
Json defaultOf(const Field& field);

/// A field's JSON schema.
Json schemaOf(const Field& field, const FieldLimits& limits);

} // namespace llcuda::server
