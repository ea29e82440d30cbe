// SPDX-License-Identifier: Apache-2.0
#include "compiler/ingest/json_text.h"

#include <optional>
#include <vector>

#include <nlohmann/json.hpp>

#include "compiler/ingest/foreign_file.h"
#include "compiler/ingest/message_parts.h"
#include "runtime/base/mapped_file.h"

namespace llcuda::ingest {
namespace {

using Json = nlohmann::json;

// Builds the value event by event, so that a limit ends the parse where it is passed.
class Builder final : public nlohmann::json_sax<Json> {
public:
  explicit Builder(const JsonLimits& limits) : limits(limits) {}

  Result<Json> finish() && {
    if (failure)
      return *std::move(failure);
    return std::move(root);
  }

  bool null() override { return put(nullptr); }
  bool boolean(bool value) override { return put(value); }
  bool number_integer(int64_t value) override { return put(value); }
  bool number_unsigned(uint64_t value) override { return put(value); }
  bool number_float(double value, const std::string&) override { return put(value); }
  bool string(std::string& value) override { return put(std::move(value)); }
  bool binary(Json::binary_t&) override { return fail("binary data is not JSON"); }
  bool start_object(size_t) override { return open(Json::object()); }
  bool start_array(size_t) override { return open(Json::array()); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }

  bool key(std::string& text) override {
    const auto [entry, fresh] = stack.back()->get_ref<Json::object_t&>().try_emplace(text);
    if (!fresh)
      return fail("the key ", Quoted{text}, " comes twice");
    member = &entry->second;
    return true;
  }

  bool parse_error(size_t position, const std::string&, const nlohmann::detail::exception&) override {
    return fail("is not JSON at its byte ", position);
  }

private:
  /// Where a value goes: the member whose key was read, the end of the open array, or the root.
  Json* place(Json value) {
    if (++values > limits.values)
      return fail("has more than ", limits.values, " values"), nullptr;
    if (stack.empty())
      return &(root = std::move(value));
    if (stack.back()->is_object())
      return &(*member = std::move(value));
    return &stack.back()->get_ref<Json::array_t&>().emplace_back(std::move(value));
  }

  bool put(Json value) { return place(std::move(value)) != nullptr; }
  bool open(Json container) {
    if (stack.size() == limits.depth)
      return fail("is nested deeper than ", limits.depth);
    Json* const inner = place(std::move(container));
    if (inner)
      stack.push_back(inner);
    return inner != nullptr;
  }
  bool close() { return stack.pop_back(), true; }

  template <typename... Parts>
  bool fail(const Parts&... parts) {
    if (!failure)
      failure = badInput(parts...);
    return false;
  }

  const JsonLimits limits;
  Json root;
  std::vector<Json*> stack; // only the innermost grows, so the others stay where they are
  Json* member = nullptr;
  size_t values = 0;
  std::optional<Error> failure;
};

} // namespace

Result<Json> parseJson(std::string_view text, const JsonLimits& limits) {
  Builder builder(limits);
  Json::sax_parse(text, &builder);
  return std::move(builder).finish();
}

Result<Json> readJsonFile(const std::string& path, const JsonLimits& limits) {
  LLCUDA_ASSIGN_OR_RETURN(const MappedFile file, MappedFile::open(path));
  const std::span<const std::byte> bytes = file.bytes();
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  Result<Json> json = parseJson(text, limits);
  if (json)
    return json;
  const size_t start = text.find_first_not_of(" \t\r\n");
  if (start == text.npos || (text[start] != '{' && text[start] != '['))
    if (std::optional<Error> foreign = foreignFile(path, bytes, "a JSON file"))
      return *std::move(foreign);
  return badInput(path, ": ", json.error().message, "; it is damaged: download it again");
}

} // namespace llcuda::ingest
