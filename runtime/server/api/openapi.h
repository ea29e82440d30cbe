// SPDX-License-Identifier: Apache-2.0
// The fields of all endpoints as a document: OpenAPI 3.1, and the tables of docs/api.md.
#pragma once

#include <string>

#include "runtime/server/api/fields.h"

namespace llcuda::server {

Json openApiDocument(const FieldLimits& limits);

/// Markdown: a table of fields for each endpoint.
std::string fieldTables();

} // namespace llcuda::server
