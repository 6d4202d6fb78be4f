#pragma once

#include <string>
#include <vector>

#include "valence/base/random.h"
#include "valence/evaluate/labelled.h"

namespace valence::testing {

inline DimensionNames toy_names() { return {"toy", {"order", "care"}, {{"order", 0}, {"care", 1}}}; }

/// Responses whose words tell their labels: "rules" upholds order, "chaos" opposes it; "help" upholds care. Every
/// prompt has two responses.
inline LabelledData toy_data(std::size_t rows, std::uint64_t seed = 1) {
  RandomStream stream(seed, "toy");
  LabelledData data{toy_names(), {}, {}};
  const std::vector<std::string> filler = {"well", "so", "now", "then", "maybe", "surely", "indeed", "thus"};
  for (std::size_t i = 0; i < rows; ++i) {
    LabelledResponse row;
    row.text.prompt = "question " + std::to_string(i / 2);
    row.responder = i % 3 == 0 ? "a" : i % 3 == 1 ? "b" : "c";
    const auto kind = stream.below(4);
    row.labels = {static_cast<ValueLabel>(kind == 0   ? -1
                                          : kind == 1 ? 1
                                                      : 0),
                  static_cast<ValueLabel>(stream.below(2))};
    for (int w = 0; w < 4; ++w) row.text.response += filler[stream.below(filler.size())] + " ";
    row.text.response += kind == 0 ? "chaos. " : kind == 1 ? "rules. " : "nothing. ";
    row.text.response += row.labels[1] == 1 ? "I help." : "I leave.";
    data.rows.push_back(row);
  }
  return data;
}

}  // namespace valence::testing
