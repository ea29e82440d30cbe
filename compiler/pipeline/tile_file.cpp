// SPDX-License-Identifier: Apache-2.0
#include "compiler/pipeline/tile_file.h"

#include <algorithm>
#include <filesystem>
#include <optional>

#include <nlohmann/json.hpp>

#include "codegen/pack/pack.h"
#include "codegen/spec/check_tile.h"
#include "compiler/ingest/json_text.h"
#include "compiler/ingest/message_parts.h"
#include "runtime/base/mapped_file.h"

namespace llcuda::pipeline {
namespace {

using codegen::DecodeTile;
using codegen::DecodeTileRequest;
using codegen::PromptTile;
using codegen::PromptTileRequest;
using ingest::Quoted;
using nlohmann::json;
using nlohmann::ordered_json;

constexpr uint32_t kVersion = 2;
constexpr uint32_t kMaxNumber = 1u << 24; // of any field; no kernel has as many of anything
constexpr size_t kMaxDevice = 256;

template <typename Struct>
struct Field {
  const char* key;
  uint32_t Struct::*number;
};
constexpr Field<DecodeTileRequest> kDecodeRequest[] = {{"input_rows", &DecodeTileRequest::inputRows},
                                                       {"columns", &DecodeTileRequest::columns},
                                                       {"outputs", &DecodeTileRequest::outputs},
                                                       {"weights", &DecodeTileRequest::weights}};
constexpr Field<DecodeTile> kDecodeTile[] = {
    {"slices", &DecodeTile::slices}, {"ahead", &DecodeTile::ahead}, {"min_blocks_per_sm", &DecodeTile::minBlocksPerSm}};
constexpr Field<PromptTileRequest> kPromptRequest[] = {{"rows", &PromptTileRequest::rows},
                                                       {"inputs", &PromptTileRequest::inputs},
                                                       {"columns", &PromptTileRequest::columns}};
constexpr Field<PromptTile> kPromptTile[] = {{"rows", &PromptTile::rows},
                                             {"columns", &PromptTile::columns},
                                             {"warps_down", &PromptTile::warpsDown},
                                             {"warps_across", &PromptTile::warpsAcross},
                                             {"warps_deep", &PromptTile::warpsDeep},
                                             {"min_blocks_per_sm", &PromptTile::minBlocksPerSm}};

template <typename Struct, size_t kCount>
void write(const Struct& from, const Field<Struct> (&fields)[kCount], ordered_json& object) {
  for (const auto& field : fields) object[field.key] = from.*field.number;
}

/// An object of `count` members. A member that is asked for and is not there is found missing by who reads it.
Result<void> checkMembers(const json& object, size_t count) {
  if (!object.is_object())
    return badInput("is no object");
  if (object.size() != count)
    return badInput("has ", object.size(), " members, not ", count);
  return {};
}

template <typename Struct, size_t kCount>
Result<void> read(const json& object, const Field<Struct> (&fields)[kCount], Struct& to) {
  for (const auto& field : fields) {
    const json::const_iterator found = object.find(field.key);
    if (found == object.end())
      return badInput("has no ", field.key);
    if (!found->is_number_unsigned() || found->get<uint64_t>() == 0 || found->get<uint64_t>() > kMaxNumber)
      return badInput(field.key, " is no number of 1 to ", kMaxNumber);
    to.*field.number = static_cast<uint32_t>(found->get<uint64_t>());
  }
  return {};
}

Result<WeightLayout> readLayout(const json& value) {
  if (!value.is_string())
    return badInput("a layout is no text");
  const std::string& name = value.get_ref<const std::string&>();
  const std::optional<WeightLayout> layout = pack::layoutByName(name);
  return layout ? Result<WeightLayout>(*layout) : badInput("there is no layout ", Quoted{name});
}

Result<void> readRequest(const json& entry, DecodeTileRequest& request) {
  LLCUDA_RETURN_IF_ERROR(checkMembers(entry, std::size(kDecodeRequest) + 2));
  LLCUDA_RETURN_IF_ERROR(read(entry, kDecodeRequest, request));
  const auto layout = entry.find("layout");
  if (layout == entry.end())
    return badInput("has no layout");
  LLCUDA_ASSIGN_OR_RETURN(request.layout, readLayout(*layout));
  return {};
}

Result<void> readRequest(const json& entry, PromptTileRequest& request) {
  LLCUDA_RETURN_IF_ERROR(checkMembers(entry, std::size(kPromptRequest) + 3));
  LLCUDA_RETURN_IF_ERROR(read(entry, kPromptRequest, request));
  const auto gated = entry.find("gated"), layouts = entry.find("layouts");
  if (gated == entry.end() || !gated->is_boolean())
    return badInput("gated is neither true nor false");
  if (layouts == entry.end() || !layouts->is_array() || layouts->empty() || layouts->size() > 3)
    return badInput("layouts is no list of one to three");
  request.gated = gated->get<bool>();
  for (const json& name : *layouts) {
    LLCUDA_ASSIGN_OR_RETURN(const WeightLayout layout, readLayout(name));
    request.layouts.push_back(layout);
  }
  return {};
}

template <typename Request, typename Tile, size_t kCount>
Result<void> readException(const json& entry, const Field<Tile> (&fields)[kCount],
                           std::vector<codegen::TileException<Request, Tile>>& list) {
  codegen::TileException<Request, Tile> exception = {};
  LLCUDA_RETURN_IF_ERROR(readRequest(entry, exception.request));
  const auto tile = entry.find("tile");
  if (tile == entry.end())
    return badInput("has no tile");
  LLCUDA_RETURN_IF_ERROR(checkMembers(*tile, kCount));
  LLCUDA_RETURN_IF_ERROR(read(*tile, fields, exception.tile));
  LLCUDA_RETURN_IF_ERROR(codegen::checkTile(exception.request, exception.tile));
  const auto same = std::ranges::find_if(list, [&](const auto& other) { return other.request == exception.request; });
  if (same != list.end())
    return badInput("is of the same launch as entry ", same - list.begin());
  list.push_back(std::move(exception));
  return {};
}

template <typename Request, typename Tile, size_t kCount>
Result<void> readList(const json& table, const char* key, const Field<Tile> (&fields)[kCount],
                      std::vector<codegen::TileException<Request, Tile>>& list) {
  const auto found = table.find(key);
  if (found == table.end() || !found->is_array())
    return badInput("has no list ", key);
  for (size_t i = 0; i < found->size(); ++i)
    if (const auto result = readException((*found)[i], fields, list); !result)
      return badInput(key, "[", i, "]: ", result.error().message);
  return {};
}

Result<void> readTable(const json& root, codegen::TileTable& table) {
  const auto version = root.find("llcuda_tiles"), device = root.find("device");
  if (version == root.end() || *version != kVersion)
    return badInput("is no table of tiles of version ", kVersion);
  LLCUDA_RETURN_IF_ERROR(checkMembers(root, 4));
  if (device == root.end() || !device->is_string() || device->get_ref<const std::string&>().size() > kMaxDevice)
    return badInput("device is no text of at most ", kMaxDevice, " bytes");
  table.device = device->get<std::string>();
  LLCUDA_RETURN_IF_ERROR(readList(root, "decode", kDecodeTile, table.decode));
  return readList(root, "prompt", kPromptTile, table.prompt);
}

template <typename Exceptions>
size_t usedOf(const Exceptions& exceptions, const codegen::TileRequests& requests) {
  return std::ranges::count_if(exceptions, [&](const auto& exception) {
    return std::ranges::any_of(
        requests, [&](const auto& request) { return request.second == codegen::TileRequest(exception.request); });
  });
}

} // namespace

std::string tilesJson(const codegen::TileTable& table) {
  ordered_json root = {{"llcuda_tiles", kVersion},
                       {"device", table.device},
                       {"decode", ordered_json::array()},
                       {"prompt", ordered_json::array()}};
  for (const auto& [request, tile] : table.decode) {
    ordered_json& entry = root["decode"].emplace_back(ordered_json{{"layout", pack::layoutName(request.layout)}});
    write(request, kDecodeRequest, entry);
    write(tile, kDecodeTile, entry["tile"]);
  }
  for (const auto& [request, tile] : table.prompt) {
    ordered_json& entry = root["prompt"].emplace_back(ordered_json{{"layouts", ordered_json::array()}});
    for (const WeightLayout layout : request.layouts) entry["layouts"].push_back(pack::layoutName(layout));
    write(request, kPromptRequest, entry);
    entry["gated"] = request.gated;
    write(tile, kPromptTile, entry["tile"]);
  }
  return root.dump(1, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

Result<codegen::TileTable> parseTiles(std::string_view text, const std::string& file) {
  codegen::TileTable table;
  table.source = std::filesystem::path(file).filename().string();
  const Result<json> root = ingest::parseJson(text, {.depth = 8, .values = 100'000});
  const Result<void> read = root ? readTable(*root, table) : Result<void>(root.error());
  if (!read)
    return badInput(file, ": ", read.error().message, "; write the table again with llcuda-tune");
  return table;
}

Result<codegen::TileTable> readTiles(const std::string& file) {
  LLCUDA_ASSIGN_OR_RETURN(const MappedFile mapped, MappedFile::open(file));
  return parseTiles({reinterpret_cast<const char*>(mapped.bytes().data()), mapped.bytes().size()}, file);
}

std::string tilesNote(const codegen::TileTable& table, const codegen::TileRequests& requests) {
  const size_t used = usedOf(table.decode, requests) + usedOf(table.prompt, requests);
  return detail::concat("tiles of ", table.source, ", measured on ", Quoted{table.device}, ": ", used, " of ",
                        table.decode.size() + table.prompt.size(), " used");
}

} // namespace llcuda::pipeline
