// SPDX-License-Identifier: Apache-2.0
#include "compiler/models/hf_quantization.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>

#include "compiler/ingest/message_parts.h"
#include "runtime/base/version.h"

namespace llcuda::models {
namespace {

using ingest::Quoted;

constexpr char kQuantizationKey[] = "_llcuda_quantization";
constexpr char kVersionKey[] = "_llcuda_version";

/// "1.2.3" or less of it.
std::optional<std::array<uint32_t, 3>> parseVersion(std::string_view text) {
  std::array<uint32_t, 3> version = {};
  const char* next = text.data();
  const char* const end = next + text.size();
  for (uint32_t& part : version) {
    const auto [stop, error] = std::from_chars(next, end, part);
    if (error != std::errc())
      return std::nullopt;
    if (stop == end)
      return version;
    if (*stop != '.')
      return std::nullopt;
    next = stop + 1;
  }
  return std::nullopt;
}

Result<void> checkVersion(const JsonValues& root) {
  if (!root.has(kVersionKey))
    return {};
  LLCUDA_ASSIGN_OR_RETURN(const std::string text, root.text(kVersionKey, ""));
  const auto version = parseVersion(text);
  if (!version)
    return badInput(kVersionKey, " is ", Quoted{text}, ", not a version like ", kVersion);
  // Folders of the 1 and 2 series, which were a Python package, hold nothing that is not read here.
  if (*version > parseVersion(kVersion) && version->front() > 2)
    return unsupported(kVersionKey, " is ", text, ", and this is llcuda ", kVersion, "; use a newer one");
  return {};
}

/// Whether the weights are stored in 4 bits, by bitsandbytes or in blocks of MXFP4.
Result<bool> isFourBit(const JsonValues& root) {
  LLCUDA_ASSIGN_OR_RETURN(const JsonValues keys, root.object("quantization_config"));
  if (!root.has("quantization_config"))
    return false;
  LLCUDA_ASSIGN_OR_RETURN(const std::string method, keys.text("quant_method", "bitsandbytes"));
  if (method == "mxfp4") // the tensors say which
    return true;
  if (method != "bitsandbytes")
    return unsupported("the weights are quantised by ", Quoted{method},
                       ", which is not supported; save the model in 16 bits or by bitsandbytes");
  return keys.flag("load_in_4bit", false);
}

} // namespace

Result<std::string> quantizationOf(const JsonValues& root) {
  LLCUDA_RETURN_IF_ERROR(checkVersion(root));
  LLCUDA_ASSIGN_OR_RETURN(const bool fourBit, isFourBit(root));
  LLCUDA_ASSIGN_OR_RETURN(std::string wanted, root.text(kQuantizationKey, ""));
  std::string name = wanted;
  std::ranges::transform(name, name.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (name.starts_with("gguf:"))
    name.erase(0, 5);
  else if (name == "fp16")
    name = "f16";
  else if (!name.empty() && name != "nf4")
    return unsupported(kQuantizationKey, " is ", Quoted{wanted}, "; nf4, fp16 and gguf:<type> are supported");
  if (!fourBit || name.empty())
    return name;
  if (name != "nf4")
    return badInput(kQuantizationKey, " is ", Quoted{wanted},
                    ", but quantization_config says that the weights are in 4 bits already; take one of them out");
  return std::string();
}

} // namespace llcuda::models
