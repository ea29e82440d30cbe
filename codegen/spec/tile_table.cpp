// SPDX-License-Identifier: Apache-2.0
#include "codegen/spec/tile_table.h"

#include <algorithm>

namespace llcuda::codegen {
namespace {

template <typename Exceptions, typename Request>
auto find(const Exceptions& exceptions, const Request& request) {
  return std::ranges::find_if(exceptions, [&](const auto& exception) { return exception.request == request; });
}

template <typename Exceptions>
void addMissing(Exceptions& exceptions, const Exceptions& base) {
  for (const auto& exception : base)
    if (find(exceptions, exception.request) == exceptions.end())
      exceptions.push_back(exception);
}

} // namespace

// Entries are those of tables that llcuda-tune wrote on a T4, of launches of which the formula's tile is more than 2 %
// slower. Where several models show the same, the formula is mended instead.
const TileTable& builtInTiles() {
  static const TileTable table;
  return table;
}

TileTable over(TileTable table, const TileTable& base) {
  addMissing(table.decode, base.decode);
  addMissing(table.prompt, base.prompt);
  return table;
}

DecodeTile chooseDecodeTile(const DecodeTileRequest& request, const TileTable& tiles) {
  const auto found = find(tiles.decode, request);
  return found == tiles.decode.end() ? chooseDecodeTile(request) : found->tile;
}

PromptTile choosePromptTile(const PromptTileRequest& request, const TileTable& tiles) {
  const auto found = find(tiles.prompt, request);
  if (found != tiles.prompt.end())
    return found->tile;
  PromptTileRequest cut = request;
  if (tiles.anyRows && cut.rows > 32)
    cut.rows = 1024;
  return choosePromptTile(cut);
}

} // namespace llcuda::codegen
