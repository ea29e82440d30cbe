// SPDX-License-Identifier: Apache-2.0
#include "runtime/exec/decode_rows.h"

#include <cassert>
#include <utility>

namespace llcuda {

uint32_t DecodeRows::count() const {
  auto count = static_cast<uint32_t>(rows.size());
  while (count != 0 && !rows[count - 1].isUsed) --count;
  return count;
}

void DecodeRows::edit(const RowEdit& edit) {
  assert(!edited[static_cast<uint32_t>(edit.row)]);
  edited[static_cast<uint32_t>(edit.row)] = true;
  edits.push_back(edit);
}

void DecodeRows::join(uint32_t row, const DecodeRow& state, RowSource from, int32_t source) {
  RowEdit change = {static_cast<int32_t>(row),        from, source,        static_cast<int32_t>(state.position),
                    static_cast<int32_t>(state.slot), 0,    state.sampling};
  change.sampling.step = state.position;
  rows[row] = {true, state.sampling.hold != 0, state.slot, state.position};
  edit(change);
}

void DecodeRows::leave(uint32_t row) {
  rows[row] = {};
  edit({static_cast<int32_t>(row), RowSource::kToken, 0, -1, 0, 0, {}});
}

void DecodeRows::move(uint32_t from, uint32_t to) {
  assert(from != to && !edited[from]);
  rows[to] = rows[from];
  RowEdit change = {static_cast<int32_t>(to), RowSource::kRow, static_cast<int32_t>(from), 0, 0, 0, {}};
  change.sampling.hold = rows[to].isHeld;
  edit(change);
  leave(from);
}

void DecodeRows::hold(uint32_t row, bool held) {
  rows[row].isHeld = held;
  RowEdit change = {static_cast<int32_t>(row), RowSource::kRow, static_cast<int32_t>(row), 0, 0, 0, {}};
  change.sampling.hold = held;
  edit(change);
}

std::vector<RowEdit> DecodeRows::takeEdits() {
  edited.assign(edited.size(), false);
  return std::exchange(edits, {});
}

void DecodeRows::advance() {
  for (Row& row : rows) row.position += row.isUsed && !row.isHeld;
}

} // namespace llcuda
