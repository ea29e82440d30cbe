// SPDX-License-Identifier: Apache-2.0
#include <map>

#include "runtime/schema/engine_hash.h"
#include "tools/llcuda-inspect/report.h"
#include "tools/llcuda-inspect/text_table.h"

namespace llcuda::inspect {
namespace {

using ingest::GgufFile;
using ingest::GgufTensor;
using ingest::GgufType;
using ingest::GgufValue;
using nlohmann::ordered_json;

ordered_json scalarJson(const GgufValue& value) {
  if (const auto text = value.asString())
    return *text;
  if (const auto flag = value.asBool())
    return *flag;
  if (const auto number = value.asUnsigned())
    return *number;
  if (const auto number = value.asSigned())
    return *number;
  return *value.asDouble();
}

/// Element i of an array of numbers or bools.
ordered_json elementJson(const GgufValue& value, uint64_t i) {
  const auto integer = value.signedAt(i);
  if (value.elementType() == GgufType::kBool)
    return *integer != 0;
  if (integer)
    return *integer;
  return *value.doubleAt(i); // also a u64 beyond 63 bits
}

ordered_json arrayJson(const GgufValue& value) {
  if (const auto texts = value.asStrings())
    return *texts;
  ordered_json elements = ordered_json::array();
  for (uint64_t i = 0; i < value.count(); ++i) elements.push_back(elementJson(value, i));
  return elements;
}

ordered_json entryJson(const ingest::GgufEntry& entry) {
  const GgufValue& value = entry.value;
  ordered_json json = {{"key", entry.key}, {"type", ggufTypeName(value.type())}};
  if (value.type() != GgufType::kArray) {
    json["value"] = scalarJson(value);
    return json;
  }
  json["element_type"] = ggufTypeName(value.elementType());
  json["count"] = value.count();
  json["value"] = arrayJson(value);
  return json;
}

struct TypeTotal {
  uint64_t tensors = 0, elements = 0, bytes = 0;
};

std::map<std::string_view, TypeTotal> totalsByType(const GgufFile& gguf) {
  std::map<std::string_view, TypeTotal> totals;
  for (const GgufTensor& tensor : gguf.tensors()) {
    TypeTotal& total = totals[formats::tensorTypeInfo(tensor.type).name];
    ++total.tensors;
    total.elements += tensor.elements();
    total.bytes += tensor.data.size();
  }
  return totals;
}

std::string dimsText(const GgufTensor& tensor) {
  std::string text;
  for (const uint64_t dim : tensor.dims) text += (text.empty() ? "" : " x ") + std::to_string(dim);
  return text;
}

/// A short form of a value: long texts cut, arrays by their type and first elements.
std::string valueText(const GgufValue& value) {
  if (const auto text = value.asString())
    return oneLine(*text, 80);
  if (value.type() != GgufType::kArray)
    return scalarJson(value).dump();
  std::string text = std::string(ggufTypeName(value.elementType())) + "[" + std::to_string(value.count()) + "]";
  if (const auto strings = value.asStrings()) {
    for (size_t i = 0; i < std::min<size_t>(strings->size(), 4); ++i) text += " '" + oneLine((*strings)[i], 16) + "'";
  } else {
    for (uint64_t i = 0; i < std::min<uint64_t>(value.count(), 6); ++i) text += " " + elementJson(value, i).dump();
  }
  return text;
}

} // namespace

ordered_json checkpointJson(const GgufFile& gguf, bool hashes) {
  ordered_json json = {{"kind", "gguf"},
                       {"file", gguf.path()},
                       {"version", gguf.version()},
                       {"alignment", gguf.alignment()},
                       {"metadata", ordered_json::array()},
                       {"tensors", ordered_json::array()},
                       {"types", ordered_json::array()}};
  for (const ingest::GgufEntry& entry : gguf.metadata()) json["metadata"].push_back(entryJson(entry));
  for (const GgufTensor& tensor : gguf.tensors()) {
    ordered_json& entry = json["tensors"].emplace_back(ordered_json{{"name", tensor.name},
                                                                    {"type", formats::tensorTypeInfo(tensor.type).name},
                                                                    {"dims", tensor.dims},
                                                                    {"bytes", tensor.data.size()}});
    if (hashes)
      entry["xxh3"] = hexadecimal(schema::hashBytes(tensor.data));
  }
  for (const auto& [name, total] : totalsByType(gguf))
    json["types"].push_back(
        {{"type", name}, {"tensors", total.tensors}, {"elements", total.elements}, {"bytes", total.bytes}});
  return json;
}

std::string checkpointText(const GgufFile& gguf) {
  std::vector<std::vector<std::string>> metadata = {{"key", "type", "value"}},
                                        tensors = {{"tensor", "type", "shape", "bytes"}},
                                        types = {{"type", "tensors", "elements", "bytes", "size"}};
  for (const ingest::GgufEntry& entry : gguf.metadata())
    metadata.push_back({oneLine(entry.key, 60), std::string(ggufTypeName(entry.value.type())), valueText(entry.value)});
  for (const GgufTensor& tensor : gguf.tensors())
    tensors.push_back({oneLine(tensor.name, 63), std::string(formats::tensorTypeInfo(tensor.type).name),
                       dimsText(tensor), std::to_string(tensor.data.size())});
  TypeTotal all;
  const auto totals = totalsByType(gguf);
  for (const auto& [name, total] : totals) {
    types.push_back({std::string(name), std::to_string(total.tensors), std::to_string(total.elements),
                     std::to_string(total.bytes), readableBytes(total.bytes)});
    all = {all.tensors + total.tensors, all.elements + total.elements, all.bytes + total.bytes};
  }
  types.push_back({"all", std::to_string(all.tensors), std::to_string(all.elements), std::to_string(all.bytes),
                   readableBytes(all.bytes)});
  return gguf.path() + ": GGUF version " + std::to_string(gguf.version()) + ", alignment " +
         std::to_string(gguf.alignment()) + "\n\n" + textTable(metadata) + "\n" + textTable(tensors) + "\n" +
         textTable(types);
}

} // namespace llcuda::inspect
