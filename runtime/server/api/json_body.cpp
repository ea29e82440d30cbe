// SPDX-License-Identifier: Apache-2.0
#include "runtime/server/api/json_body.h"

#include <optional>

namespace llcuda::server {
namespace {

/// Counts what the parser meets and keeps nothing, so that a body is known to be small and flat before it is stored.
class Inspector final : public nlohmann::json_sax<Json> {
public:
  explicit Inspector(const JsonLimits& limits) : limits(limits) {}

  std::string fault; ///< empty: none

  bool null() override { return count(); }
  bool boolean(bool) override { return count(); }
  bool number_integer(number_integer_t) override { return count(); }
  bool number_unsigned(number_unsigned_t) override { return count(); }
  bool number_float(number_float_t, const string_t&) override { return count(); }
  bool string(string_t&) override { return count(); }
  bool binary(binary_t&) override { return count(); }
  bool key(string_t&) override { return count(); }
  bool start_object(std::size_t) override { return enter(); }
  bool start_array(std::size_t) override { return enter(); }
  bool end_object() override { return --depth, true; }
  bool end_array() override { return --depth, true; }
  /// The library's sentence names its own classes; where it happened says enough.
  bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception& error) override {
    constexpr int kNumberOutOfRange = 406;
    fault = error.id == kNumberOutOfRange
                ? "the body has a number that no float holds"
                : "the body is no JSON in UTF-8: byte " + std::to_string(position) + " does not fit";
    return false;
  }

private:
  bool count() {
    if (++values <= limits.values)
      return true;
    fault = "the body has more than " + std::to_string(limits.values) + " values";
    return false;
  }
  bool enter() {
    if (++depth <= limits.depth)
      return count();
    fault = "the body is nested more than " + std::to_string(limits.depth) + " levels deep";
    return false;
  }

  JsonLimits limits;
  std::size_t depth = 0;
  std::size_t values = 0;
};

} // namespace

Checked<Json> parseBody(std::string_view text, const JsonLimits& limits) {
  Inspector inspector(limits);
  if (!Json::sax_parse(text, &inspector))
    return ApiError{400, inspector.fault.empty() ? "the body is no JSON" : inspector.fault};
  Json body = Json::parse(text, nullptr, false);
  if (!body.is_object())
    return ApiError{400, "the body is no JSON object"};
  return body;
}

} // namespace llcuda::server
