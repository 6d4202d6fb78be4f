#include "valence/align/choice_data.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <set>

#include "taught_model.h"
#include "valence/base/text.h"
#include "valence/model/scripted.h"

namespace valence {
namespace {

/// Rows of one question in one wording and format, whatever the layout.
std::string question_of(const AnswerRow& row) {
  std::vector<std::string> parts;
  for (const auto* part : {&row.unit, &row.condition, &row.item, &row.variant}) {
    if (!part->empty() && (parts.empty() || parts.back() != *part)) parts.push_back(*part);
  }
  return fmt::format("{} ({})", join(parts, " / "), to_string(row.format));
}

/// The paths of one layout: the context, then each option as it was scored, with the probability that it should get.
Result<std::vector<AnswerPath>> paths_of(const AnswerRow& row, const std::vector<double>& probability,
                                         const ScoreRequest& request, const LanguageModel& student) {
  std::vector<AnswerPath> paths;
  for (std::size_t option = 0; option < probability.size(); ++option) {
    const auto shown = row.format == AnswerFormat::kLetter ? row.place[option] : option;
    AnswerPath path{request.context.tokens, request.context.tokens.size(), 0, probability[option]};
    VALENCE_TRY(const auto tokens, student.continuation(request.context, request.continuations[shown]));
    path.tokens.insert(path.tokens.end(), tokens.begin(), tokens.end());
    paths.push_back(std::move(path));
  }
  return paths;
}

std::vector<std::string> without(const std::set<std::string>& all, const std::set<std::string>& these) {
  std::vector<std::string> left;
  std::ranges::set_difference(all, these, std::back_inserter(left));
  return left;
}

/// Takes layouts as they come and puts those of one question into one example.
class Collector {
 public:
  Collector(const LanguageModel& student, const Teacher& teacher, const ChoiceLessons& lessons)
      : student_(student), key_(teacher.key ? &*teacher.key : nullptr), lessons_(lessons) {
    if (key_ == nullptr) return;
    for (const auto& [place, answer] : key_->answers) data_.answered.insert(place.second);
  }

  Result<void> take(const AnswerRow& row, const ScoreRequest* request) {
    const bool wanted = row.format == AnswerFormat::kLetter ? lessons_.letters : lessons_.texts;
    if (!wanted) return count(data_.other_format);
    if (key_ != nullptr) data_.put.insert(row.item);
    const auto* probability = key_ == nullptr ? &row.probability : key_->find(row);
    if (row.status != Status::kScored || probability == nullptr) return count(data_.unscored);
    if (row.route != Route::kExact || request == nullptr) {
      return fail(
          ErrorCode::kUnsupported,
          "{}: its answers are drawn, not scored, which leaves no option to learn; choose a protocol that scores",
          row.item);
    }
    VALENCE_TRY(auto paths, paths_of(row, *probability, *request, student_));
    const bool too_long = std::ranges::any_of(paths, [&](const AnswerPath& path) { return path.tokens.size() > lessons_.longest; });
    if (too_long) too_long_.insert(question_of(row));
    add(row, std::move(paths));
    return {};
  }

  /// A question is learned in all of its layouts or not at all: with one of them missing its letters would teach.
  ChoiceData finish() && {
    std::erase_if(data_.examples, [&](const TrainingExample& example) {
      if (!too_long_.contains(example.id)) return false;
      const auto layouts = example.paths.back().group + 1;
      data_.layouts -= layouts;
      data_.too_long += layouts;
      return true;
    });
    return std::move(data_);
  }

 private:
  static Result<void> count(std::size_t& counter) {
    ++counter;
    return {};
  }

  void add(const AnswerRow& row, std::vector<AnswerPath> paths) {
    const auto id = question_of(row);
    const auto [at, fresh] = places_.try_emplace(id, data_.examples.size());
    if (fresh) data_.examples.push_back({id, {}});
    auto& example = data_.examples[at->second];
    const auto group = example.paths.empty() ? 0 : example.paths.back().group + 1;
    for (auto& path : paths) {
      path.group = group;
      example.paths.push_back(std::move(path));
    }
    ++data_.layouts;
  }

  const LanguageModel& student_;
  const AnswerKey* key_;  // null: the teacher's own answers
  const ChoiceLessons& lessons_;
  ChoiceData data_;
  std::map<std::string, std::size_t> places_;
  std::set<std::string> too_long_;  // questions with a layout that is
};

}  // namespace

std::vector<std::string> ChoiceData::not_in_target() const { return without(put, answered); }

std::vector<std::string> ChoiceData::not_put() const { return without(answered, put); }

void merge(ChoiceData& data, ChoiceData more) {
  std::move(more.examples.begin(), more.examples.end(), std::back_inserter(data.examples));
  data.layouts += more.layouts;
  data.too_long += more.too_long;
  data.unscored += more.unscored;
  data.other_format += more.other_format;
  data.put.merge(more.put);
  data.answered.merge(more.answered);
}

Result<Teacher> target_teacher(const Instrument& instrument, const Settings& settings, const Target& target) {
  VALENCE_TRY(auto key, instrument.answer_key(target, settings));
  VALENCE_TRY(std::shared_ptr<LanguageModel> model, open_scripted("ideal"));
  return Teacher{std::move(model), "", std::move(key)};
}

Result<ChoiceData> choice_data(const Instrument& instrument, const Settings& settings, const Subject& student,
                               const Teacher& teacher, const ChoiceLessons& lessons, std::uint64_t seed,
                               Progress* progress) {
  auto taught = std::make_shared<TaughtModel>(student, teacher);
  Subject pupil = student;
  pupil.model = taught;
  Examiner examiner(pupil, nullptr, 0, {.seed = seed, .progress = progress});
  Examination examination{examiner, seed, progress};
  VALENCE_TRY(const auto table, instrument.administer(examination, settings));
  Collector collector(*student.model, teacher, lessons);
  for (const auto& row : table.rows) VALENCE_CHECK(collector.take(row, taught->request(row.digest)));
  auto data = std::move(collector).finish();
  if (data.examples.empty()) {
    return fail(ErrorCode::kUsage,
                "{}: there is nothing to learn from: {} layouts are of another format, {} without a distribution, {} "
                "too long. Choose another "
                "format or teacher",
                instrument.card().id, data.other_format, data.unscored, data.too_long);
  }
  return data;
}

}  // namespace valence
