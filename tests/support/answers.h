#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "valence/base/random.h"
#include "valence/store/answers.h"

namespace valence::testing {

inline std::string strange_text(RandomStream& random) {
  static const std::vector<std::string> pieces{"", "plain", "comma, \"quote\"", "line\nbreak", "\r\n", "naïve – 日本語",
                                               "'; DROP TABLE runs; --", "a\tb", " spaces "};
  return pieces[random.below(pieces.size())];
}

/// A row with every field filled with something that is hard to keep.
inline AnswerRow strange_row(RandomStream& random) {
  AnswerRow row;
  row.unit = "unit " + std::to_string(random.below(5));
  row.cluster = strange_text(random);
  row.condition = strange_text(random);
  row.item = strange_text(random);
  row.variant = strange_text(random);
  row.layout = "ABC/forward";
  row.format = random.below(2) == 0 ? AnswerFormat::kLetter : AnswerFormat::kText;
  row.route = static_cast<Route>(random.below(3));
  row.status = static_cast<Status>(random.below(4));
  if (row.status == Status::kScored) row.probability = random.dirichlet(std::vector<double>(2 + random.below(8), 0.1));
  row.place = random.permutation(row.probability.size());
  row.captured_mass = random.uniform();
  row.draws = random.below(1000);
  row.text = strange_text(random);
  row.digest = random.below(2) == 0 ? "" : std::string(64, 'a');
  return row;
}

inline AnswerTable strange_table(std::uint64_t seed, std::size_t rows) {
  RandomStream random(seed, "strange table");
  AnswerTable table{"svo", {}, {}};
  for (std::size_t i = 0; i < rows; ++i) table.rows.push_back(strange_row(random));
  for (std::size_t i = 0; i < rows / 3; ++i) table.probes.push_back(strange_row(random));
  return table;
}

/// Every field, doubles by their bits.
inline bool identical(const AnswerRow& a, const AnswerRow& b) {
  return a.unit == b.unit && a.cluster == b.cluster && a.condition == b.condition && a.item == b.item &&
         a.variant == b.variant && a.layout == b.layout && a.format == b.format && a.route == b.route &&
         a.status == b.status && a.probability == b.probability && a.place == b.place &&
         a.captured_mass == b.captured_mass && a.draws == b.draws && a.text == b.text && a.digest == b.digest;
}

inline bool identical(const std::vector<AnswerRow>& a, const std::vector<AnswerRow>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const AnswerRow& x, const AnswerRow& y) { return identical(x, y); });
}

inline bool identical(const AnswerTable& a, const AnswerTable& b) {
  return a.instrument == b.instrument && identical(a.rows, b.rows) && identical(a.probes, b.probes);
}

}  // namespace valence::testing
