// SPDX-License-Identifier: Apache-2.0
// Readers of fields that are more than one number or text. What each expects stands in the table of fields.cpp.
#pragma once

#include "runtime/server/api/fields.h"

namespace llcuda::server::readers {

std::optional<FieldFault> seed(Params& params, const Json& value, const FieldLimits& limits);
std::optional<FieldFault> stop(Params& params, const Json& value, const FieldLimits& limits);
std::optional<FieldFault> samplers(Params& params, const Json& value, const FieldLimits& limits);
std::optional<FieldFault> dryBreakers(Params& params, const Json& value, const FieldLimits& limits);
std::optional<FieldFault> logitBias(Params& params, const Json& value, const FieldLimits& limits);
std::optional<FieldFault> streamOptions(Params& params, const Json& value, const FieldLimits& limits);
std::optional<FieldFault> legacyLogprobs(Params& params, const Json& value, const FieldLimits& limits);
std::optional<FieldFault> responseFields(Params& params, const Json& value, const FieldLimits& limits);
std::optional<FieldFault> model(Params& params, const Json& value, const FieldLimits& limits);
std::optional<FieldFault> messages(Params& params, const Json& value, const FieldLimits& limits);
std::optional<FieldFault> tools(Params& params, const Json& value, const FieldLimits& limits);
std::optional<FieldFault> toolChoice(Params& params, const Json& value, const FieldLimits& limits);
std::optional<FieldFault> responseFormat(Params& params, const Json& value, const FieldLimits& limits);
std::optional<FieldFault> encodingFormat(Params& params, const Json& value, const FieldLimits& limits);
std::optional<FieldFault> documents(Params& params, const Json& value, const FieldLimits& limits);
std::optional<FieldFault> modalities(Params& params, const Json& value, const FieldLimits& limits);
std::optional<FieldFault> noLora(Params& params, const Json& value, const FieldLimits& limits);
std::optional<FieldFault> noSuffix(Params& params, const Json& value, const FieldLimits& limits);

} // namespace llcuda::server::readers
