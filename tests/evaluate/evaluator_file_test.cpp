#include "valence/evaluate/evaluator_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <nlohmann/json.hpp>

#include "support/scratch.h"
#include "toy.h"
#include "valence/base/digest.h"

namespace valence {
namespace {

using ::testing::HasSubstr;

Evaluator small(HeadKind kind = HeadKind::kLogistic) {
  EvaluatorRecipe recipe;
  auto& part = recipe.parts.front();
  part.features = {"tfidf", "dictionary"};
  part.head.kind = kind;
  part.head.hidden = 4;
  part.head.members = 2;
  part.head.epochs = 3;
  part.l2_grid = {0.1, 1.0};
  return train_evaluator(testing::toy_data(40), text_feature_families().value(), recipe, *silent_progress()).value();
}

Result<Evaluator> decoded(std::string_view bytes) {
  return decode_evaluator(bytes, "e.evaluator", text_feature_families().value());
}

constexpr std::size_t kHeaderStart = 18 + 16;

std::string seal(std::string bytes) {
  const auto digest = sha256(bytes);
  return bytes.append(reinterpret_cast<const char*>(digest.bytes.data()), 8);
}

/// A well-sealed file whose header was changed.
std::string changed_header(const Evaluator& evaluator, const std::function<void(Json&)>& change) {
  const auto bytes = encode_evaluator(evaluator);
  std::uint64_t size = 0;
  std::memcpy(&size, bytes.data() + kHeaderStart - 8, 8);
  auto header = Json::parse(bytes.substr(kHeaderStart, size));
  change(header);
  const auto text = header.dump();
  const std::uint64_t new_size = text.size();
  std::string changed = bytes.substr(0, kHeaderStart - 8);
  changed.append(reinterpret_cast<const char*>(&new_size), 8);
  return seal(changed + text + bytes.substr(kHeaderStart + size, bytes.size() - 8 - kHeaderStart - size));
}

TEST(EvaluatorFile, GivesTheSameEvaluatorBack) {
  const auto data = testing::toy_data(20, 5);
  for (const auto kind : {HeadKind::kRidge, HeadKind::kLogistic, HeadKind::kOrdinal, HeadKind::kMlp}) {
    const auto evaluator = small(kind);
    const auto again = decoded(encode_evaluator(evaluator)).value();
    EXPECT_EQ(again.evaluate(texts_of(data.rows)).value().values,
              evaluator.evaluate(texts_of(data.rows)).value().values);
    EXPECT_EQ(again.thresholds().opposed, evaluator.thresholds().opposed);
    EXPECT_EQ(again.provenance().fitted_on, evaluator.provenance().fitted_on);
    EXPECT_EQ(again.recipe().parts.front().head.l2, evaluator.recipe().parts.front().head.l2);
    EXPECT_EQ(encode_evaluator(again), encode_evaluator(evaluator));
  }
}

Evaluator ensemble() {
  EvaluatorRecipe recipe;
  recipe.parts = {
      EvaluatorPart{{"tfidf"}, HeadOptions{.kind = HeadKind::kLogistic, .l2 = 0.1}, {}},
      EvaluatorPart{{"tfidf_response", "dictionary"}, HeadOptions{.kind = HeadKind::kRidge, .l2 = 0.1}, {}}};
  return train_evaluator(testing::toy_data(40), text_feature_families().value(), recipe, *silent_progress()).value();
}

TEST(EvaluatorFile, KeepsEveryPartOfAnEnsemble) {
  const auto evaluator = ensemble();
  const auto texts = texts_of(testing::toy_data(20, 5).rows);
  const auto again = decoded(encode_evaluator(evaluator)).value();
  EXPECT_EQ(again.evaluate(texts).value().values, evaluator.evaluate(texts).value().values);
  EXPECT_EQ(encode_evaluator(again), encode_evaluator(evaluator));
}

TEST(EvaluatorFile, AMemberThatIsMissingIsNamed) {
  const auto bytes = changed_header(ensemble(), [](Json& h) { h["members"].erase(1); });
  EXPECT_EQ(decoded(bytes).error().message, "e.evaluator: \"members\" has 1 entries, the recipe 2 parts");
}

TEST(EvaluatorFile, SaysWhatHasToBeOpenedFirst) {
  testing::Scratch scratch;
  ASSERT_TRUE(save_evaluator(ensemble(), scratch / "e.evaluator"));
  const auto needs = evaluator_needs(scratch / "e.evaluator").value();
  EXPECT_EQ(needs.space, "toy");
  EXPECT_EQ(needs.features, (std::vector<std::string>{"tfidf", "tfidf_response", "dictionary"}));
}

TEST(EvaluatorFile, IsWrittenAndRead) {
  testing::Scratch scratch;
  ASSERT_TRUE(save_evaluator(small(), scratch / "e.evaluator"));
  EXPECT_TRUE(load_evaluator(scratch / "e.evaluator", text_feature_families().value()));
  EXPECT_THAT(load_evaluator(scratch / "absent", {}).error().message, HasSubstr("absent"));
}

TEST(EvaluatorFile, OtherFilesAreNoEvaluators) {
  EXPECT_EQ(decoded("GGUF").error().message,
            "e.evaluator: this is no evaluator; make one with valence evaluator train");
}

TEST(EvaluatorFile, EveryTruncationAndEveryFlippedByteIsNoticed) {
  const auto bytes = encode_evaluator(small());
  for (std::size_t size = 0; size < bytes.size(); size += 97)
    EXPECT_FALSE(decoded(std::string_view(bytes).substr(0, size))) << size;
  EXPECT_EQ(decoded(std::string_view(bytes).substr(0, 30)).error().message,
            "e.evaluator: the file ends after 30 bytes: a truncated copy");
  for (std::size_t at = 0; at < bytes.size(); at += 97) {
    auto damaged = bytes;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x20);
    EXPECT_FALSE(decoded(damaged)) << at;
  }
  auto damaged = bytes;
  damaged[bytes.size() / 2] = static_cast<char>(damaged[bytes.size() / 2] ^ 1);
  EXPECT_EQ(decoded(damaged).error().message,
            "e.evaluator: the evaluator's checksum does not fit its content: a truncated or damaged copy");
}

TEST(EvaluatorFile, NewerFormatsAreRefused) {
  auto bytes = encode_evaluator(small());
  bytes[18] = 9;
  EXPECT_EQ(decoded(bytes).error().message,
            "e.evaluator: the evaluator has format 9, this program reads 3; update valence or train it again");
  EXPECT_EQ(decoded(bytes).error().code, ErrorCode::kUnsupported);
}

TEST(EvaluatorFile, SharpnessComesBackAndMustBeAboveZero) {
  const auto evaluator = small();
  const auto sharp = decoded(changed_header(evaluator, [](Json& h) { h["recipe"]["sharpness"] = 1.5; }));
  ASSERT_TRUE(sharp) << sharp.error().message;
  EXPECT_EQ(sharp->recipe().sharpness, 1.5);
  EXPECT_EQ(decoded(changed_header(evaluator, [](Json& h) { h["recipe"]["sharpness"] = 0.0; })).error().message,
            "e.evaluator: \"sharpness\" is 0, not above 0");
}

TEST(EvaluatorFile, HeadersThatDoNotFitAreNamed) {
  const auto evaluator = small();
  const auto message = [&](const std::function<void(Json&)>& change) {
    return decoded(changed_header(evaluator, change)).error().message;
  };
  EXPECT_EQ(message([](Json& h) { h.erase("space"); }), "e.evaluator: \"space\" is missing or not a text");
  EXPECT_EQ(message([](Json& h) { h["dimensions"].push_back("more"); }),
            "e.evaluator: \"opposed\" is missing or not an array of 3 numbers");
  EXPECT_EQ(message([](Json& h) { h["recipe"]["parts"][0]["head"] = "svm"; }),
            "e.evaluator: unknown head \"svm\"; it should be one of ridge, logistic, ordinal, mlp");
  EXPECT_EQ(
      message([](Json& h) { h["members"][0]["blocks"][0]["family"] = "minilm"; }),
      "e.evaluator: no features are called \"minilm\"; there are tfidf, tfidf_prompt, tfidf_response, dictionary");
  EXPECT_EQ(
      message([](Json& h) { h["members"][0]["blocks"][1]["state"]["words"] = 5; }),
      "e.evaluator: features dictionary: the evaluator was trained with a dictionary of 5 words, this one has 1068");
  EXPECT_THAT(message([](Json& h) { h["members"][0]["blocks"].erase(1); }), HasSubstr("e.evaluator: a layer takes "));
  EXPECT_EQ(message([](Json& h) { h["members"][0]["head"]["members"] = Json::array(); }),
            "e.evaluator: the head has no weights");
  EXPECT_EQ(message([](Json& h) { h["recipe"]["threshold_goal"] = "luck"; }),
            "e.evaluator: unknown goal of thresholds \"luck\"; it should be one of none, macro_f1, balanced");
  EXPECT_EQ(message([](Json& h) {
              h["provenance"]["fitted_on"] = {"b", "a"};
            }),
            "e.evaluator: \"fitted_on\" is not sorted");
  EXPECT_EQ(message([](Json& h) { h["thresholds"] = 1; }),
            "e.evaluator: \"thresholds\" is missing or not an object or array");
}

TEST(EvaluatorFile, AbsurdSizesAllocateNothing) {
  const auto evaluator = small();
  const auto message = [&](std::uint64_t inputs, std::uint64_t outputs) {
    return decoded(
               changed_header(evaluator,
                              [&](Json& h) {
                                h["members"][0]["head"]["members"][0][0] = {{"inputs", inputs}, {"outputs", outputs}};
                              }))
        .error()
        .message;
  };
  EXPECT_EQ(message(1ULL << 40U, 1ULL << 40U),
            "e.evaluator: a layer of 1099511627776 by 1099511627776 weights does not fit into the file");
  EXPECT_EQ(message(0, 4), "e.evaluator: a layer of 0 by 4 weights does not fit into the file");
}

}  // namespace
}  // namespace valence
