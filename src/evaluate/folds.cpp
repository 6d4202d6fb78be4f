#include "valence/evaluate/folds.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "valence/base/digest.h"

namespace valence {
namespace {

Digest group_hash(std::string_view purpose, std::string_view group, std::uint64_t seed) {
  return Hasher().add(purpose).add(seed).add(group).finish();
}

std::vector<std::size_t> rows_where(const Folds& folds, std::size_t fold, bool inside) {
  std::vector<std::size_t> rows;
  for (std::size_t row = 0; row < folds.of_row.size(); ++row) {
    if ((folds.of_row[row] == fold) == inside) rows.push_back(row);
  }
  return rows;
}

}  // namespace

std::vector<std::size_t> Folds::inside(std::size_t fold) const { return rows_where(*this, fold, true); }
std::vector<std::size_t> Folds::outside(std::size_t fold) const { return rows_where(*this, fold, false); }

Result<Folds> grouped_folds(std::span<const std::string> groups, std::size_t count, std::uint64_t seed) {
  std::map<std::string_view, std::vector<std::size_t>> members;
  for (std::size_t row = 0; row < groups.size(); ++row) members[groups[row]].push_back(row);
  if (count < 2 || members.size() < count) {
    return fail(ErrorCode::kWrongCount, "{} folds need at least 2 folds and as many prompts; there are {} prompts",
                count, members.size());
  }
  std::map<Digest, const std::vector<std::size_t>*> by_hash;
  for (const auto& [name, rows] : members) by_hash[group_hash("fold", name, seed)] = &rows;
  Folds folds{std::vector<std::size_t>(groups.size()), count, {}};
  std::vector<std::size_t> sizes(count, 0);
  for (const auto& [hash, rows] : by_hash) {
    const auto fold = static_cast<std::size_t>(std::min_element(sizes.begin(), sizes.end()) - sizes.begin());
    for (const auto row : *rows) folds.of_row[row] = fold;
    sizes[fold] += rows->size();
  }
  for (std::size_t f = 0; f < count; ++f) folds.names.push_back(fmt::format("fold {}", f + 1));
  return folds;
}

Result<Folds> folds_by_name(std::span<const std::string> names) {
  Folds folds;
  for (const auto& name : names) {
    const auto known = std::find(folds.names.begin(), folds.names.end(), name);
    folds.of_row.push_back(static_cast<std::size_t>(known - folds.names.begin()));
    if (known == folds.names.end()) folds.names.push_back(name);
  }
  folds.count = folds.names.size();
  if (folds.count >= 2) return folds;
  return fail(ErrorCode::kWrongCount,
              "leaving one responder out needs responses of at least 2 responders (`response_source`), got {}",
              folds.count);
}

bool is_held_out(std::string_view group, double share, std::uint64_t seed) {
  const auto hash = group_hash("held out", group, seed);
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < 8; ++i) number = (number << 8U) | hash.bytes[i];
  return std::ldexp(static_cast<double>(number), -64) < share;
}

}  // namespace valence
