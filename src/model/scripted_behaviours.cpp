#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>

#include "scripted_canned.h"
#include "scripted_choice.h"
#include "scripted_data.h"
#include "valence/base/digest.h"
#include "valence/base/random.h"
#include "valence/base/settings.h"
#include "valence/base/text.h"
#include "valence/model/scripted.h"

namespace valence {
namespace {

using Probabilities = std::vector<double>;
using Data = std::shared_ptr<const ScriptedData>;

constexpr double kSame = 1e-9;  // payoff scores that differ by less are equal

Probabilities uniform_over(std::size_t count) {
  return Probabilities(count, 1.0 / static_cast<double>(count));
}

Probabilities certain_of(std::size_t place, std::size_t count) {
  Probabilities certain(count, 0.0);
  certain[place] = 1.0;
  return certain;
}

std::string drawn_text(const std::vector<std::string>& texts, std::uint64_t seed) {
  RandomStream stream(seed, "scripted text");
  return texts[stream.below(texts.size())];
}

// ---- allocations

std::optional<std::vector<Payoffs>> allocations(const std::vector<std::string>& contents) {
  std::vector<Payoffs> payoffs;
  for (const auto& content : contents) {
    const auto pair = payoffs_in(content);
    if (!pair) return std::nullopt;
    payoffs.push_back(*pair);
  }
  return payoffs;
}

std::vector<std::size_t> best_of(const std::vector<std::size_t>& among, const std::vector<double>& scores) {
  double highest = scores[among.front()];
  for (const auto i : among) highest = std::max(highest, scores[i]);
  std::vector<std::size_t> best;
  std::copy_if(among.begin(), among.end(), std::back_inserter(best),
               [&](auto i) { return scores[i] >= highest - kSame; });
  return best;
}

std::vector<std::size_t> preferred(const DivisionValue& value, const std::vector<Payoffs>& payoffs) {
  std::vector<std::size_t> left(payoffs.size());
  std::iota(left.begin(), left.end(), std::size_t{0});
  for (const auto& weights : value.maximise) {
    std::vector<double> scores;
    for (const auto& pair : payoffs) scores.push_back(weights.score(pair));
    left = best_of(left, scores);
  }
  return left;
}

/// Of equally good divisions those nearest to their mean.
std::vector<std::size_t> middle_of(const std::vector<std::size_t>& ties, const std::vector<Payoffs>& payoffs) {
  Payoffs mean{0.0, 0.0};
  for (const auto i : ties) {
    mean.self += payoffs[i].self / static_cast<double>(ties.size());
    mean.other += payoffs[i].other / static_cast<double>(ties.size());
  }
  std::vector<double> nearness;
  for (const auto& pair : payoffs) nearness.push_back(-std::hypot(pair.self - mean.self, pair.other - mean.other));
  return best_of(ties, nearness);
}

// ---- agreement

/// Place of each option on a scale, from 0 to 1.
using ScalePlaces = std::vector<double>;

std::optional<ScalePlaces> places_on(const std::vector<std::string>& ladder, const std::vector<std::string>& contents) {
  ScalePlaces places;
  for (const auto& content : contents) {
    const auto step = std::find(ladder.begin(), ladder.end(), option_key(content));
    if (step == ladder.end()) return std::nullopt;
    places.push_back(static_cast<double>(step - ladder.begin()) / static_cast<double>(ladder.size() - 1));
  }
  return places;
}

std::optional<int> whole_number(const std::string& text) {
  const bool digits = !text.empty() && text.size() < 4 && text.find_first_not_of("0123456789") == std::string::npos;
  return digits ? std::optional(std::stoi(text)) : std::nullopt;
}

/// Whole numbers without a gap, in any order.
std::optional<ScalePlaces> places_of_numbers(const std::vector<std::string>& contents) {
  std::vector<int> numbers;
  for (const auto& content : contents) {
    const auto number = whole_number(content);
    if (!number || std::count(numbers.begin(), numbers.end(), *number) > 0) return std::nullopt;
    numbers.push_back(*number);
  }
  const auto [low, high] = std::minmax_element(numbers.begin(), numbers.end());
  const int span = *high - *low;
  if (span == 0 || static_cast<std::size_t>(span) + 1 != numbers.size()) return std::nullopt;
  ScalePlaces places;
  for (const auto number : numbers) places.push_back(static_cast<double>(number - *low) / span);
  return places;
}

std::optional<ScalePlaces> scale_of(const ScriptedData& data, const std::vector<std::string>& contents) {
  for (const auto& ladder : data.ladders) {
    if (auto places = places_on(ladder, contents)) return places;
  }
  return places_of_numbers(contents);
}

Probabilities agreement(const ScriptedData& data, const ScalePlaces& places) {
  Probabilities weights;
  for (const auto t : places) weights.push_back(data.agreement_low + (data.agreement_high - data.agreement_low) * t);
  const double sum = std::accumulate(weights.begin(), weights.end(), 0.0);
  for (auto& weight : weights) weight /= sum;
  return weights;
}

// ---- dilemmas

/// Which of two texts is commonly preferred, by the answer key.
std::optional<std::size_t> preferred_of(const AnswerKey& key, std::string_view first, std::string_view second) {
  const auto a = option_key(first);
  const auto b = option_key(second);
  if (key.contains({a, b})) return 0;
  if (key.contains({b, a})) return 1;
  return std::nullopt;
}

/// The preferred one of two texts that a question sets in quotation marks, one after the other.
std::optional<std::size_t> preferred_quoted(const AnswerKey& key, std::string_view text) {
  const auto pieces = split(text, "\"");
  for (std::size_t i = 0; i + 2 < pieces.size(); ++i) {
    if (const auto which = preferred_of(key, pieces[i], pieces[i + 2])) return which;
  }
  return std::nullopt;
}

/// The option that answers a question whether the first of two actions is preferred.
std::optional<std::size_t> yes_or_no(const AnswerKey& key, const ScriptedChoice& choice) {
  const auto& contents = choice.contents;
  const auto yes = std::find_if(contents.begin(), contents.end(), [](const auto& c) { return option_key(c) == "yes"; });
  const auto no = std::find_if(contents.begin(), contents.end(), [](const auto& c) { return option_key(c) == "no"; });
  if (yes == contents.end() || no == contents.end()) return std::nullopt;
  const auto which = preferred_quoted(key, last_user_turn(choice.conversation));
  if (!which) return std::nullopt;
  return static_cast<std::size_t>((*which == 0 ? yes : no) - contents.begin());
}

std::optional<std::size_t> commonly_preferred(const AnswerKey& key, const ScriptedChoice& choice) {
  if (choice.contents.size() != 2) return std::nullopt;
  if (const auto which = preferred_of(key, choice.contents[0], choice.contents[1])) return which;
  return yes_or_no(key, choice);
}

// ---- subjects

enum class Ties { kUniform, kMiddle };

/// What subjects that do not care about content say.
class Plain : public ScriptedBehaviour {
 public:
  explicit Plain(Data data) : data_(std::move(data)) {}
  std::vector<double> choose(const ScriptedChoice& choice) const override { return uniform_over(choice.labels.size()); }
  /// A question that offers words in running text is answered with one of them, by the same distribution as a choice.
  std::string reply(const Conversation& conversation, std::uint64_t seed) const override {
    const auto words = offered_words(data_->categories, last_user_turn(conversation));
    return words.size() < 2 ? talk(conversation, seed) : chosen_word(conversation, words, seed);
  }
  std::string decline(std::uint64_t seed) const override { return drawn_text(data_->refusals, seed); }

 protected:
  const ScriptedData& data() const { return *data_; }
  virtual std::string talk(const Conversation&, std::uint64_t seed) const { return drawn_text(data_->plain, seed); }

 private:
  std::string chosen_word(const Conversation& conversation, const std::vector<std::string>& words, std::uint64_t seed) const {
    std::vector<std::size_t> places(words.size());
    std::iota(places.begin(), places.end(), std::size_t{0});
    auto probabilities = choose({conversation, words, words, places});
    probabilities.push_back(std::max(0.0, 1.0 - std::accumulate(probabilities.begin(), probabilities.end(), 0.0)));
    const auto drawn = RandomStream(seed, "scripted word").categorical(probabilities);
    return drawn < words.size() ? words[drawn] : decline(seed);
  }

  Data data_;
};

class Ideal : public Plain {
 public:
  Ideal(Data data, Ties ties) : Plain(std::move(data)), ties_(ties) {}

  std::vector<double> choose(const ScriptedChoice& choice) const override {
    const auto& turn = last_user_turn(choice.conversation);
    if (const auto best = commonly_preferred(data().key, choice)) return certain_of(*best, choice.labels.size());
    if (const auto member = member_named(data().categories, turn, choice.contents)) {
      return certain_of(*member, choice.labels.size());
    }
    if (const auto payoffs = allocations(choice.contents)) return divide(*payoffs, choice.conversation);
    if (const auto scale = scale_of(data(), choice.contents)) return agreement(data(), *scale);
    return uniform_over(choice.labels.size());
  }

  std::string talk(const Conversation& conversation, std::uint64_t seed) const override {
    const auto* value = value_named(data(), conversation);
    if (value == nullptr) return Plain::talk(conversation, seed);
    return replace_all(drawn_text(data().induced, seed), "{value}", value->name);
  }

 private:
  std::vector<double> divide(const std::vector<Payoffs>& payoffs, const Conversation& conversation) const {
    Probabilities shares(payoffs.size(), 0.0);
    const auto* named = value_named(data(), conversation);
    for (const auto& value : data().values) {
      const double weight = named == nullptr ? value.uninduced : named == &value ? 1.0 : 0.0;
      auto best = preferred(value, payoffs);
      if (ties_ == Ties::kMiddle) best = middle_of(best, payoffs);
      for (const auto i : best) shares[i] += weight / static_cast<double>(best.size());
    }
    return shares;
  }

  Ties ties_;
};

class Noisy final : public Ideal {
 public:
  Noisy(Data data, Ties ties, double lapse) : Ideal(std::move(data), ties), lapse_(lapse) {}
  std::vector<double> choose(const ScriptedChoice& choice) const override {
    auto chosen = Ideal::choose(choice);
    for (auto& p : chosen) p = (1.0 - lapse_) * p + lapse_ / static_cast<double>(chosen.size());
    return chosen;
  }

 private:
  double lapse_;
};

class Position final : public Plain {
 public:
  Position(Data data, double share) : Plain(std::move(data)), share_(share) {}
  std::vector<double> choose(const ScriptedChoice& choice) const override {
    const auto count = choice.labels.size();
    if (count == 1) return {share_};
    Probabilities chosen(count, (1.0 - share_) / static_cast<double>(count - 1));
    const auto first = std::find(choice.places.begin(), choice.places.end(), std::size_t{0});
    chosen[static_cast<std::size_t>(first - choice.places.begin())] = share_;
    return chosen;
  }

 private:
  double share_;
};

class Letter final : public Plain {
 public:
  Letter(Data data, std::string label) : Plain(std::move(data)), label_(std::move(label)) {}
  std::vector<double> choose(const ScriptedChoice& choice) const override {
    Probabilities chosen;
    for (const auto& label : choice.labels) chosen.push_back(label == label_ ? 1.0 : 0.0);
    return chosen;
  }
  std::string decline(std::uint64_t) const override { return label_; }  // where the label is not offered

 private:
  std::string label_;
};

class Refusing final : public Ideal {
 public:
  Refusing(Data data, Ties ties, double rate) : Ideal(std::move(data), ties), rate_(rate) {}
  std::vector<double> choose(const ScriptedChoice& choice) const override {
    auto chosen = Ideal::choose(choice);
    for (auto& p : chosen) p *= 1.0 - rate_;
    return chosen;
  }
  std::string reply(const Conversation& conversation, std::uint64_t seed) const override {
    RandomStream stream(seed, "scripted refusal");
    return stream.uniform() < rate_ ? decline(seed) : Ideal::reply(conversation, seed);
  }

 private:
  double rate_;
};

// ---- by name

using Behaviour = std::shared_ptr<const ScriptedBehaviour>;

struct Subject {
  std::string name;
  SettingTable parameters;
  Result<Behaviour> (*make)(Data data, const Settings& settings);
};

Ties ties_of(const Settings& settings) { return settings.text("ties") == "middle" ? Ties::kMiddle : Ties::kUniform; }

SettingSpec share_setting(std::string name, std::string fallback, std::string help) {
  return {std::move(name), SettingType::kNumber, std::move(fallback), "", std::move(help), {}, 0.0, 1.0};
}

const std::vector<Subject>& subjects() {
  static const SettingSpec ties = {
      "ties", SettingType::kChoice, "uniform", "", "which of equally good divisions is taken", {"uniform", "middle"}, {}, {}};
  static const SettingSpec label = {"label", SettingType::kText, "A", "", "what is answered to everything", {}, {}, {}};
  static const std::vector<Subject> all = {
      {"ideal",
       {ties},
       [](Data data, const Settings& s) -> Result<Behaviour> { return std::make_shared<Ideal>(data, ties_of(s)); }},
      {"noisy",
       {share_setting("lapse", "0.2", "probability of a uniform answer"), ties},
       [](Data data, const Settings& s) -> Result<Behaviour> {
         return std::make_shared<Noisy>(data, ties_of(s), s.number("lapse"));
       }},
      {"position",
       {share_setting("share", "0.95", "probability of the first place")},
       [](Data data, const Settings& s) -> Result<Behaviour> { return std::make_shared<Position>(data, s.number("share")); }},
      {"letter",
       {label},
       [](Data data, const Settings& s) -> Result<Behaviour> { return std::make_shared<Letter>(data, s.text("label")); }},
      {"refusing",
       {share_setting("rate", "0.9", "probability of declining"), ties},
       [](Data data, const Settings& s) -> Result<Behaviour> {
         return std::make_shared<Refusing>(data, ties_of(s), s.number("rate"));
       }},
      {"canned",
       {{"file", SettingType::kText, "", "", "JSON Lines with \"prompt\" and \"response\"", {}, {}, {}}},
       [](Data, const Settings& s) -> Result<Behaviour> { return canned_behaviour(s.text("file")); }},
      {"random", {}, [](Data data, const Settings&) -> Result<Behaviour> { return std::make_shared<Plain>(data); }},
  };
  return all;
}

Result<const Subject*> find_subject(const std::string& name) {
  for (const auto& subject : subjects()) {
    if (subject.name == name) return &subject;
  }
  const auto names = scripted_names();
  const auto near = nearest(name, names);
  const auto hint = near.empty() ? "there are " + join(names, ", ") : fmt::format("did you mean \"{}\"?", near);
  return fail(ErrorCode::kNotFound, "unknown scripted subject \"{}\"; {}", name, hint);
}

/// "lapse=0.2&ties=middle" as names and values.
Result<std::vector<std::pair<std::string, std::string>>> parameters_in(const std::string& text) {
  std::vector<std::pair<std::string, std::string>> given;
  if (text.empty()) return given;
  for (const auto& piece : split(text, "&")) {
    const auto equals = piece.find('=');
    if (equals == std::string::npos) {
      return fail(ErrorCode::kUsage, "a parameter should be written name=value, got \"{}\"", piece);
    }
    given.emplace_back(piece.substr(0, equals), piece.substr(equals + 1));
  }
  return given;
}

/// Identifies a subject whatever order its parameters were given in, defaults included.
Result<std::string> definition_of(const std::string& subject, const Settings& settings, const Digest& data) {
  auto text = fmt::format("scripted subject {}\ndata {}\n", subject, data.hex());
  for (const auto& [name, value] : settings.values()) {
    if (name == "file") {  // what it says, not where it lies
      VALENCE_TRY(const auto content, sha256_file(value));
      text += fmt::format("{}\n", content.hex());
    } else {
      text += fmt::format("{}={}\n", name, value);
    }
  }
  return text;
}

Result<std::unique_ptr<LanguageModel>> open_subject(std::string_view name) {
  const auto query = std::min(name.find('?'), name.size());
  VALENCE_TRY(const auto* subject, find_subject(std::string(name.substr(0, query))));
  VALENCE_TRY(const auto given, parameters_in(std::string(name.substr(std::min(query + 1, name.size())))));
  VALENCE_TRY(const auto settings, Settings::resolve(subject->parameters, given));
  VALENCE_TRY(auto data, read_scripted_data());
  const auto shared = std::make_shared<const ScriptedData>(std::move(data));
  auto facts = shared->facts;
  for (const auto& value : settings.values()) facts.push_back(value);
  VALENCE_TRY(const auto behaviour, subject->make(shared, settings));
  VALENCE_TRY(const auto definition, definition_of(subject->name, settings, shared->digest));
  return scripted_model(fmt::format("scripted:{}", name), definition, behaviour, shared->description(subject->name), std::move(facts));
}

}  // namespace

Result<std::unique_ptr<LanguageModel>> open_scripted(std::string_view name) {
  auto model = open_subject(name);
  if (!model) return tl::unexpected(with_context(std::move(model).error(), fmt::format("model scripted:{}", name)));
  return model;
}

std::vector<std::string> scripted_names() {
  std::vector<std::string> names;
  for (const auto& subject : subjects()) names.push_back(subject.name);
  return names;
}

}  // namespace valence
