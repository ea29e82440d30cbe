# SPDX-License-Identifier: Apache-2.0
# usage: eval_family.sh MODEL LOGITS.json [OPTION...]: compiles MODEL for hostsim with the options, and holds its engine
# to the recorded logits.
set -e
model=$1 logits=$2
shift 2
llcuda-compile "$model" -o "$model.engine" --target host -c 64 "$@"
llcuda-eval "$model.engine" --device host --logits "$logits"
