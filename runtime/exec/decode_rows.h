// SPDX-License-Identifier: Apache-2.0
// The host's side of the rows of phases that feed back. Their tokens, positions, slots and sampling belong to the
// device; the host knows which of them are used, and what it has changed and not told yet.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "codegen/formats/row_edits.h"

namespace llcuda {

/// One row of a decode phase: the next token of one sequence.
struct DecodeRow {
  uint32_t slot = 0;
  int32_t token = 0;
  uint32_t position = 0; ///< of `token`
  SamplingParams sampling = {};
};

class DecodeRows {
public:
  struct Row {
    bool isUsed = false;
    bool isHeld = false;
    uint32_t slot = 0;
    uint32_t position = 0; ///< of the token that the next step reads, unless the device has given the row up
  };

  explicit DecodeRows(uint32_t rows) : rows(rows), edited(rows) {}

  std::span<const Row> all() const { return rows; }
  /// Rows up to the last used one.
  uint32_t count() const;
  /// Whether a change of the row is not told yet: one that builds on it has to wait until it is.
  bool isEdited(uint32_t row) const { return edited[row]; }

  // Changes of rows that are not edited.
  void join(uint32_t row, const DecodeRow& state, RowSource from, int32_t source);
  void leave(uint32_t row);
  void move(uint32_t from, uint32_t to);
  void hold(uint32_t row, bool held);

  /// The changes since the last call, which count as told.
  std::vector<RowEdit> takeEdits();
  /// A step was queued: every row that is not held goes on by a position.
  void advance();

private:
  void edit(const RowEdit& edit);

  std::vector<Row> rows;
  std::vector<bool> edited;
  std::vector<RowEdit> edits;
};

} // namespace llcuda
