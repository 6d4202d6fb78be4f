#include "valence/store/answers.h"

#include <algorithm>
#include <array>
#include <unordered_set>
#include <utility>

#include "valence/base/names.h"
#include "valence/base/text.h"

namespace valence {
namespace {

constexpr Names<Status, 4> kStatuses{{{Status::kScored, "scored"},
                                      {Status::kRefused, "refused"},
                                      {Status::kUnparseable, "unparseable"},
                                      {Status::kError, "error"}}};
constexpr Names<Route, 4> kRoutes{
    {{Route::kExact, "exact"}, {Route::kSampled, "sampled"}, {Route::kGiven, "given"}, {Route::kRead, "read"}}};
constexpr Names<AnswerFormat, 2> kFormats{{{AnswerFormat::kLetter, "letter"}, {AnswerFormat::kText, "text"}}};

}  // namespace

std::vector<std::string> AnswerTable::units() const {
  std::vector<std::string> distinct;
  std::unordered_set<std::string_view> seen;
  for (const auto& row : rows) {
    if (seen.insert(row.unit).second) distinct.push_back(row.unit);
  }
  return distinct;
}

AnswerTable uniform_responder(const AnswerTable& table) {
  AnswerTable uniform = table;
  for (auto& row : uniform.rows) {
    if (row.probability.empty()) continue;
    std::ranges::fill(row.probability, 1.0 / static_cast<double>(row.probability.size()));
  }
  return uniform;
}

std::string_view to_string(Status status) { return name_of(kStatuses, status); }
std::string_view to_string(Route route) { return name_of(kRoutes, route); }
std::string_view to_string(AnswerFormat format) { return name_of(kFormats, format); }

Result<Status> status_from(std::string_view text) { return value_of(kStatuses, "status", text); }
Result<Route> route_from(std::string_view text) { return value_of(kRoutes, "route", text); }
Result<AnswerFormat> format_from(std::string_view text) { return value_of(kFormats, "answer format", text); }

}  // namespace valence
