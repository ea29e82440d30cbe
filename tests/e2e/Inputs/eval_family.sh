# SPDX-License-Identifier: Apache-2.0
# usage: eval_family.sh MODEL LOGITS.json [OPTION...]: compiles MODEL for hostsim with the options, and holds its engine's
# logits, of the prompt path and of single tokens, to those that transformers gave for the same weights. llcuda-eval ends
# with 4 when the normalised squared error is above 5e-4 or the two paths differ by more than 0.05.
set -e
model=$1 logits=$2
shift 2
llcuda-compile "$model" -o "$model.engine" --target host -c 64 "$@"
llcuda-eval "$model.engine" --device host --logits "$logits"
