// SPDX-License-Identifier: Apache-2.0
// Changes of rows and of block tables, as codegen/formats/row_edits.h says
//
//   launch    grid (1), block (kEditThreads), which is at least the number of rows that are edited
//   edits     EditsHeader, RowEdit [rows], PageEdit [pages]; no row is edited twice, and no entry
//   state     tokens, positions, slots, sampling of the rows of phases that feed back; null where there are none
//   sampled   of the last phase that does not
//   tables    the block tables of the KV groups
#pragma once

#include "codegen/formats/row_edits.h"
#include "codegen/kernels/base/device.cuh"
#include "codegen/kernels/elementwise/edit_tiles.h"

namespace llcuda {

/// The rows of phases that feed back.
struct RowState {
  int* tokens;
  int* positions;
  int* slots;
  SamplingParams* sampling;
};

struct EditShape {
  int tables; ///< of KV groups
};

template <int kTables>
struct BlockTables {
  int* of[kTables];
};

/// One row's state.
struct EditedRow {
  int token, position, slot;
  SamplingParams sampling;
};

LLCUDA_DEVICE EditedRow editedRow(const RowEdit& edit, const RowState& state, const int* sampled) {
  EditedRow row = {edit.source, edit.position, edit.slot, edit.sampling};
  if (edit.from == RowSource::kRow) {
    row = {state.tokens[edit.source], state.positions[edit.source], state.slots[edit.source],
           state.sampling[edit.source]};
    row.sampling.hold = edit.sampling.hold;
  } else if (edit.from == RowSource::kOutput) {
    row.token = sampled[edit.source];
  }
  if (row.token < 0)
    row = {0, -1, 0, row.sampling};
  return row;
}

template <EditShape kShape>
LLCUDA_DEVICE void applyEdits(const uint8_t* edits, RowState state, const int* sampled,
                              BlockTables<kShape.tables> tables) {
  const auto* const header = reinterpret_cast<const EditsHeader*>(edits);
  const auto* const rowEdits = reinterpret_cast<const RowEdit*>(header + 1);
  const auto* const pageEdits = reinterpret_cast<const PageEdit*>(rowEdits + header->rows);
  const uint32_t thread = threadIdx.x;
  EditedRow row = {};
  if (thread < header->rows)
    row = editedRow(rowEdits[thread], state, sampled);
  syncThreads(); // every source is read
  if (thread < header->rows) {
    const int at = rowEdits[thread].row;
    state.tokens[at] = row.token;
    state.positions[at] = row.position;
    state.slots[at] = row.slot;
    state.sampling[at] = row.sampling;
  }
  for (uint32_t i = thread; i < header->pages; i += kEditThreads) {
    const PageEdit page = pageEdits[i];
    LLCUDA_UNROLL
    for (int t = 0; t < kShape.tables; ++t)
      if (page.table == t)
        tables.of[t][page.entry] = page.page;
  }
}

} // namespace llcuda
