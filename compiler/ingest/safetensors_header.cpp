// SPDX-License-Identifier: Apache-2.0
#include "compiler/ingest/safetensors_header.h"

#include <optional>
#include <unordered_set>

#include <nlohmann/json.hpp>

#include "compiler/ingest/message_parts.h"

namespace llcuda::ingest {
namespace {

using Json = nlohmann::json;

constexpr size_t kMaxTensors = 65'536;
constexpr size_t kMaxDimensions = 8;
constexpr std::string_view kMetadata = "__metadata__";

// { "<tensor>": { "dtype": "F16", "shape": [2, 3], "data_offsets": [0, 12] }, "__metadata__": { "<key>": "<text>" } }
// Every event that does not fit this form ends the parse with an error.
class HeaderReader final : public nlohmann::json_sax<Json> {
public:
  Result<SafetensorsHeader> finish() && {
    if (failure)
      return *std::move(failure);
    return std::move(header);
  }

  bool start_object(size_t) override {
    if (level == Level::kOutside)
      return enter(Level::kHeader);
    if (level != Level::kHeader)
      return fail("an object stands in ", place());
    if (entryName == kMetadata)
      return enter(Level::kMetadata);
    if (header.entries.size() == kMaxTensors)
      return fail("there are more than ", kMaxTensors, " tensors");
    header.entries.emplace_back().name = entryName;
    seen = {};
    return enter(Level::kTensor);
  }

  bool end_object() override {
    if (level != Level::kTensor) {
      level = level == Level::kMetadata ? Level::kHeader : Level::kOutside;
      return true;
    }
    level = Level::kHeader;
    for (size_t field = 0; field < kFields.size(); ++field)
      if (!seen[field])
        return fail(place(), " has no ", kFields[field]);
    return true;
  }

  bool key(std::string& text) override {
    if (level == Level::kHeader) {
      entryName = text;
      return names.insert(text).second || fail(place(), " comes twice");
    }
    if (level == Level::kMetadata) {
      fieldName = text;
      return header.metadata.try_emplace(text).second || fail(kMetadata, " has ", Quoted{text}, " twice");
    }
    for (field = 0; field < kFields.size() && kFields[field] != text;) ++field;
    if (field == kFields.size())
      return fail(place(), " has an unknown key ", Quoted{text});
    return !std::exchange(seen[field], true) || fail(place(), " has ", kFields[field], " twice");
  }

  bool string(std::string& text) override {
    if (level == Level::kMetadata)
      return header.metadata[fieldName] = std::move(text), true;
    if (level != Level::kTensor || field != kDtype)
      return misplaced("a text");
    header.entries.back().dtype = std::move(text);
    return true;
  }

  bool start_array(size_t) override {
    if (level != Level::kTensor || field == kDtype)
      return misplaced("a list");
    offsetCount = 0;
    return enter(Level::kList);
  }

  bool end_array() override {
    level = Level::kTensor;
    if (field == kOffsets && offsetCount != 2)
      return fail(place(), " has ", offsetCount, " data_offsets, not 2");
    return true;
  }

  bool number_unsigned(uint64_t number) override {
    if (level != Level::kList)
      return misplaced("a number");
    SafetensorsEntry& entry = header.entries.back();
    if (field == kShape) {
      if (entry.shape.size() == kMaxDimensions)
        return fail(place(), " has more than ", kMaxDimensions, " dimensions");
      entry.shape.push_back(number);
      return true;
    }
    if (offsetCount < entry.offsets.size())
      entry.offsets[offsetCount] = number;
    ++offsetCount;
    return true;
  }

  bool number_integer(int64_t) override { return misplaced("a negative number"); }
  bool number_float(double, const std::string&) override { return misplaced("a fraction"); }
  bool boolean(bool) override { return misplaced("true or false"); }
  bool null() override { return misplaced("null"); }
  bool binary(Json::binary_t&) override { return misplaced("binary data"); }
  bool parse_error(size_t position, const std::string&, const nlohmann::detail::exception&) override {
    return fail("the header is not JSON at its byte ", position);
  }

private:
  enum class Level { kOutside, kHeader, kMetadata, kTensor, kList };
  static constexpr std::array<std::string_view, 3> kFields = {"dtype", "shape", "data_offsets"};
  static constexpr size_t kDtype = 0, kShape = 1, kOffsets = 2;

  bool enter(Level next) { return level = next, true; }
  template <typename... Parts>
  bool fail(const Parts&... parts) {
    if (!failure)
      failure = badInput(parts...);
    return false;
  }
  bool misplaced(std::string_view what) { return fail(what, " stands in ", place()); }
  std::string place() const {
    return level == Level::kOutside || (level == Level::kHeader && names.empty())
               ? "the header"
               : detail::concat("tensor ", Quoted{entryName});
  }

  SafetensorsHeader header;
  std::unordered_set<std::string> names;
  std::optional<Error> failure;
  Level level = Level::kOutside;
  std::string entryName, fieldName;
  std::array<bool, 3> seen = {};
  size_t field = 0;
  size_t offsetCount = 0;
};

} // namespace

Result<SafetensorsHeader> parseSafetensorsHeader(std::string_view json) {
  HeaderReader reader;
  Json::sax_parse(json, &reader);
  return std::move(reader).finish();
}

} // namespace llcuda::ingest
