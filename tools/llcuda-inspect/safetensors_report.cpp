// SPDX-License-Identifier: Apache-2.0
#include <map>

#include "runtime/schema/engine_hash.h"
#include "tools/llcuda-inspect/report.h"
#include "tools/llcuda-inspect/text_table.h"

namespace llcuda::inspect {
namespace {

using ingest::SafetensorsSet;
using ingest::SafetensorsTensor;
using nlohmann::ordered_json;

struct TypeTotal {
  uint64_t tensors = 0, elements = 0, bytes = 0;
};

std::map<std::string_view, TypeTotal> totalsByType(const SafetensorsSet& files) {
  std::map<std::string_view, TypeTotal> totals;
  for (const SafetensorsTensor* tensor : files.tensors()) {
    TypeTotal& total = totals[tensor->type->name];
    ++total.tensors;
    total.elements += tensor->elements();
    total.bytes += tensor->data.size();
  }
  return totals;
}

std::string shapeText(const SafetensorsTensor& tensor) {
  std::string text;
  for (const uint64_t dim : tensor.shape) text += (text.empty() ? "" : " x ") + std::to_string(dim);
  return text;
}

} // namespace

ordered_json checkpointJson(const SafetensorsSet& files, bool hashes) {
  ordered_json json = {{"kind", "safetensors"},
                       {"file", files.path()},
                       {"tensors", ordered_json::array()},
                       {"types", ordered_json::array()}};
  for (const SafetensorsTensor* tensor : files.tensors()) {
    ordered_json& entry = json["tensors"].emplace_back(ordered_json{{"name", tensor->name},
                                                                    {"type", tensor->type->name},
                                                                    {"shape", tensor->shape},
                                                                    {"bytes", tensor->data.size()}});
    if (hashes)
      entry["xxh3"] = hexadecimal(schema::hashBytes(tensor->data));
  }
  for (const auto& [name, total] : totalsByType(files))
    json["types"].push_back(
        {{"type", name}, {"tensors", total.tensors}, {"elements", total.elements}, {"bytes", total.bytes}});
  return json;
}

std::string checkpointText(const SafetensorsSet& files) {
  std::vector<std::vector<std::string>> tensors = {{"tensor", "type", "shape", "bytes"}},
                                        types = {{"type", "tensors", "elements", "bytes", "size"}};
  for (const SafetensorsTensor* tensor : files.tensors())
    tensors.push_back({oneLine(tensor->name, 80), std::string(tensor->type->name), shapeText(*tensor),
                       std::to_string(tensor->data.size())});
  TypeTotal all;
  for (const auto& [name, total] : totalsByType(files)) {
    types.push_back({std::string(name), std::to_string(total.tensors), std::to_string(total.elements),
                     std::to_string(total.bytes), readableBytes(total.bytes)});
    all = {all.tensors + total.tensors, all.elements + total.elements, all.bytes + total.bytes};
  }
  types.push_back({"all", std::to_string(all.tensors), std::to_string(all.elements), std::to_string(all.bytes),
                   readableBytes(all.bytes)});
  return files.path() + ": safetensors\n\n" + textTable(tensors) + "\n" + textTable(types);
}

} // namespace llcuda::inspect
